"""Pictures (PNG, JPEG) of ultrasound images: their pixel size is given by the user, or not known."""

from pathlib import Path

from KidneySegLib.exam import Exam, Source
from KidneySegLib.flags import Flag
from KidneySegLib.readers.pictures import open_picture, picture_format
from KidneySegLib.readers.ultrasound.field_of_view import FieldOfView
from KidneySegLib.readers.ultrasound.grey import grey_of
from KidneySegLib.readers.ultrasound.headers import given_size
from KidneySegLib.readers.ultrasound.images import COLOURED_SHARE, ultrasound_exam
from KidneySegLib.readers.ultrasound.regions import Rectangle


def read_ultrasound_picture(path: Path, pixel_mm: float | None = None) -> Exam:
    """Reads a picture as one ultrasound image, uint8 ``(1, j, i)``.

    Args:
        path: PNG or JPEG.
        pixel_mm: pixel size; without it everything is measured in pixels.

    Raises:
        InputError: the picture is damaged, too small or too large, or no ultrasound image has such pixels.
    """
    grey, coloured = grey_of(open_picture(path))
    whole: Rectangle = (0, 0, grey.shape[1], grey.shape[0])
    if pixel_mm is None:
        size, flags = None, [Flag.of("not_calibrated", spacing=False)]
    else:
        size, flags = given_size(pixel_mm, whole), [Flag.of("pixel_size_given", pixel_mm=pixel_mm)]
    if coloured.mean() > COLOURED_SHARE:
        flags.append(Flag.of("colours_in_image", share=float(coloured.mean())))
    return ultrasound_exam(
        grey[None],
        FieldOfView(whole, (), size),
        flags,
        source=Source(modality="US"),
        kind=picture_format(path),
        told={"region": None, "frame": None, "pixel_mm": pixel_mm},
    )
