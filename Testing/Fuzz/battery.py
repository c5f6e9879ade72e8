"""All cases of the battery, for one seed."""

from __future__ import annotations

from Fuzz import bundle_faults, choice_faults, file_faults, image_faults, label_faults, pixel_faults, rule_faults
from Fuzz.bomb_faults import bomb_files
from Fuzz.case import Case
from Fuzz.deidentification_faults import deidentification
from Fuzz.hostile_faults import hostile_uids
from Fuzz.image_tricks import geometries, other_files, values
from Fuzz.multiframe_faults import multiframe
from Fuzz.pair_faults import pairs
from Fuzz.series_faults import harmless, headers, stacks
from Fuzz.server_faults import servers
from Fuzz.turned_patients import turned_patients
from Fuzz.ultrasound_faults import ultrasound
from Fuzz.ultrasound_images import ultrasound_images


def battery() -> list[Case]:
    """Returns all cases; their names are unique."""
    return [
        *harmless(),
        *headers(),
        *stacks(),
        *pixel_faults.forms(),
        *pixel_faults.faults(),
        *file_faults.truncated(),
        *file_faults.corrupted(),
        *file_faults.folders(),
        *multiframe(),
        *image_faults.images(),
        *image_faults.nifti_headers(),
        *image_faults.text_headers(),
        *choice_faults.derived(),
        *choice_faults.which(),
        *pairs(),
        *deidentification(),
        *geometries(),
        *other_files(),
        *values(),
        *label_faults.labels(),
        *label_faults.segmentations(),
        *bundle_faults.manifests(),
        *bundle_faults.weights(),
        *servers(),
        *rule_faults.kidney_rules(),
        *rule_faults.stone_rules(),
        *rule_faults.cuts(),
        *hostile_uids(),
        *bomb_files(),
        *turned_patients(),
        *ultrasound(),
        *ultrasound_images(),
    ]
