"""Reading a CT series: find, choose, check, repair, and say what was done."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.exam import Exam, Source
from KidneySegLib.flags import Flag
from KidneySegLib.progress import Share
from KidneySegLib.readers.dicom.finding.choice import choose
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom, scan
from KidneySegLib.readers.dicom.finding.series import SeriesFiles, group
from KidneySegLib.readers.dicom.finding.series_names import named
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.geometry import along_normal, slots
from KidneySegLib.readers.dicom.pixels.compressed_frames import check_declared_size
from KidneySegLib.readers.dicom.pixels.decoding import PixelReader, decide_rescale, storage_flags
from KidneySegLib.readers.dicom.pixels.hounsfield import check_values
from KidneySegLib.readers.dicom.stacking.resampling import fill
from KidneySegLib.readers.dicom.stacking.stack import StackPlan, plan_stack
from KidneySegLib.room_in_memory import check_room
from KidneySegLib.volume import Volume

_SCAN_SHARE = 0.3  # of the progress; headers take about a third as long as pixels


@quiet_pydicom()
def read_ct(path: Path, *, series_uid: str | None = None, progress: Callable[[float], None] | None = None) -> Exam:
    """Reads a CT series as a volume with right angles and even spacing.

    Slices are sorted by their position along the normal (row x column of ImageOrientationPatient), never by file name
    or image number; k grows along that normal. Missing slices, uneven spacing and gantry tilt are repaired by linear
    interpolation and flagged.

    Args:
        path: a folder, searched with its subfolders, or one DICOM file of the series.
        series_uid: the series to read, by UID, number or part of its description (``series_names.named``); without it
            the one that serves best for kidneys.
        progress: called with the share done, 0 to 1; an exception that it raises stops the reading.

    Raises:
        GeometryError: positions, spacing or orientation do not allow a volume.
        InputError: there is no CT series, or it cannot be read.
        ResourceError: the volume needs more memory than is free.
    """
    share = Share(progress or (lambda _: None))
    headers, unreadable = scan(path, share.part(0.0, _SCAN_SHARE))
    if unreadable and not headers:
        raise InputError("The DICOM files are damaged, and none could be read. Copy or export them again.")
    series, flags = _select(group(headers), path, series_uid)
    if unreadable:
        flags.append(Flag.of("unreadable_files", count=unreadable))
    if not all(frame.study_uid and frame.series_uid and frame.sop_instance_uid for frame in series.frames):
        flags.append(Flag.of("missing_uids"))
    reader = PixelReader()
    frames, copy_flags = drop_copies(series.frames, reader)
    plan = plan_stack(frames)
    check_declared_size(plan.frames[0])
    check_room(math.prod(plan.shape) * np.dtype(np.int16).itemsize)
    rescale, rescale_flags = decide_rescale(plan.frames, reader)
    voxels = fill(plan, lambda n: reader.hounsfield(plan.frames[n], rescale), share.part(_SCAN_SHARE, 1.0))
    flags += [*copy_flags, *plan.flags, *rescale_flags, *storage_flags(plan.frames, voxels), *check_values(voxels)]
    return Exam(Volume(voxels, plan.ijk_to_lps), flags, source_of(plan))


def drop_copies(frames: Sequence[FrameHeader], reader: PixelReader) -> tuple[list[FrameHeader], list[Flag]]:
    """Keeps one image per position where the others are the same, pixel by pixel.

    Raises:
        GeometryError: images at the same position differ and nothing tells them apart.
    """
    places: dict[int, list[FrameHeader]] = {}
    for frame, place in zip(frames, slots(along_normal(frames)).tolist(), strict=True):
        places.setdefault(place, []).append(frame)
    for images in places.values():
        if len(images) > 1 and not _all_same(images, reader):
            raise GeometryError(
                "The series holds different images at the same position, and the headers do not say which belong "
                "together. Export each phase as a separate series."
            )
    copies = len(frames) - len(places)
    flags = [Flag.of("copies_ignored", count=copies)] if copies else []
    return [images[0] for images in places.values()], flags


def _all_same(images: Sequence[FrameHeader], reader: PixelReader) -> bool:
    first, pixels = images[0], reader.raw(images[0])
    return all(
        (other.slope, other.intercept) == (first.slope, first.intercept) and np.array_equal(pixels, reader.raw(other))
        for other in images[1:]
    )


def source_of(plan: StackPlan) -> Source:
    """Describes where the volume of a plan comes from."""
    images: list[FrameHeader | None] = list(plan.frames)
    if not plan.is_resampled:
        behind = dict(zip(plan.along.tolist(), plan.frames, strict=True))
        images = [behind.get(target) for target in plan.targets.tolist()]
    return source_of_images(plan.frames[0], images, resampled=plan.is_resampled)


def source_of_images(first: FrameHeader, images: Sequence[FrameHeader | None], *, resampled: bool) -> Source:
    """Describes where slices come from.

    Args:
        first: an image of the series.
        images: the image behind each slice, None where it was interpolated.
        resampled: whether the slices no longer are those of the images.
    """
    return Source(
        modality=first.modality,
        study_uid=first.study_uid,
        series_uid=first.series_uid,
        frame_of_reference_uid=first.frame_of_reference_uid,
        sop_class_uid=first.sop_class_uid,
        sop_instance_uids=tuple(image.sop_instance_uid if image else "" for image in images),
        frame_numbers=tuple(image.frame + 1 if image else 0 for image in images) if first.multiframe else (),
        resampled=resampled,
        manufacturer=first.manufacturer,
        model=first.model,
        kernel=first.kernel,
        body_part=first.body_part,
        kvp=first.kvp,
        contrast=first.contrast,
        slice_thickness=first.thickness,
    )


def _select(series: list[SeriesFiles], path: Path, wanted: str | None) -> tuple[SeriesFiles, list[Flag]]:
    """Returns the series that was asked for: by its name, by one of its files, or the best one."""
    if wanted is not None:
        series = named(series, wanted)
    if path.is_file():
        series = [candidate for candidate in series if path in candidate.files]
    return choose(series, named=wanted is not None or path.is_file())
