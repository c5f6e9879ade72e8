"""Flags on what was read: choice of the series, repairs of the stack, what the headers lack."""

from KidneySegLib.flags.kinds import counted, info, warning
from KidneySegLib.flags.series import (
    DERIVATION_WORDS,
    PHASE,
    REASONS,
    SERIES_LIST,
    SERIES_OPTION,
)
from KidneySegLib.flags.values import number, numbers, significant, word

READING = {
    "only_ct_volume": info("Of several series, {series} was read: it is the only CT volume. Left out: {others}."),
    "series_left_out": warning(
        "Of several series, {series} was read: {reason}. Left out: {others}. If another one was meant, name it, such "
        "as {option}.",
        reason=word(REASONS),
        option=SERIES_OPTION,
    ),
    "several_phases": info(
        "The exam holds several contrast phases: {phases}. The one that was read: {phase}. Stones are seen best "
        "without contrast medium, masses and cysts in the nephrographic phase.",
        phases=SERIES_LIST,
        phase=PHASE,
    ),
    "computed_images": warning(
        "The headers call these images {kind}: they were computed from the scan, and their densities differ from "
        "those of the original. Stones and masses may be hidden; use the original series if there is one.",
        kind=word(DERIVATION_WORDS),
    ),
    "other_patient": warning(
        "The folder also holds images of another patient, which were left aside. Check that the series that was read "
        "is of the patient who is meant."
    ),
    "several_studies": warning(
        "The folder holds CT series of {count} studies of one patient. Check that the series that was read is of the "
        "study that is meant.",
        count=number("studies"),
    ),
    "unreadable_files": warning(
        counted(
            "{count} damaged DICOM file in the folder could not be read.",
            "{count} damaged DICOM files in the folder could not be read.",
        ),
        count=number("files"),
    ),
    "missing_uids": info("The headers lack unique identifiers, so DICOM results cannot refer to these images."),
    "copies_ignored": info(
        "Copies of the same image were ignored ({count}).",
        count=number("images"),
    ),
    "series_interrupted": warning(
        counted(
            "Slices are missing: {gaps} gap of up to {widest_mm} mm. Only the longest unbroken part was read ({read} "
            "of {total} images, {length_mm} mm), and a kidney may be cut at its end. Transfer the series again if it "
            "should be complete.",
            "Slices are missing: {gaps} gaps of up to {widest_mm} mm. Only the longest unbroken part was read ({read} "
            "of {total} images, {length_mm} mm), and a kidney may be cut at its end. Transfer the series again if it "
            "should be complete.",
            by="gaps",
        ),
        gaps=number("gaps"),
        widest_mm=number("mm", 1),
        read=number("images"),
        total=number("images"),
    ),
    "missing_slices": warning(
        counted(
            "{count} slice is missing (of {total}) and was interpolated from its neighbours, at {places_mm} mm along "
            "the scan.",
            "{count} slices are missing (of {total}) and were interpolated from their neighbours, at {places_mm} mm "
            "along the scan.",
        ),
        count=number("slices"),
        total=number("slices"),
        places_mm=numbers("mm"),
    ),
    "uneven_spacing": warning(
        "The distance between slices varies from {least_mm} to {greatest_mm} mm. The volume was interpolated to an "
        "even {spacing_mm} mm; small details are less certain where slices lie far apart.",
        least_mm=number("mm", 2),
        greatest_mm=number("mm", 2),
        spacing_mm=number("mm", 2),
    ),
    "shifted_slices": warning(
        "The images are displaced sideways by up to {distance_mm} mm. They were moved to their true places on "
        "one straight grid.",
        distance_mm=number("mm", 1),
    ),
    "gantry_tilt": warning(
        "The scan was made with a gantry tilt of {tilt_degrees} degrees. It was resampled to a grid with right "
        "angles, so that distances and volumes are true.",
        tilt_degrees=number("degrees", 1),
    ),
    "tilt_not_in_positions": warning(
        "The header names a gantry tilt of {tilt_degrees} degrees, but the positions of the images show none. Unless "
        "the scanner straightened the series, lengths along the body are wrong.",
        tilt_degrees=number("degrees", 1),
    ),
    "unscanned_gaps": warning(
        "The slices are {thickness_mm} mm thick but {distance_mm} mm apart: what lies between them was not scanned, so "
        "small lesions and stones may be missed and volumes are less certain.",
        thickness_mm=significant("mm"),
        distance_mm=significant("mm"),
    ),
    "region_chosen": info("Only a region that the reader chose was searched, not the whole scan."),
    "straightened": info("The tilted or deformed volume was resampled to a straight grid."),
}
