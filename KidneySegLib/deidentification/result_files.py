"""Result folders and image files: read, and written anew with what belongs to the image and nothing else."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegLib import __version__
from KidneySegLib.deidentification.identity import Identity
from KidneySegLib.deidentification.instance import FileLeftOut
from KidneySegLib.deidentification.pseudonyms import Pseudonyms
from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.findings import Findings
from KidneySegLib.findings.marks import without_names
from KidneySegLib.flags import TEXT, Flag
from KidneySegLib.itk_names import itk_name
from KidneySegLib.result_files.labels.files import write_nifti, write_segmentation
from KidneySegLib.result_files.names import CANDIDATE_TABLE, CANDIDATES, INSTANCES, LABELS
from KidneySegLib.result_files.tables import write_candidates, write_measurements
from KidneySegLib.volume import read_image

_UID = re.compile(r"[0-2](\.\d+){3,}")
_NO_TIME = "1900-01-01T00:00:00+00:00"
# Text of the images' headers; where the images were not seen, nobody can tell whether it names the patient.
_HEADER_TEXT = ("manufacturer", "model", "kernel", "body_part")
_REMOVED = "Removed, because it held a value that identifies the patient."


def write_clean_result(
    source: Path, target: Path, findings: Findings, pseudonyms: Pseudonyms, identity: Identity | None
) -> int:
    """Writes a result folder anew: findings, table and label maps; of the picture nothing but its pixels.

    Args:
        source: the result folder.
        target: the new folder, which does not exist.
        findings: those of the folder.
        pseudonyms: of this run.
        identity: values that must not stay anywhere; None where the patient's images were not seen.

    Returns:
        How many files were written.

    Raises:
        LeftOut: the findings name the patient where it cannot be removed.
        InputError: a file of the result is damaged.
        OSError, RuntimeError: a file cannot be written.
    """
    cleaned = _clean_findings(findings, pseudonyms, identity)
    plain = json.dumps(json.loads(cleaned.to_json()), ensure_ascii=False)
    if identity is not None and identity.is_in_bytes(plain.encode()):
        raise FileLeftOut("results that hold an identifying value where it cannot be removed")
    target.mkdir(parents=True)
    (target / "findings.json").write_text(cleaned.to_json(), encoding="utf-8")
    write_measurements(target / "measurements.csv", cleaned)
    write_candidates(target / CANDIDATE_TABLE, cleaned)
    for name in (INSTANCES, CANDIDATES):
        if (source / name).is_file():
            numbers = read_image(source / name)
            write_nifti(target / name, numbers, numbers.voxels)
    if (source / LABELS).is_file():
        volume = read_image(source / LABELS)
        write_nifti(target / LABELS, volume, volume.voxels)
        write_segmentation(
            target / "segmentation.seg.nrrd",
            volume,
            volume.voxels,
            f"KidneySeg {__version__}",
            sides_certain=findings.sides_certain,
        )
    if (source / "overview.png").is_file():
        _copy_pixels(source / "overview.png", target / "overview.png")
    return len(list(target.iterdir()))


def write_clean_image(source: Path, folder: Path, pseudonyms: Pseudonyms) -> None:
    """Writes a NIfTI, NRRD or MetaImage file anew as NIfTI, named after its content.

    Raises:
        InputError: the file is damaged or is no 3D image with one value per voxel.
        OSError, RuntimeError: the file cannot be written.
    """
    import SimpleITK as sitk

    volume = read_image(source)
    if volume.is_sheared:
        raise GeometryError("The image's axes are not at right angles.")
    image = volume.to_image()
    folder.mkdir(parents=True, exist_ok=True)
    content = volume.voxels.tobytes() + np.float32(volume.ijk_to_lps).tobytes()
    path = folder / f"image-{pseudonyms.short('image', content.hex())}.nii.gz"
    sitk.WriteImage(image, itk_name(path), True)
    # ITK says nothing when the disk is full
    try:
        written = read_image(path).voxels
    except InputError as error:
        raise OSError("the image was not written completely") from error
    if not np.array_equal(written, volume.voxels):
        raise OSError("the image was not written completely")


def _clean_findings(findings: Findings, pseudonyms: Pseudonyms, known: Identity | None) -> Findings:
    provenance, identity = findings.provenance, known or Identity()
    source = {key: _clean_value(value, pseudonyms, identity) for key, value in provenance.input.source.items()}
    if known is None:
        source |= {key: "" for key in _HEADER_TEXT if key in source}
    settings = {
        key: _clean_value(_without_path(value), pseudonyms, identity) for key, value in provenance.settings.items()
    }
    flags = [_clean_flag(flag, identity) for flag in findings.flags]
    findings = without_names(findings)  # free text of a reader
    record = replace(provenance.input, source=source)
    provenance = replace(provenance, input=record, settings=settings, started_utc=_NO_TIME)
    return replace(findings, provenance=provenance, flags=tuple(flags))


def _clean_flag(flag: Flag, identity: Identity) -> Flag:
    """Returns the flag; its code alone where sentence or values identify the patient."""
    told = flag.message + json.dumps(dict(flag.values), ensure_ascii=False)
    return replace(flag, values={TEXT: _REMOVED}) if identity.is_in(told) else flag


def _clean_value(value: Any, pseudonyms: Pseudonyms, identity: Identity) -> Any:
    if isinstance(value, list):
        return [_clean_value(item, pseudonyms, identity) for item in value]
    if isinstance(value, str) and _UID.fullmatch(value):
        return pseudonyms.uid(value)
    return "" if isinstance(value, str) and identity.is_in(value) else value


def _without_path(value: Any) -> Any:
    return os.path.basename(value.rstrip("/\\").replace("\\", "/")) if isinstance(value, str) else value


def _copy_pixels(source: Path, target: Path) -> None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(source) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise InputError("The picture of the result is damaged.") from error
    Image.fromarray(pixels).save(target)
