"""The lines that lengths were measured along, as coordinates in a report (PS3.16 TID 320).

Every line stands in patient coordinates, which nobody has to convert. The two axial diameters of a finding also stand
as pixels of the image that they lie on, since viewers that show image by image draw nothing else; pixels come first,
as such viewers take the first coordinates that they find. Some of OHIF's ways (3.13) decide when they are there:

- a finding whose first line is in patient coordinates must have no pixels at all, or the whole viewer stops;
- it takes the distance of rows for that of columns, so pixels that are not square would put the line elsewhere;
- a length that leaves the image is drawn into it all the same, so it is never the first;
- a group without any coordinates stops the list, so a finding whose sizes are all cut by the image has its centre.
"""

import math
from collections.abc import Sequence

import numpy as np
from highdicom.sr import (
    ContentSequence,
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    NumContentItem,
    SourceImageForMeasurement,
    SourceImageForRegion,
)
from pydicom.sr.codedict import codes

from KidneySegLib.findings import Point
from KidneySegLib.interchange.codes import LONG_AXIS, SHORT_AXIS
from KidneySegLib.interchange.measurements import Line, NumericMeasurement
from KidneySegLib.interchange.planes import Planes
from KidneySegLib.interchange.source_images import SourceImages

AXIAL = (LONG_AXIS, SHORT_AXIS)


def image_of_axes(numbers: Sequence[NumericMeasurement], planes: Planes, source: SourceImages) -> int | None:
    """Returns the number of the image whose pixels give a finding's axial diameters, None where none can.

    Args:
        numbers: the finding's.
        planes: where the label map's slices lie.
        source: the images.
    """
    spacing = source.frames[0].pixel_spacing or (math.nan, math.nan)
    points: list[Point] = [point for number in numbers if number.name in AXIAL and number.line for point in number.line]
    if not points or not math.isclose(*spacing, rel_tol=1e-4):
        return None
    return planes.image_with(points)


def add_line(
    item: NumContentItem, number: NumericMeasurement, image: int | None, planes: Planes, source: SourceImages
) -> None:
    """Adds the line that a length was measured along to its item.

    TID 1419, which holds measures of a segment, has no such row but may be extended; highdicom makes only what the
    template lists, so the line is added to the finished item.

    Args:
        item: the finished item.
        number: what it says, with a line.
        image: from ``image_of_axes``.
        planes: where the label map's slices lie.
        source: the images.
    """
    assert number.line is not None
    content = ContentSequence(item.get("ContentSequence", ()))
    if image is not None and number.name in AXIAL:
        content.append(in_image(number.line, image, planes, source))
    content.append(in_space(number.line, source))
    place = planes.image_with(number.line)
    if place is not None:
        content.append(SourceImageForMeasurement(*source.frames[place].reference))
    item.ContentSequence = content


def add_centre(item: NumContentItem, centre: Point, source: SourceImages) -> None:
    """Adds to the first number of a finding without lines where the finding is: its centre in mm LPS."""
    uid = source.frame_of_reference_uid
    point = CoordinatesForMeasurement3D("POINT", np.array([centre]), uid, purpose=codes.DCM.Center)
    item.ContentSequence = ContentSequence([*item.get("ContentSequence", ()), point])


def in_image(line: Line, image: int, planes: Planes, source: SourceImages) -> CoordinatesForMeasurement:
    """Returns a line as pixels of the image that it lies on."""
    return CoordinatesForMeasurement(
        "POLYLINE", planes.pixels(line), SourceImageForRegion(*source.frames[image].reference)
    )


def in_space(line: Line, source: SourceImages) -> CoordinatesForMeasurement3D:
    """Returns a line in mm LPS of the images' frame of reference."""
    return CoordinatesForMeasurement3D("POLYLINE", np.array(line), source.frame_of_reference_uid)
