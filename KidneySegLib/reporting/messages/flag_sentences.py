"""The sentences of flags before they are filled, and parts of them, for the catalogues."""

from __future__ import annotations

from KidneySegLib.reporting.messages.translations import N_

SENTENCES = (
    # kidneys
    N_("No kidney was found in this image."),
    N_(
        "Only the {side} kidney was found. The {other} one may be absent, outside the image, elsewhere in the body,"
        " or missed: please look."
    ),
    N_(
        "The {side} kidney reaches the end of the image towards {ends}: part of it may be missing. Its volume is then "
        "too small, and its length is not known: {seen} mm are seen along the body."
    ),
    N_(
        "The {side} kidney reaches the end of the image towards {ends}: part of it may be missing. Its volume is then "
        "too small, and its length is not known."
    ),
    N_(
        "The {side} kidney has an unusual volume of {volume} (usual: {smallest} to {largest} ml). {cause}: please look."
    ),
    N_("The {larger} kidney is {ratio} times as large as the {smaller} one ({volume}; {other_volume})."),
    N_("The outline of the {side} kidney is uncertain: check it slice by slice."),
    N_(
        "What was outlined as the {side} kidney is doubtful: it may be another organ, a diseased kidney, or only a "
        "part of one. Check it, and what was found in it, before the numbers are used."
    ),
    N_("Something like a kidney was located on the {side} side, but {reason}: it was left out. Check that side."),
    N_(
        "One kidney-like organ crosses the midline (horseshoe or fused kidney?). It was divided at the midline into"
        " right and left; check the border."
    ),
    N_("One kidney lies much lower than the other (pelvic kidney, transplant, or a wrong structure): check both."),
    N_(
        "A further kidney-like organ of about {volume} ml lies on the {side} side (transplant, second kidney, or "
        "another organ). It is not part of the result: check it."
    ),
    # masses and cysts
    N_("{lesion} reaches the end of the image towards {ends}: it may be larger than measured."),
    N_("{lesion} is uncertain (confidence {confidence}): it may be something else. Check it."),
    N_(
        "{lesion} lies on a side where no kidney was found. Its side follows from the body's midline; its place in "
        "the kidney is not known."
    ),
    N_(
        "{lesion} lies in what may be no kidney: it may be a part of another organ, such as the liver. Check both "
        "before it is reported."
    ),
    N_("{lesion} has {median} HU (median): more than {limit} HU is not a simple cyst by density. Characterise it."),
    N_(
        "The {side} kidney is not whole in the image: upper, inter and lower pole of its lesions refer to the part "
        "that is there."
    ),
    N_("This model knows no solid masses and cysts: none were looked for. They lie in the outline or are left out."),
    N_("1 region that may be a mass or cyst was not counted ({place}). Please look."),
    N_("{count} regions that may be masses or cysts were not counted (the largest: {place}). Please look."),
    N_("1 group of voxels labelled {structure} is smaller than {limit} mm and not listed as a finding."),
    N_("{count} groups of voxels labelled {structure} are smaller than {limit} mm and not listed as a finding."),
    # contrast phase and stones
    N_(
        "The contrast phase could not be told. Without it, enhancement of lesions cannot be judged from this image,"
        " and excreted contrast medium could hide stones."
    ),
    N_(
        "This is {probably}a scan without contrast medium. Solid masses as dense as the kidney do not stand out and"
        " may be missed, and whether a lesion enhances cannot be known."
    ),
    N_(
        "This is {probably}a scan with contrast medium ({phase} phase). Small stones may be hidden, and the "
        "densities of stones are not those of a scan without contrast medium."
    ),
    N_(
        "This is {probably}a scan with contrast medium in the collecting system (excretory phase). Stones beside or"
        " inside it cannot be seen, and the densities of stones are not those of a scan without contrast medium."
    ),
    N_(
        "This is {probably}the corticomedullary phase. Small masses in the medulla may be missed; the nephrographic"
        " phase shows them better."
    ),
    N_(
        "Contrast medium was excreted into the collecting system and hides stones: none were looked for. Stones are"
        " read on a scan without contrast medium."
    ),
    N_(
        "The scan seems to be enhanced by contrast medium, and its values end at a display window below the density"
        " by which stones could be told from it: none were looked for."
    ),
    N_(
        "There is something dense in the collecting system of a scan with contrast medium: it can be excreted "
        "contrast medium or stones, and was not labelled. Please look."
    ),
    N_(
        "There is something dense, long and thin: it may be a stent, a nephrostomy tube, or a row of stones. It was "
        "not taken for a stone; stones that touch it can be hidden. Please look."
    ),
    N_(
        "Thin dense lines beside the collecting system were not taken for stones: they look like calcium in the wall "
        "of an artery."
    ),
    N_(
        "Something dense in or at a mass or cyst was not taken for a stone: it can be calcium in its wall, or a stone "
        "in a dilated calyx that was taken for a cyst. Please look."
    ),
    N_(
        "Something dense where the ureter runs was not taken for a stone, because of its size or shape or of what lies "
        "around it: it may be calcium in a vessel or lymph node, contrast medium in the bowel, or a stone. Please look."
    ),
    N_(
        "Something as dense as a stone is larger than {limit} ml and was not taken for one: it may be contrast medium, "
        "a calcified kidney, or a very large stone. Please look."
    ),
    N_("Something that was outlined as a stone is as dense as metal: it may be a clip, a coil or a tube. Please look."),
    N_("The scan seems to be in the {phase} contrast phase: small stones can be hidden by contrast medium."),
    N_("The contrast phase is not certain, so only very dense stones were looked for."),
    # corrections
    N_("{structure}: corrected by the reader (Dice with the network's version {dice})."),
    # orientation
    N_(
        "The anatomy contradicts the image's header: by the header {what}. The patient's position in the header is "
        "wrong (prone called supine, feet first called head first), or the image was turned or mirrored. Right and "
        "left are the header's only (header-right, header-left), and outlines can be wrong. Correct the header and "
        "run again."
    ),
    N_(
        "The liver seems to lie on the patient's left: the image is mirrored, or the organs are (situs inversus). "
        "Sides are given as the header has them (header-right, header-left): check them."
    ),
    N_(
        "The {side} kidney was drawn on the other side of the body: its label may be wrong, or the kidney lies there. "
        "Check the labels (1 right kidney, 2 left kidney)."
    ),
    N_(
        "The {side} kidney was drawn on both sides of the body: its label may be wrong, or the kidney lies there. "
        "Check the labels (1 right kidney, 2 left kidney)."
    ),
    N_(
        "{lesion} has the size and shape of a kidney, and no kidney is outlined on its side: its label may mean a "
        "kidney. Check it."
    ),
    N_(
        "The label numbers look like TotalSegmentator's (2 right kidney, 3 left kidney). If they are, measure with "
        "--numbering totalsegmentator."
    ),
    N_(
        "The label numbers look like those of KiTS (1 both kidneys, 2 tumour, 3 cyst). If they are, measure with "
        "--numbering kits."
    ),
    # image
    N_(
        "The image only holds values from {low} to {high} HU, as if it had been exported with a display window. "
        "Densities in HU are not reliable, and stones cannot be measured."
    ),
    N_(
        "The values were clipped to {low} to {high} HU before the image was saved: stones and fat cannot be told by"
        " their density."
    ),
    N_(
        "The values lie between 0 and 255: they are grey levels for display, not Hounsfield units. Results from "
        "such images are not reliable; use the original CT."
    ),
    N_("The values do not look like Hounsfield units (no air below 0 or no tissue above). Check the image."),
    N_(
        "The slices are {spacing} mm apart. Small lesions may be missed and lengths along the body are coarse; use "
        "a thinner reconstruction if there is one."
    ),
    N_(
        "The image is noisy (about {level} HU in soft tissue), so borders are less certain. A softer kernel or "
        "thicker slices may help."
    ),
    N_(
        "Memory was short: the {network} network ran in pieces of {smaller} instead of {usual} voxels. The outline "
        "may be a little less exact."
    ),
    # choice of the series
    N_("Of several series, {series} was read: it is the only CT volume. Left out: {others}."),
    N_(
        "Of several series, {series} was read: {reason}. Left out: {others}. If another one was meant, name it, "
        "such as {option}."
    ),
    N_(
        "The exam holds several contrast phases: {phases}. The one that was read: {phase}. Stones are seen best "
        "without contrast medium, masses and cysts in the nephrographic phase."
    ),
    N_(
        "The headers call these images {kind}: they were computed from the scan, and their densities differ from those "
        "of the original. Stones and masses may be hidden; use the original series if there is one."
    ),
    N_(
        "The folder also holds images of another patient, which were left aside. Check that the series that was "
        "read is of the patient who is meant."
    ),
    N_(
        "The folder holds CT series of {count} studies of one patient. Check that the series that was read is of the "
        "study that is meant."
    ),
    # reading
    N_("1 damaged DICOM file in the folder could not be read."),
    N_("{count} damaged DICOM files in the folder could not be read."),
    N_("The headers lack unique identifiers, so DICOM results cannot refer to these images."),
    N_("Copies of the same image were ignored ({count})."),
    N_(
        "The header has no rescale values. Judging by air and soft tissue, an intercept of {offset} was assumed; "
        "check that fluid and fat have plausible Hounsfield units."
    ),
    N_(
        "The values have air near 0 and soft tissue near {offset}, so {taken} was subtracted to make them Hounsfield "
        "units; check that fluid and fat have plausible values."
    ),
    N_("The images were compressed with loss; small differences of density may be gone."),
    N_("The images are marked for inverted display; their Hounsfield units were taken as stored."),
    N_(
        "The distance of the slices varies from {least} to {most} mm. The volume was interpolated to an even "
        "{spacing} mm; small details are less certain where slices lie far apart."
    ),
    N_("1 slice is missing (of {total}) and was interpolated from its neighbours, at {places} mm along the scan."),
    N_(
        "{count} slices are missing (of {total}) and were interpolated from their neighbours, at {places} mm along "
        "the scan."
    ),
    N_(
        "The images lie up to {distance} mm beside each other. They were moved to their true places on one straight"
        " grid."
    ),
    N_(
        "The scan was made with a gantry tilt of {degrees} degrees. It was resampled to a grid with right angles, "
        "so that distances and volumes are true."
    ),
    N_(
        "The header names a gantry tilt of {degrees} degrees, but the positions of the images show none. Unless the"
        " scanner straightened the series, lengths along the body are off."
    ),
    N_(
        "The slices are {thickness} mm thick but {distance} mm apart: what lies between was not seen, so small "
        "lesions and stones may be missed and volumes are less certain."
    ),
    # values and label maps of image files
    N_(
        "Negative Hounsfield units had been stored as large positive numbers, without their sign; they were restored. "
        "Check that fluid and fat have plausible values."
    ),
    N_(
        "All negative Hounsfield units are missing: they were cut off at 0 when the image was saved, so fat and air "
        "look alike. Use the original CT."
    ),
    N_(
        "The values {evidence}: they were multiplied or normalised and are not Hounsfield units. Results from such "
        "images are not reliable; use the original CT."
    ),
    N_("All values below {low} HU were cut off before the image was saved: fat and air look alike."),
    N_(
        "Segments overlapped in {voxels} voxels. Each was counted once: stone before cyst, cyst before solid mass, "
        "solid mass before kidney."
    ),
    N_("The right and the left kidney overlapped in the label map: check both outlines."),
    N_("Labels 23 and 24 are as dense as bone: they were taken for vertebrae, as TotalSegmentator 1 has them."),
    N_(
        "The label map does not tell the right kidney from the left one: the body's middle in the image decided. Check "
        "the sides."
    ),
    # single slices
    N_(
        "This is a single slice: lengths are the longest within it, and volumes are those of the slab of "
        "{thickness} mm that the header states. Neither is the size of the whole kidney or stone."
    ),
    N_(
        "This is a single slice: lengths are the longest within it, and its thickness is not known, so volumes are "
        "left empty. Neither is the size of the whole kidney or stone."
    ),
    N_("The outline of a kidney is uncertain in this slice: check it."),
    N_(
        "1 region of {area} mm² that may be kidney was left out. Kept are the two largest regions of at least {least} "
        "mm². Please look."
    ),
    N_(
        "{count} regions that may be kidney were left out, the largest of {area} mm². Kept are the two largest regions "
        "of at least {least} mm². Please look."
    ),
    N_(
        "Both regions lie on one side of the spine and were taken for two parts of one kidney. One of them may be "
        "another organ: check it."
    ),
    N_(
        "The HU scale was set by the kidneys: they were given {kidney} HU, as without contrast medium (moved by "
        "{offset} HU). In a scan with contrast medium all densities are then too low, and stones can be missed; "
        "give the window with --window if it is known."
    ),
    N_(
        "The picture holds grey values, not Hounsfield units. {basis}. Densities are estimates, all that is denser "
        "than white looks alike, and a wrong window changes which pixels count as stone."
    ),
    N_(
        "The picture does not say where the patient's sides are. The usual way of showing was assumed: seen from "
        "the feet, the patient's right on the picture's left, the front at the top."
    ),
    N_("All lengths rest on the pixel size that was given: {pixel} mm."),
)

