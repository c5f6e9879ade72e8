"""All kinds of augmentation in the order in which they happen: the patient first, then the scanner."""

from KidneySegLib.training.augmentation.contrast import Contrast
from KidneySegLib.training.augmentation.frames import Gain, Haze, SectorBorder, Shadow, Speckle
from KidneySegLib.training.augmentation.kidneys import Hydronephrosis, RemovedKidneys
from KidneySegLib.training.augmentation.overlays import Overlays
from KidneySegLib.training.augmentation.patch import Transform
from KidneySegLib.training.augmentation.scanner import (
    Calibration,
    FieldOfView,
    GreyLevels,
    Kernel,
    Noise,
    ThickSlices,
)
from KidneySegLib.training.augmentation.spatial import Spatial
from KidneySegLib.training.declared import Declared
from KidneySegLib.training.synthesis.lesions import Decoys, Lesions
from KidneySegLib.training.synthesis.organ_masks import Masks

# what is painted into patches
SYNTHESIS = ("decoys", "hydronephrosis", "lesions")


class Augmentation(Declared):
    """What is done to patches; a table that a recipe leaves out is not done. To add a kind, add a field.

    Attributes:
        spatial: posture and size; None samples straight.
        contrast: phase of the contrast medium.
        decoys: what looks like a lesion and is none.
        hydronephrosis: dilated collecting systems.
        lesions: synthetic masses and cysts.
        removed_kidneys: kidneys that are not there.
        haze: uneven contact of an ultrasound probe.
        shadow: behind a rib or a stone, in ultrasound.
        speckle: of ultrasound.
        kernel: reconstruction kernel.
        noise: of the scanner.
        thick_slices: of the protocol.
        calibration: of the HU scale.
        grey_levels: of an exported picture.
        gain: of an ultrasound machine.
        sector_border: of an ultrasound image.
        overlays: what ultrasound machines burn into images.
        field_of_view: that ends too early.
        masks: faults of the masks that a network gets as inputs.
    """

    spatial: Spatial | None = None
    contrast: Contrast | None = None
    decoys: Decoys | None = None
    hydronephrosis: Hydronephrosis | None = None
    lesions: Lesions | None = None
    removed_kidneys: RemovedKidneys | None = None
    haze: Haze | None = None
    shadow: Shadow | None = None
    speckle: Speckle | None = None
    kernel: Kernel | None = None
    noise: Noise | None = None
    thick_slices: ThickSlices | None = None
    calibration: Calibration | None = None
    grey_levels: GreyLevels | None = None
    gain: Gain | None = None
    sector_border: SectorBorder | None = None
    overlays: Overlays | None = None
    field_of_view: FieldOfView | None = None
    masks: Masks = Masks()

    @property
    def patient(self) -> list[Transform]:
        """What changes the patient, in order."""
        return _given(self.contrast, self.decoys, self.hydronephrosis, self.lesions, self.removed_kidneys)

    @property
    def scanner(self) -> list[Transform]:
        """What changes the image, in order."""
        tissue = (self.haze, self.shadow, self.speckle)
        reconstruction = (self.kernel, self.noise, self.thick_slices, self.calibration, self.grey_levels)
        screen = (self.gain, self.sector_border, self.overlays)
        return _given(*tissue, *reconstruction, *screen, self.field_of_view)


def _given(*transforms: Transform | None) -> list[Transform]:
    return [transform for transform in transforms if transform is not None]
