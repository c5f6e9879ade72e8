"""Why a run failed, in a sentence that says what to do."""

from __future__ import annotations

from KidneySegWidgets.translation import tr as _

_PREFIX = "kidneyseg: "


# What Python and C++ write when a process crashes; whom the system ends for want of memory, it does not let write.
_OUT_OF_MEMORY = ("bad_alloc", "MemoryError", "can't allocate memory", "Cannot allocate memory", "not enough memory")
_CRASHED = ("Fatal Python error", "Windows fatal exception")
# Slicer's launcher ends with 1 whatever happened to its child, and says so in these words.
_ENDED_BY_SYSTEM = "exit abnormally"


def failureMessage(exitCode: int, errorLines: list[str]) -> str:
    """Returns the engine's own sentence, or else one for what the process wrote, or for its exit code.

    Exit codes are those of docs/reference/exit-codes.md; a negative one is the signal that ended the process.
    """
    said = [line.removeprefix(_PREFIX) for line in errorLines if line.startswith(_PREFIX)]
    if said:
        return said[-1]
    if any("ModuleNotFoundError" in line or "ImportError" in line for line in errorLines):
        return _("A Python package is missing. Click 'Check installation' in the settings below.")
    starved = any(word in line for line in errorLines for word in _OUT_OF_MEMORY)
    if not starved and any(line.startswith(_CRASHED) for line in errorLines):
        return _(
            "The run crashed. Run it again with the device CPU; if it crashes there, too, report it with the log, "
            "which names no patient."
        )
    if starved or exitCode in (-9, 137) or any(_ENDED_BY_SYSTEM in line for line in errorLines):
        return _("The system ended the run, most likely for want of memory. Close other programs, or choose a region.")
    return _("The run ended unexpectedly (code {code}). Look at the log and run it again.").format(code=exitCode)
