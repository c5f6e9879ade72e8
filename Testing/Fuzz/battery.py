"""All cases of the battery, for one seed."""

from __future__ import annotations

from Fuzz import file_faults, pixel_faults
from Fuzz.case import Case
from Fuzz.series_faults import harmless, headers, stacks


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
    ]
