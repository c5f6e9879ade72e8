"""Cases that radiologists corrected and exported for training (the module's "corrected case for training").

A case is a folder with ``image.nii.gz``, ``mask.nii.gz`` and ``labels.json``, whose ``labels`` say which number is
which structure. Gathered ones lie in ``corrections`` of the data folder, called by a checksum of their voxels.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from KidneySegLib.datasets.exams import read_mask
from KidneySegLib.errors import InputError
from KidneySegLib.publishing import complaints, partial_folder
from KidneySegLib.structures import BY_KEY
from KidneySegLib.volume import Volume, read_image

FOLDER, NUMBERS = "corrections", "labels.json"


def corrected_cases(data: Path) -> list[str]:
    """Returns the corrected cases of a data folder as a recipe names them.

    Raises:
        InputError: there are none.
    """
    names = [f"{FOLDER}/{path.parent.name}" for path in sorted((data / FOLDER).glob("*/image.nii.gz"))]
    if not names:
        raise InputError(f"The data folder has no corrected cases. Gather them with 'kidneyseg data from-{FOLDER}'.")
    return names


def gather(sources: Sequence[Path], data: Path, kept_apart: Sequence[Path] = ()) -> list[str]:
    """Copies corrected cases into a data folder, each checked first; a case that was there is replaced.

    Args:
        sources: cases, or folders of cases.
        data: the data folder.
        kept_apart: exams (folders with ``image.nii.gz``, or folders of these) that must never be trained on.

    Returns:
        The cases, as a recipe names them.

    Raises:
        InputError: there is no case, one is faulty, two have one image but other labels, or one has the image of an
            exam that is kept apart. Nothing is copied then.
        OutputError: a case cannot be written.
    """
    cases = {folder: _read(folder) for folder in _folders(sources)}
    if not cases:
        raise InputError("No corrected case was found: a folder with image.nii.gz, mask.nii.gz and labels.json.")
    apart = {_name(read_image(folder / "image.nii.gz")) for folder in _folders(kept_apart)}
    gathered: dict[str, tuple[Volume, np.ndarray]] = {}
    for folder, (image, labels) in cases.items():
        name = _name(image)
        if name in apart:
            raise InputError(f"The case '{folder.name}' has the image of an exam that is kept apart. Leave it out.")
        if name in gathered and not np.array_equal(gathered[name][1], labels):
            raise InputError(f"The case '{folder.name}' and another have the same image but other labels. Give one.")
        gathered[name] = image, labels
    for name, (image, labels) in gathered.items():
        _write(data / FOLDER / name, image, labels)
    return [f"{FOLDER}/{name}" for name in gathered]


def _folders(places: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        here = [place] if (place / "image.nii.gz").is_file() else sorted(p.parent for p in place.glob("*/image.nii.gz"))
        if not here:
            raise InputError(f"'{place.name}' holds no case: a folder with image.nii.gz is needed.")
        found += here
    return found


def _read(folder: Path) -> tuple[Volume, np.ndarray]:
    """Returns image and labels in canonical orientation, with the numbers of ``structures``."""
    if not (folder / "mask.nii.gz").is_file():
        raise InputError(f"The case '{folder.name}' has no mask.nii.gz. Export it again.")
    numbers = _numbers(folder)
    image = read_image(folder / "image.nii.gz").canonical()
    labels = read_mask(folder, image)
    unknown = set(np.unique(labels).tolist()) - {0, *numbers}
    if unknown:
        raise InputError(
            f"The case '{folder.name}' has the label {min(unknown)}, which its {NUMBERS} does not name. "
            "Export it again."
        )
    lookup = np.zeros(256, np.uint8)
    for number, label in numbers.items():
        lookup[number] = label
    mapped = lookup[labels]
    if not mapped.any():
        raise InputError(f"The case '{folder.name}' has no label at all. Outline the kidneys, or leave it out.")
    return image, mapped


def _numbers(folder: Path) -> dict[int, int]:
    """Returns our label by the number that a case has for it."""
    try:
        labels = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))["labels"]
        numbers = {int(number): BY_KEY[str(key)].label for key, number in labels.items()}
        if len(numbers) < len(labels) or not all(0 < number < 256 for number in numbers):
            raise ValueError
        return numbers
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"The case '{folder.name}' has no usable {NUMBERS}: it must say which number is which structure "
            f"({', '.join(BY_KEY)})."
        ) from error


def _name(image: Volume) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(image.canonical().voxels).data).hexdigest()
    return f"case_{digest[:12]}"


def _write(folder: Path, image: Volume, labels: np.ndarray) -> None:
    import SimpleITK as sitk

    files = {"image.nii.gz": image, "mask.nii.gz": image.like(labels)}
    with complaints(), partial_folder(folder) as partial:
        for name, volume in files.items():
            sitk.WriteImage(volume.to_image(), str(partial / name))
            # ITK says nothing of a full disk
            if not np.array_equal(read_image(partial / name).voxels, volume.voxels):
                raise OSError("what was written does not read back")
        folder.mkdir(exist_ok=True)
        for name in files:
            (partial / name).replace(folder / name)
