"""Damaged files, and folders that hold more or less than a series."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from Fuzz.case import Case, Family
from Fuzz.damage import change, cut, flip
from Fuzz.truth import ANYWHERE, SLICES, true_files, write

LAST = SLICES - 1
TOLD = ("unreadable_files", "series_left_out", "only_ct_volume", "missing_slices")


def truncated() -> list[Case]:
    """Returns cases of files that end too early, at every tenth of their length and at odd places."""
    family = Family("truncated")
    size = len(next(iter(true_files().values())))
    places = sorted({0, 1, 127, 131, 132, 140, 200, size - 1, size - 2, *(size * n // 10 for n in range(1, 10))})
    for place in places:
        for where, number in (("in the middle", 5), ("at the end", LAST)):

            def build(folder: Path, _: np.random.Generator, place: int = place, number: int = number) -> Path:
                cut(write(folder)[number], place)
                return folder

            family.add(f"a file {where} of {place} of {size} bytes", build, None, flags=TOLD)
    family.add("all files without their last byte", _all_cut(-1), False)
    family.add("all files of 200 bytes", _all_cut(200), False)
    return family.cases


def corrupted() -> list[Case]:
    """Returns cases of wrong bytes in the header: whatever is read must be right."""
    family = Family("wrong bytes")
    for number in range(24):
        family.add(f"in one header {number}", _wrong_bytes(1, {5}), None)
        if number < 8:
            family.add(f"in all headers {number}", _wrong_bytes(2, None), None, truth=ANYWHERE, tolerance=3000)
    family.add("lengths of all elements wrong", _wrong_lengths, None, truth=ANYWHERE)
    family.add("a sequence that contains itself a thousand times", _deep, None)
    family.add("zeros from the middle on", _zeros, None, truth=ANYWHERE, flags=(), tolerance=3000)
    return family.cases


def folders() -> list[Case]:
    """Returns cases of what else lies in a folder, and of paths that are no folder."""
    family = Family("folders")
    family.add("text, pictures and empty files beside the series", _beside, True, slices=SLICES)
    family.add("an empty file named like the images", _in_place_of(LAST, b""), True, flags=TOLD)
    family.add("zeros named like the images", _in_place_of(LAST, bytes(5000)), True, flags=TOLD)
    family.add("deep folders", _nested, True, slices=SLICES)
    family.add("half of the series in another folder", _halves, True, slices=SLICES)
    family.add("linked files", _links, True, slices=SLICES)
    family.add("a link to itself and a folder that links to its parent", _loops, True, slices=SLICES)
    family.add("broken links", _broken_links, True, slices=SLICES)
    family.add("a pipe in the folder", _pipe_beside, True, slices=SLICES)
    family.add("a pipe as input", _pipe, False)
    family.add("one file of the series as input", lambda folder, _: write(folder)[3], True, slices=SLICES)
    family.add("DICOMDIR beside the series", _dicomdir(beside=True), True, slices=SLICES)
    family.add("DICOMDIR as input", _dicomdir(beside=False), False, "Choose the folder")
    family.add("empty folder", _empty, False)
    family.add("nothing there", lambda folder, _: folder / "missing", False, "does not exist")
    family.add("a folder without permission", _locked_folder, False, unprivileged=True)
    family.add("a folder inside one without permission", _inside_locked, False, unprivileged=True)
    family.add("a file without permission", _locked_file, True, flags=TOLD, unprivileged=True)
    family.add("all files without permission", _locked_files, False, unprivileged=True)
    family.add("an image file and text", _text_named("scan.nii.gz"), False)
    for name in ("scan.nrrd", "scan.mha", "scan.nii", "scan.dcm"):
        family.add(f"text named {name}", _text_named(name), False)
    family.add("two image files", _two_images, False, "Choose one")
    family.add("a report and a segmentation beside the series", _other_objects, True, slices=SLICES)
    family.add("names of bytes that are no text", _byte_names, True, slices=SLICES)
    family.add("private elements of odd kinds", _private, True, slices=SLICES)
    return family.cases


Build = Callable[[Path, np.random.Generator], Path]


def _all_cut(size: int) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        for path in write(folder):
            cut(path, size)
        return folder

    return build


def _wrong_bytes(count: int, only: set[int] | None) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        for number, path in enumerate(write(folder)):
            if only is None or number in only:
                flip_header(path, generator, count)
        return folder

    return build


def flip_header(path: Path, generator: np.random.Generator, count: int) -> None:
    """Gives bytes before the pixels other values."""
    data = path.read_bytes()
    pixels = data.rindex(b"\xe0\x7f\x10\x00") + 12
    header = path.with_name("header")
    header.write_bytes(data[:pixels])
    flip(header, generator, count)
    path.write_bytes(header.read_bytes() + data[pixels:])
    header.unlink()


def _wrong_lengths(folder: Path, generator: np.random.Generator) -> Path:
    for path in write(folder)[3:9]:
        data = path.read_bytes()
        path.write_bytes(data.replace(b"DS\x02\x00", b"DS\xfe\xff").replace(b"IS\x02\x00", b"IS\x08\x00"))
    return folder


def _deep(folder: Path, _: np.random.Generator) -> Path:
    item = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path = write(folder)[5]
    data = path.read_bytes()
    place = data.index(b"\x10\x00\x10\x00PN")
    path.write_bytes(data[:place] + item * 1000 + data[place:])
    return folder


def _zeros(folder: Path, _: np.random.Generator) -> Path:
    path = write(folder)[5]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2].ljust(len(data), b"\0"))
    return folder


def _beside(folder: Path, generator: np.random.Generator) -> Path:
    write(folder)
    (folder / "README").write_text("DICM is a word")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "picture.png").write_bytes(generator.bytes(500))
    (folder / ".DS_Store").write_bytes(generator.bytes(500))
    (folder / "Thumbs.db").write_bytes(bytes(100))
    return folder


def _in_place_of(number: int, content: bytes) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        write(folder)[number].write_bytes(content)
        return folder

    return build


def _nested(folder: Path, _: np.random.Generator) -> Path:
    write(folder.joinpath(*(["deeper"] * 30)))
    return folder


def _halves(folder: Path, _: np.random.Generator) -> Path:
    (folder / "other").mkdir()
    for path in write(folder)[::2]:
        path.rename(folder / "other" / path.name)
    return folder


def _links(folder: Path, _: np.random.Generator) -> Path:
    (folder / "in").mkdir()
    for path in write(folder / "real"):
        (folder / "in" / path.name).symlink_to(path)
    return folder / "in"


def _loops(folder: Path, _: np.random.Generator) -> Path:
    write(folder)
    (folder / "self").symlink_to("self")
    (folder / "up").symlink_to(folder, target_is_directory=True)
    return folder


def _broken_links(folder: Path, _: np.random.Generator) -> Path:
    write(folder)
    (folder / "gone.dcm").symlink_to(folder / "nowhere")
    return folder


def _pipe_beside(folder: Path, _: np.random.Generator) -> Path:
    write(folder)
    os.mkfifo(folder / "pipe.dcm")
    return folder


def _pipe(folder: Path, _: np.random.Generator) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _dicomdir(*, beside: bool) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        dataset = dcmread(write(folder)[0], stop_before_pixels=True)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.1.3.10"
        dataset.save_as(folder / "DICOMDIR")
        return folder if beside else folder / "DICOMDIR"

    return build


def _empty(folder: Path, _: np.random.Generator) -> Path:
    return folder


def _locked_folder(folder: Path, _: np.random.Generator) -> Path:
    write(folder / "locked")
    (folder / "locked").chmod(0)
    return folder / "locked"


def _inside_locked(folder: Path, generator: np.random.Generator) -> Path:
    write(folder / "locked" / "series")
    (folder / "locked").chmod(0)
    return folder / "locked" / "series"


def _locked_file(folder: Path, _: np.random.Generator) -> Path:
    write(folder)[LAST].chmod(0)
    return folder


def _locked_files(folder: Path, _: np.random.Generator) -> Path:
    for path in write(folder):
        path.chmod(0)
    return folder


def _text_named(name: str) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        (folder / name).write_text("no image at all")
        return folder / name

    return build


def _two_images(folder: Path, _: np.random.Generator) -> Path:
    for name in ("a.nii.gz", "b.nii.gz"):
        (folder / name).write_bytes(b"x")
    return folder


def _other_objects(folder: Path, _: np.random.Generator) -> Path:
    first = write(folder)[0]
    for modality, sop_class in (("SR", "1.2.840.10008.5.1.4.1.1.88.33"), ("SEG", "1.2.840.10008.5.1.4.1.1.66.4")):
        dataset = dcmread(first, stop_before_pixels=True)
        dataset.Modality, dataset.SOPClassUID = modality, sop_class
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = f"1.2.{len(modality)}", f"1.3.{len(modality)}"
        for keyword in ("Rows", "Columns", "ImagePositionPatient"):
            delattr(dataset, keyword)
        dataset.save_as(folder / f"{modality}.dcm")
    return folder


def _byte_names(folder: Path, _: np.random.Generator) -> Path:
    for number, path in enumerate(write(folder)):
        os.rename(path, os.fsencode(folder) + b"/\xff\xfe%d\n.dcm" % number)
    return folder


def _private(folder: Path, generator: np.random.Generator) -> Path:
    def alter(dataset: Dataset, number: int) -> None:
        block = dataset.private_block(0x0029, "MAKER", create=True)
        block.add_new(0x01, "UN", generator.bytes(300))
        block.add_new(0x02, "OB", generator.bytes(301 + number % 2))
        dataset.add_new(0x00091001, "UN", b"without a creator ")

    change(write(folder), alter)
    return folder