# What a field of a sentence can hold besides words and numbers; the more exact before the more general.
PARTS = (
    N_("{side} kidney, slice position {place} mm, {length} mm long, confidence {confidence}"),
    N_("{structure} {id} ({side} kidney, {pole})"),
    N_("{structure} {id} ({side} kidney)"),
    N_("{structure} {id} ({side} side)"),
    N_("{total} ml, of which {lesions} ml are lesions"),
    N_("{total} ml"),
    N_("reach down to {lowest}, far below air"),
    N_("have their air at {air} instead of -1000"),
    N_("lie too close together for fat, soft tissue and bone"),
    N_("Hydronephrosis, many cysts or a mass can be the cause, or other tissue was included"),
    N_("It may be atrophic, or part of it was missed"),
    N_("it is too small"),
    N_("it lies inside a skull"),
    N_("it lies in air or in a lung"),
    N_("there is no patient's body around it"),
    N_("it is uncertain and lies in the chest"),
    N_("Its display window is not known; a width of {width} HU was assumed"),
    N_("Black was taken for {low} HU and white for {high} HU, as given"),
    N_("the spine lies in front"),
    N_("the spine lies on the right"),
    N_("the spine lies on the left"),
    N_("the liver lies on the left"),
    N_("the head lies towards the feet"),
    N_("{one} and {other}"),
    N_("the {end}"),
    # series, as a message names them; a list is taken apart first
    N_("{first}; {rest}"),
    N_("part {part} of series {number} ({details})"),
    N_("series {number} ({details})"),
    N_("part {part} of a series without number ({details})"),
    N_("a series without number ({details})"),
    N_("--series with its SeriesInstanceUID"),
    N_("{first}, {rest}"),
    N_("{seconds} s after the first scan"),
    N_("delay {seconds} s"),
    N_("{count} images"),
    N_("{count} more"),
    N_("{size} mm"),
)
