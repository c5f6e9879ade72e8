"""Pairs of image and labels, known by their names: what ITK-SNAP, MITK and Slicer leave in a folder."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.result_files.labels.segment_files import SEGMENTATION_SUFFIX
from KidneySegLib.training.importing.case import Fault, Listing
from KidneySegLib.volume import IMAGE_SUFFIXES, is_image_file, read_layers

_MARKS = ("_seg", "-seg", "_segmentation", "-segmentation", "_mask", "-mask", "_label", "-label", "_labels", "-labels")
_LABEL_FOLDERS = ("labels", "masks", "segmentations")
_IMAGE_FOLDERS = ("images", "image", "scans", "")
# a line of ITK-SNAP's label descriptions: number, red, green, blue, opacity, two switches, name
_ITK_SNAP = re.compile(r'^\s*(\d+)\s+\d+\s+\d+\s+\d+\s+[\d.]+\s+\d+\s+\d+\s+"([^"]*)"\s*$')
_ITK_SNAP_HEAD = "ITK-SnAP Label Description File"
_MITK = "org.mitk.multilabel.segmentation.labelgroups"
_LARGEST_TEXT = 1 << 20


def pairs(folder: Path) -> Listing | None:
    """``case.nii.gz`` with ``case_seg.nii.gz`` (or ``-label``, ``_mask``, ``.seg.nrrd`` …), or two folders of one name.

    Names of the labels come from the file itself (Slicer, MITK), or from ITK-SNAP's label descriptions beside it.
    """
    images, labels = _in_folders(folder)
    if not labels:
        files = [path for path in sorted(folder.iterdir()) if is_image_file(path)]
        labels = {_stem(path, strip=True): path for path in files if _stem(path) != _stem(path, strip=True)}
        images = {_stem(path): path for path in files if path not in labels.values()}
    if not labels:
        return None
    found = Listing("pairs of files")
    described = descriptions(folder, found)
    for name in sorted({*images, *labels}):
        label = labels.get(name, folder / "none")
        try:
            names = _names(label) or described
        except InputError:  # the file says itself, when it is read as a case, what is wrong with it
            names = described
        found.add(name, images.get(name, folder / "none"), label, names)
    return found


def _in_folders(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Returns images and labels by name, where each have a folder of their own."""
    for label_folder in _LABEL_FOLDERS:
        if not (folder / label_folder).is_dir():
            continue
        labels = {_stem(path, strip=True): path for path in _files(folder / label_folder)}
        for image_folder in _IMAGE_FOLDERS:
            images = {_stem(path): path for path in _files(folder / image_folder)}
            if images and labels:
                return images, labels
    return {}, {}


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if is_image_file(path)] if folder.is_dir() else []


def _stem(path: Path, *, strip: bool = False) -> str:
    """Returns a file's name without its suffix; with ``strip`` also without what marks it as labels."""
    name = path.name
    if name.lower().endswith(SEGMENTATION_SUFFIX):
        return name[: -len(SEGMENTATION_SUFFIX)] if strip else name
    for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    if strip:
        for mark in _MARKS:
            if name.lower().endswith(mark):
                return name[: -len(mark)]
    return name


def _names(path: Path) -> Mapping[int, str] | None:
    """Returns the names that MITK wrote into a file; None where there are none.

    Raises:
        InputError: the file cannot be read, or its names are damaged.
    """
    if not path.is_file() or path.suffix.lower() != ".nrrd" or path.name.lower().endswith(SEGMENTATION_SUFFIX):
        return None
    _, header = read_layers(path)
    if _MITK not in header:
        return None
    try:
        groups = json.loads(header[_MITK])
        return {0: "background"} | {
            int(label["value"]): str(label["name"]) for group in groups for label in group["labels"]
        }
    except (ValueError, TypeError, KeyError) as error:
        raise InputError("The names of the labels are damaged.") from error


def descriptions(folder: Path, found: Listing) -> Mapping[int, str] | None:
    """Returns the names in ITK-SNAP's label descriptions; two files that differ are a fault."""
    told: list[dict[int, str]] = []
    for path in sorted({*folder.glob("*.txt"), *folder.glob("*.label")}):
        if path.stat().st_size > _LARGEST_TEXT:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        names = {int(m.group(1)): m.group(2) for line in text.splitlines() if (m := _ITK_SNAP.match(line))}
        if _ITK_SNAP_HEAD.casefold() in text.casefold() and names and names not in told:
            told.append(names)
    if len(told) > 1:
        found.faults.append(
            Fault(
                "", "names_differ", "Several label descriptions of ITK-SNAP contradict each other. Keep the right one."
            )
        )
        return None
    return {0: "background"} | told[0] if told else None
