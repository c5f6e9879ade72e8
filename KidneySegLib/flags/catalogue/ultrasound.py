"""Flags on ultrasound images: pixel sizes, regions, frames, and what one plane can tell."""

from KidneySegLib.flags.kinds import Sentence, counted, info, warning
from KidneySegLib.flags.values import PERCENT, all_of, number, numbers, significant, word
from KidneySegLib.languages.language import N_
from KidneySegLib.languages.words import PICTURE_ENDS

_REASONS = {
    "units": N_("The header gives the axes of the region in other units than centimetres"),
    "missing": N_("The header gives the region no pixel size"),
    "zero": N_("The header gives the region pixels without extent"),
    "implausible": N_("The header gives pixels of a size that no ultrasound image has"),
    "contradiction": N_("The header gives the same pixels two sizes"),
}
_FRAME = number("number of the frame")

ULTRASOUND = {
    "not_calibrated": warning(
        Sentence(
            "The image does not state its pixel size: lengths and areas are in pixels, not in millimetres. Give the "
            "size with --pixel-mm if it is known.",
            {"spacing": False},
        ),
        Sentence(
            "The header has a pixel spacing, but not where the standard makes it a length in the patient: lengths and "
            "areas are in pixels, not in millimetres. Give it with --pixel-mm if it is known to be right.",
            {"spacing": True},
        ),
    ),
    "region_not_calibrated": warning(
        "{reason}: lengths and areas are in pixels, not in millimetres. Give the pixel size with --pixel-mm if it is "
        "known.",
        reason=word(_REASONS),
    ),
    "pixels_not_square": info(
        "The header gives pixels that are {ratio} times as high as wide. A given pixel size is their width, and "
        "lengths in pixels count widths.",
        ratio=significant("height in widths", 3),
    ),
    "tissue_regions_left_out": warning(
        "The image holds several B-mode regions. Region {region} was measured; left out: {others}. Use --region to "
        "measure another one.",
        region=number("number in the header"),
        others=numbers("numbers in the header", 0),
    ),
    "region_axes_reversed": info(
        "In the header an axis of the region runs opposite to its pixels, which changes no length."
    ),
    "regions_ignored": info(
        counted(
            "{count} region of the header lies outside the image, has no corners, or is named twice.",
            "{count} regions of the header lie outside the image, have no corners, or are named twice.",
        ),
        count=number("regions"),
    ),
    "frames_left_out": warning(
        counted(
            "{count} frame shows another region or has another pixel size than most frames (the first of which is "
            "frame {first}), and was left out. Use --frame to measure one frame alone.",
            "{count} frames show another region or have another pixel size than most frames (the first of which is "
            "frame {first}), and were left out. Use --frame to measure one frame alone.",
        ),
        count=number("frames"),
        first=_FRAME,
    ),
    "frames_thinned": info(
        "The loop has {count} frames, of which one in {step} was read.",
        count=number("frames"),
        step=number("frames"),
    ),
    "colours_in_image": warning(
        "Colours, such as those of a Doppler box, cover {share} of the image. The tissue below them is not seen: check "
        "the outline.",
        share=PERCENT,
    ),
}
# What describing a label map says, and so says anew of a corrected one.
ULTRASOUND_VIEWS = {
    "loop_frame_proposed": info(
        "Of {count} frames of the loop, {found} show a kidney. Frame {frame} is proposed and measured: among the "
        "longest outlines it has the clearest border. Use --frame to measure another one.",
        count=number("frames"),
        found=number("frames"),
        frame=_FRAME,
    ),
    "one_plane": info(
        "Length, width and area are those of the outline in this plane. They are those of the kidney only if the plane "
        "passes through both poles."
    ),
    "outline_cut": warning(
        "The kidney reaches the end of what the image shows ({ends}): its length is at least what is seen, and width "
        "and area are those of the part.",
        ends=all_of(PICTURE_ENDS),
    ),
    "outline_in_pieces": warning(
        "The outline of the kidney is in {count} pieces, and length and width span all of them. Check that none was "
        "drawn by mistake.",
        count=number("pieces"),
    ),
    "length_unusual": warning(
        "The kidney would be {length_mm} mm long, which is unusual. Check the outline, whether the plane is "
        "longitudinal, and the pixel size.",
        length_mm=number("mm"),
    ),
}
ULTRASOUND_VOLUME = {
    "ellipsoid_volume": info(
        "The volume is that of an ellipsoid (length × width × depth × π/6, from two views). Such volumes lie 17 to 20% "
        "below those of MRI in healthy kidneys (Cheong et al., ISMRM 2006)."
    ),
    "views_of_two_studies": warning(
        "The two views are of different studies. Check that both are of one kidney on one day."
    ),
    "views_alike": warning(
        "The kidney measures {length_mm} mm along and {width_mm} mm across, which no usual kidney does: both views run "
        "along it, or they are exchanged. Check them before the volume is used.",
        length_mm=number("mm"),
        width_mm=number("mm"),
    ),
    "views_not_tied": warning(
        "The images do not show that both views are of one patient and one kidney. Check this before the volume is "
        "used."
    ),
}
