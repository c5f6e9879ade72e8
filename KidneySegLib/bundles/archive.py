"""A bundle as one file: packed, and installed from a file of which nothing is believed.

The file is a ZIP with ``bundle.json``, ``weights.safetensors``, ``card.md`` and ``SHA256SUMS``, all at its top. Names
of members never become paths: only these four are read, each up to a limit, and written under their own names.
"""

import hashlib
import os
import stat
import zipfile
import zlib
from pathlib import Path
from typing import IO

from KidneySegLib.bundles.bundle import WEIGHTS, Bundle, read_bundle
from KidneySegLib.bundles.header import CARD, MANIFEST
from KidneySegLib.bundles.limits import LARGEST_MANIFEST, LARGEST_WEIGHTS
from KidneySegLib.errors import BundleError, OutputError
from KidneySegLib.publishing import complaints, partial_folder

SUMS = "SHA256SUMS"
SUFFIX = ".kidneyseg.zip"
_MOST_BYTES = {MANIFEST: LARGEST_MANIFEST, WEIGHTS: LARGEST_WEIGHTS, CARD: LARGEST_MANIFEST, SUMS: 1 << 12}
_NEEDED = {MANIFEST, WEIGHTS, SUMS}
_PIECE = 1 << 20
# so that the same bundle gives the same file
_DATE = (1980, 1, 1, 0, 0, 0)


def pack(bundle: Bundle, folder: Path) -> Path:
    """Packs a bundle and returns the file, which is called after its name and version.

    Args:
        bundle: its weights are checked.
        folder: for the file.

    Raises:
        BundleError: the weights are missing or altered, or its name or version is not a file name.
        OutputError: the file cannot be written.
    """
    bundle.verify()
    if not _is_file_name(bundle.name) or not _is_file_name(bundle.version):
        raise BundleError("The bundle's name and version may have letters, digits, '.', '-' and '_' only.")
    target = folder / f"{bundle.name}-{bundle.version}{SUFFIX}"
    names = [name for name in (MANIFEST, WEIGHTS, CARD) if (bundle.folder / name).is_file()]
    with complaints():
        folder.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".partial-{os.getpid()}")
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file:
                sums = ""
                for name in names:
                    content = (bundle.folder / name).read_bytes()
                    sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
                    file.writestr(_entry(name), content, zipfile.ZIP_DEFLATED)
                file.writestr(_entry(SUMS), sums, zipfile.ZIP_DEFLATED)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return target


def checksum_of(path: Path) -> str:
    """Returns the SHA-256 of a packed bundle: what its maker publishes, and what ``install`` can be given."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def install(path: Path, models: Path, *, sha256: str = "", replace: bool = False) -> Bundle:
    """Installs a packed bundle as a folder of its name below ``models``.

    Args:
        path: the file.
        models: folder of bundles; made if it does not exist.
        sha256: of the file, from its maker; empty checks the file against its own sums alone.
        replace: whether a bundle of that name is replaced.

    Returns:
        The bundle in its place.

    Raises:
        BundleError: the file is not the expected one, is not a packed bundle, holds anything else, is damaged or too
            large, or a bundle of that name is there.
        OutputError: the bundle cannot be written.
    """
    if not path.is_file():
        raise BundleError("The file of the bundle does not exist. Give the file that 'kidneyseg models pack' wrote.")
    if sha256 and checksum_of(path) != sha256.strip().lower():
        raise BundleError("The file is not the one that its maker signed: its SHA-256 differs. Get it again.")
    with complaints(), partial_folder(models / ".installing") as partial:
        _unpack(path, partial)
        bundle = read_bundle(partial)
        bundle.verify()
        if not _is_file_name(bundle.name):
            raise BundleError("The bundle's name is not a valid file name, so it cannot be installed.")
        target = models / bundle.name
        if target.exists() or target.is_symlink():
            if not replace:
                raise BundleError(f"A bundle '{bundle.name}' is already installed. Remove it, or use --replace.")
            if target.is_symlink() or not (target / MANIFEST).is_file():
                raise OutputError(f"'{bundle.name}' in the folder of models is not a bundle. Move it away first.")
            target.rename(partial / "before")
        _publish(partial, target)
    return read_bundle(target)


def _publish(partial: Path, target: Path) -> None:
    fresh = partial / "fresh"
    fresh.mkdir()
    for name in (MANIFEST, WEIGHTS, CARD):
        if (partial / name).is_file():
            (partial / name).rename(fresh / name)
    fresh.rename(target)


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as file:
            entries = file.infolist()
            names = [entry.filename for entry in entries]
            if set(names) - set(_MOST_BYTES) or _NEEDED - set(names) or len(set(names)) < len(names):
                raise BundleError(
                    "The file is not a packed bundle: it holds other files than a bundle has, or too few."
                )
            found = {}
            for entry in entries:
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if kind not in (0, stat.S_IFREG) or entry.flag_bits & 1:
                    raise BundleError("The file is not a packed bundle: a part of it is a link, a folder or encrypted.")
                with file.open(entry) as source, (folder / entry.filename).open("wb") as target:
                    found[entry.filename] = _copy(source, target, _MOST_BYTES[entry.filename])
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise BundleError("The file is not a packed bundle, or it is damaged. Get it again.") from error
    _check_sums((folder / SUMS).read_bytes(), {name: value for name, value in found.items() if name != SUMS})


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> str:
    """Copies what was packed up to a limit, whatever the headers claim; returns its SHA-256."""
    digest, size = hashlib.sha256(), 0
    while piece := source.read(_PIECE):
        size += len(piece)
        if size > most:
            raise BundleError("The file is not a packed bundle: a part of it is larger than any bundle's.")
        digest.update(piece)
        target.write(piece)
    return digest.hexdigest()


def _check_sums(text: bytes, found: dict[str, str]) -> None:
    lines = text.decode("ascii", errors="replace").split("\n")
    listed = {name: value for value, _, name in (line.partition("  ") for line in lines if line)}
    if listed != found:
        raise BundleError("The file is damaged or altered: its parts do not have the checksums that it lists.")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _is_file_name(text: str) -> bool:
    """Whether a text is a plain name on every system."""
    plain = all(letter.isascii() and (letter.isalnum() or letter in ".-_") for letter in text)
    return plain and bool(text.strip(".")) and not text.startswith(".") and len(text) <= 80
