"""Flags on the image's values: whether they are Hounsfield units, what was cut off, noise, slices, pictures."""

from KidneySegLib.flags.kinds import error, info, warning
from KidneySegLib.flags.values import number, significant

IMAGE = {
    "rescale_assumed": warning(
        "The header has no rescale values. Judging by air and soft tissue, an intercept of {intercept_hu} was "
        "assumed; check that fluid and fat have plausible Hounsfield units.",
        "The values have air near 0 and soft tissue near {subtracted_hu}, so {subtracted_hu} was subtracted to make "
        "them Hounsfield units; check that fluid and fat have plausible values.",
    ),
    "negatives_wrapped": warning(
        "Negative Hounsfield units had been stored as large positive numbers, without their sign; they were restored. "
        "Check that fluid and fat have plausible values."
    ),
    "negatives_lost": error(
        "All negative Hounsfield units are missing: they were cut off at 0 when the image was saved, so fat and air "
        "look alike. Use the original CT."
    ),
    "not_hounsfield": error(
        "The values lie between {low} and {high}: they are grey levels for display, not Hounsfield units. Results "
        "from such images are not reliable; use the original CT.",
        "The values do not look like Hounsfield units (no air below 0 or no tissue above). Check the image.",
        low=number("grey levels"),
        high=number("grey levels"),
    ),
    "values_scaled": error(
        "The values reach down to {lowest}, far below air: they were multiplied or normalised and are not Hounsfield "
        "units. Results from such images are not reliable; use the original CT.",
        "Air has values near {air} instead of -1000: the values were multiplied or normalised and are not "
        "Hounsfield units. Results from such images are not reliable; use the original CT.",
        "The values lie too close together for fat, soft tissue and bone: they were multiplied or normalised and are "
        "not Hounsfield units. Results from such images are not reliable; use the original CT.",
        lowest=number("values of the image"),
        air=number("values of the image"),
    ),
    "values_clipped": warning(
        "The image only holds values from {low_hu} to {high_hu} HU, as if it had been exported with a display window. "
        "Densities in HU are not reliable, and stones cannot be measured.",
        "All values below {low_hu} HU were cut off before the image was saved: fat and air look alike.",
    ),
    "lossy_compression": info("The images were compressed with loss; small differences in density may be lost."),
    "inverted_display": info(
        "The images are marked for inverted display; their Hounsfield units were taken as stored."
    ),
    "thick_slices": warning(
        "The slices are {spacing_mm} mm apart. Small lesions may be missed and lengths along the body are coarse; use "
        "a thinner reconstruction if there is one.",
        spacing_mm=number("mm", 1),
    ),
    "noise": warning(
        "The image is noisy (about {noise_hu} HU in soft tissue), so borders are less certain. A softer kernel or "
        "thicker slices may help."
    ),
    "single_slice": info(
        "This is a single slice: lengths are the longest within it, and volumes are those of the slab of "
        "{thickness_mm} mm that the header states. Neither is the size of the whole kidney or stone.",
        "This is a single slice: lengths are the longest within it, and its thickness is not known, so volumes are "
        "left empty. Neither is the size of the whole kidney or stone.",
        thickness_mm=significant("mm", 6),
    ),
    "grey_values": warning(
        "The picture holds grey values, not Hounsfield units. Its display window is not known; a width of {width_hu} "
        "HU was assumed. Densities are estimates, everything denser than white looks alike, and a wrong window "
        "changes which pixels count as stone.",
        "The picture holds grey values, not Hounsfield units. Black was taken for {low_hu} HU and white for {high_hu} "
        "HU, as given. Densities are estimates, everything denser than white looks alike, and a wrong window "
        "changes which pixels count as stone.",
    ),
    "scale_from_kidneys": warning(
        "The HU scale was set by the kidneys: they were assigned {kidney_hu} HU, as without contrast medium (a shift "
        "of {offset_hu} HU). In a scan with contrast medium all densities are then too low, and stones can be missed; "
        "give the window with --window if it is known."
    ),
    "sides_assumed": warning(
        "The picture does not say where the patient's sides are. The usual display was assumed: seen from the "
        "feet, the patient's right on the picture's left, the front at the top."
    ),
    "pixel_size_given": info(
        "All lengths are based on the pixel size that was given: {pixel_mm} mm.",
        pixel_mm=significant("mm", 6),
    ),
}
