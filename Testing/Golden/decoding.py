"""Files of a result as plain data: what a reader of the file sees, without its packing."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from PIL import Image

from Golden.dicom_decoding import UidNames, decode_dicom
from Golden.text_decoding import checksum, html_text, pdf_text

IMAGE_SUFFIXES = (".nii.gz", ".nrrd")


def decode_folder(folder: Path, uids: UidNames) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns every file's data by its name, and the voxels of those files that hold any.

    Args:
        folder: a result folder; sub-folders are not looked into.
        uids: names for the unique identifiers of DICOM files.
    """
    data: dict[str, Any] = {}
    voxels: dict[str, np.ndarray] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            data[path.name], array = decode_file(path, uids)
            if array is not None:
                voxels[path.name] = array
    return data, voxels


def decode_file(path: Path, uids: UidNames) -> tuple[Any, np.ndarray | None]:
    """Returns one file's data and its voxels, None where it has none; of an unknown kind the checksum is the data."""
    name = path.name
    if name.endswith(IMAGE_SUFFIXES):
        return _image(path)
    if name.endswith(".dcm"):
        return decode_dicom(path, uids)
    if name.endswith(".json"):
        return json.loads(path.read_text(encoding="utf-8")), None
    if name.endswith(".csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file)), None
    if name.endswith(".html"):
        return html_text(path.read_text(encoding="utf-8")), None
    if name.endswith(".pdf"):
        return pdf_text(path), None
    if name.endswith((".png", ".jpg")):
        picture = Image.open(path)
        return {"picture": f"picture {checksum(picture.tobytes())}", "size": list(picture.size)}, None
    return {"sha256": checksum(path.read_bytes())}, None


def _image(path: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Returns geometry and header of an image, and its voxels (k, j, i)."""
    image = sitk.ReadImage(str(path))
    kept = [key for key in image.GetMetaDataKeys() if not key.startswith("ITK_original")]
    header = {
        "size": list(image.GetSize()),
        "spacing": list(image.GetSpacing()),
        "origin": list(image.GetOrigin()),
        "direction": list(image.GetDirection()),
        "type": image.GetPixelIDTypeAsString(),
        "header": {key: image.GetMetaData(key) for key in sorted(kept)},
    }
    return header, sitk.GetArrayFromImage(image)
