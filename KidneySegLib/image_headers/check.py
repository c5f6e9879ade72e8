"""The check that belongs to a file's name."""

from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.image_headers.metaimage import check_metaimage
from KidneySegLib.image_headers.nifti import check_nifti
from KidneySegLib.image_headers.nrrd import check_nrrd


def check_image_file(path: Path) -> None:
    """Checks the header, and of NIfTI also that the data are whole, before ITK reads the file.

    Raises:
        InputError: the file is damaged, or its name cannot be handed to ITK.
        GeometryError: spacing, position or the patient's sides are missing, or are given twice and differ.
    """
    name = path.name.lower()
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        # ITK would end the whole process
        raise InputError("The name of the image file or of its folder holds invalid characters. Rename it.") from error
    try:
        if name.endswith((".nii", ".nii.gz")):
            check_nifti(path)
        elif name.endswith((".nrrd", ".nhdr")):
            check_nrrd(path)
        elif name.endswith((".mha", ".mhd")):
            check_metaimage(path)
    except OSError as error:
        raise InputError("The image file cannot be opened. Check that you may read it.") from error
