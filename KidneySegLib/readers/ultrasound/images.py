"""Reading an ultrasound image or loop from DICOM: frames, the region that is measured, its pixel size."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam, Source, Units
from KidneySegLib.flags import Flag
from KidneySegLib.readers.dicom.finding.choice import MODALITY_NAMES
from KidneySegLib.readers.dicom.finding.scan import files_below, is_dicom_file, read_headers
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.pixels.compressed_frames import check_declared_size
from KidneySegLib.readers.dicom.pixels.decoding import PixelReader
from KidneySegLib.readers.ultrasound.field_of_view import FieldOfView, RegionError
from KidneySegLib.readers.ultrasound.grey import read_grey, used_bits
from KidneySegLib.readers.ultrasound.headers import UltrasoundHeader, field_of_view, read_ultrasound_header
from KidneySegLib.readers.ultrasound.modality import ULTRASOUND, modality_of
from KidneySegLib.room_in_memory import check_room
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

# Extent along k, where there is nothing but time; it keeps the grid valid and measures nothing.
PLACEHOLDER_MM = 1.0
# Of a longer loop every second (third, ...) frame is read, so that time and memory stay bounded: 300 frames of
# 1024 x 768 pixels take 0.25 GB, and show ten seconds at 30 frames a second.
MOST_FRAMES = 300
# Colours in less of the image than this are marks; more are a Doppler box, whose tissue is not seen.
COLOURED_SHARE = 0.01

_View = tuple[FieldOfView, list[Flag]]


def read_ultrasound(
    path: Path,
    *,
    region: int | None = None,
    frame: int | None = None,
    pixel_mm: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Exam:
    """Reads one ultrasound image or loop as grey values, uint8 ``(k, j, i)``: k counts the frames of a loop.

    The grid has the pixel size of the region that is measured, or 1 where it is not known (``settings["calibrated"]``);
    its other directions are those of the picture and not the patient's.

    Args:
        path: a DICOM file, or a folder that holds just one.
        region: number of the region to measure; None takes the largest 2D region of tissue.
        frame: number of the one frame to read, from 1; None reads all.
        pixel_mm: pixel size, for an image that does not state its own.
        progress: called with the share done, 0 to 1; an exception that it raises stops the reading.

    Raises:
        InputError: it is not an ultrasound image, is damaged, or has no 2D region of tissue; or an option does not fit.
        ResourceError: the loop needs more memory than is free.
    """
    every = _frames(_one_file(path))
    header = read_ultrasound_header(every[0].path, len(every))
    frames = every if frame is None else _wanted(every, frame)
    view, more, kept, flags = _of_one_view(_views(header, frames, region, pixel_mm))
    first = kept[0]
    step = -(-len(kept) // MOST_FRAMES)
    if step > 1:
        flags.append(Flag.of("frames_thinned", count=len(kept), step=step))
    kept = kept[::step]
    voxels, coloured = _read(kept, view, progress or (lambda _: None))
    if coloured > COLOURED_SHARE:
        flags.append(Flag.of("colours_in_image", share=coloured))
    if not all((first.study_uid, first.series_uid, first.sop_instance_uid)):
        flags.append(Flag.of("missing_uids"))
    return ultrasound_exam(
        voxels,
        view,
        [*more, *flags],
        source=_source(kept),
        side=header.side,
        told={"region": region, "frame": frame, "pixel_mm": pixel_mm},
    )


def ultrasound_exam(
    voxels: np.ndarray,
    view: FieldOfView,
    flags: Sequence[Flag],
    *,
    source: Source,
    told: dict[str, Any],
    side: Side | None = None,
    kind: str = "dicom",
) -> Exam:
    """Returns an exam of grey values, with what later steps need of its field of view among its settings."""
    x, y = view.pixel
    settings = {
        "modality": ULTRASOUND,
        "units": Units.GREY.value,
        "calibrated": view.pixel_mm is not None,
        "in_patient": False,
        "side": side.value if side else None,
        "measured": list(view.rectangle),
        "excluded": [list(rectangle) for rectangle in view.excluded],
        **told,
    }
    grid = np.diag([x, y, PLACEHOLDER_MM, 1.0])
    return Exam(Volume(voxels, grid), flags, source, kind, units=Units.GREY, thickness_known=False, settings=settings)


def _one_file(path: Path) -> Path:
    if not path.exists():
        raise InputError("The file or folder does not exist. Check the path.")
    if path.is_file():
        if not is_dicom_file(path):
            raise InputError(
                "The file is neither DICOM nor a PNG or JPEG picture. Choose an ultrasound image, a loop or a picture."
            )
        return path
    files = [file for file in files_below(path)[0] if is_dicom_file(file)]
    if len(files) != 1:
        raise InputError(
            "The folder holds {count} DICOM files, but one ultrasound image or loop is measured at a time. "
            "Choose one file.",
            count=len(files),
        )
    return files[0]


def _frames(path: Path) -> list[FrameHeader]:
    frames = read_headers(path)
    if not frames:
        raise InputError("The file is a DICOMDIR, a list of images. Choose one ultrasound image.")
    first = frames[0]
    if modality_of(first) != ULTRASOUND:
        name = MODALITY_NAMES.get(first.modality)
        what = f"{first.modality} ({name})" if name else (first.modality or "of unknown modality")
        raise InputError("The image is {what}; an ultrasound image (US) is needed.", what=what)
    if not (first.rows and first.columns):
        raise InputError("The DICOM file holds no image. Choose an ultrasound image or loop.")
    check_declared_size(first)
    return frames


def _wanted(frames: list[FrameHeader], wanted: int) -> list[FrameHeader]:
    if not 1 <= wanted <= len(frames):
        raise InputError(
            "There is no frame {wanted}: the image has {count}. Choose another --frame.",
            wanted=wanted,
            count=len(frames),
        )
    return [frames[wanted - 1]]


def _views(
    header: UltrasoundHeader, frames: list[FrameHeader], region: int | None, pixel_mm: float | None
) -> list[tuple[FrameHeader, _View | None]]:
    """Returns what is measured of each frame, None where there is nothing; most loops say it once for all.

    Raises:
        RegionError: no frame has anything to measure.
    """
    found: dict[tuple[int, object], _View | RegionError] = {}
    views: list[tuple[FrameHeader, _View | None]] = []
    for one in frames:
        said = id(header.regions[one.frame]), header.spacings[one.frame]
        if said not in found:
            try:
                found[said] = field_of_view(header, one, region, pixel_mm)
            except RegionError as error:
                found[said] = error
        view = found[said]
        views.append((one, None if isinstance(view, RegionError) else view))
    errors = [error for error in found.values() if isinstance(error, RegionError)]
    if len(errors) == len(found):
        raise errors[0]
    return views


def _of_one_view(
    views: list[tuple[FrameHeader, _View | None]],
) -> tuple[FieldOfView, list[Flag], list[FrameHeader], list[Flag]]:
    """Returns the most frequent field of view, its flags, the frames that have it, and what is said of the others.

    Others have other pixels, other places, or nothing that can be measured.
    """
    groups: list[tuple[_View, list[FrameHeader]]] = []
    for frame, said in views:
        if said is None:
            continue
        group = next((group for group in groups if group[0][0].is_like(said[0])), None)
        if group is None:
            groups.append((said, [frame]))
        else:
            group[1].append(frame)
    (view, flags), most = max(groups, key=lambda group: len(group[1]))
    left_out = len(views) - len(most)
    more = [Flag.of("frames_left_out", count=left_out, first=most[0].frame + 1)] if left_out else []
    return view, flags, most, more


def _read(
    frames: Sequence[FrameHeader], view: FieldOfView, progress: Callable[[float], None]
) -> tuple[np.ndarray, float]:
    """Returns grey values and the greatest share of the measured part that has colours in a frame."""
    first = frames[0]
    check_room(len(frames) * first.rows * first.columns)
    inside = view.mask((first.rows, first.columns))
    voxels = np.zeros((len(frames), first.rows, first.columns), np.uint8)
    reader, coloured = PixelReader(), 0.0
    bits = used_bits(reader, frames)
    for k, frame in enumerate(frames):
        voxels[k], colours = read_grey(reader, frame, bits)
        coloured = max(coloured, float(colours[inside].mean()) if inside.any() else 0.0)
        progress((k + 1) / len(frames))
    return voxels, coloured


def _source(frames: Sequence[FrameHeader]) -> Source:
    first = frames[0]
    return Source(
        modality=modality_of(first),
        study_uid=first.study_uid,
        series_uid=first.series_uid,
        sop_class_uid=first.sop_class_uid,
        sop_instance_uids=tuple(frame.sop_instance_uid for frame in frames),
        frame_numbers=tuple(frame.frame + 1 for frame in frames) if first.multiframe else (),
        manufacturer=first.manufacturer,
        model=first.model,
        body_part=first.body_part,
    )
