"""What is no single CT slice with its air in black, or has another size, is told before a picture is measured."""

import numpy as np

from KidneySegLib.errors import InputError

# The widest field of view that scanners reconstruct (extended, for radiotherapy) is 800 mm.
WIDEST_MM = 800.0
# An outermost line is a margin when so many of its pixels are white.
_WHITE, _MARGIN_SHARE = 250, 0.9
# Black is a little above 0 where a picture was compressed.
_ABOVE_BLACK = 10
# Arms beside a trunk have a tenth of its area each.
_ALIKE = 0.5
# Two in black and white, three where their border is blurred.
_FEWEST_LEVELS = 4


def check_picture(grey: np.ndarray, pixel_mm: float) -> None:
    """Refuses a picture that would be measured wrongly.

    Args:
        grey: uint8 ``(j, i)``.
        pixel_mm: size of its pixels, as it was given.

    Raises:
        InputError: it has two or three grey levels, a white border, shows several images, or is wider than any CT.
    """
    if np.unique(grey).size < _FEWEST_LEVELS:
        raise InputError("The picture is black and white, without greys between. Export it with 256 grey levels.")
    if any(np.mean(line >= _WHITE) >= _MARGIN_SHARE for line in (grey[0], grey[-1], grey[:, 0], grey[:, -1])):
        raise InputError(
            "The picture's border is white: black and white are inverted, or it has a white margin. Export it with air "
            "in black, and without margin."
        )
    _check_shown(grey, pixel_mm)


def _check_shown(grey: np.ndarray, pixel_mm: float) -> None:
    import cc3d

    pieces = cc3d.connected_components(grey > int(grey.min()) + _ABOVE_BLACK, connectivity=4)
    statistics = cc3d.statistics(pieces)
    areas = statistics["voxel_counts"][1:]
    if not areas.size:  # all nearly black
        return
    largest = int(areas.argmax()) + 1
    width_mm = max(edge.stop - edge.start for edge in statistics["bounding_boxes"][largest]) * pixel_mm
    if width_mm > WIDEST_MM:
        raise InputError(
            "What the picture shows would be {width_mm:.0f} mm wide with such pixels; no CT image is wider "
            "than {widest_mm:.0f} mm. Give the size of one pixel of this picture, and cut off what "
            "surrounds the CT image.",
            width_mm=width_mm,
            widest_mm=WIDEST_MM,
        )
    if areas.size > 1 and np.sort(areas)[-2] > _ALIKE * areas[largest - 1]:
        raise InputError("The picture shows several images side by side. Give one of them alone.")
