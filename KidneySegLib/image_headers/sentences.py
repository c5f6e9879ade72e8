"""The errors that the formats share."""

from KidneySegLib.errors import GeometryError, InputError


def damaged() -> InputError:
    """Returns the error of a file that is incomplete or wrong inside."""
    return InputError("The image file cannot be read: it is damaged, or its content is not what its name says.")


def no_sides() -> GeometryError:
    """Returns the error of a file without orientation."""
    return GeometryError(
        "The image file does not say where the patient's right and left are. Export it again with its orientation, or "
        "give the DICOM folder."
    )


def no_spacing() -> GeometryError:
    """Returns the error of a file whose distances of voxels are missing or no lengths."""
    return GeometryError(
        "The image file has no valid voxel spacing, so nothing can be measured. Export it again, or give the DICOM "
        "folder."
    )


def no_position() -> GeometryError:
    """Returns the error of a file whose geometry holds what is not a number."""
    return GeometryError(
        "The geometry in the image file holds values that are not numbers. Export it again, or give the DICOM folder."
    )
