"""Why a run failed, in a sentence that says what to do."""

from __future__ import annotations

from slicer.i18n import tr as _

_PREFIX = "kidneyseg: "


def failureMessage(exitCode: int, errorLines: list[str]) -> str:
    """Returns the engine's own sentence, or else one for the exit code.

    Exit codes are those of docs/reference/exit-codes.md; a negative one is the signal that ended the process.
    """
    said = [line.removeprefix(_PREFIX) for line in errorLines if line.startswith(_PREFIX)]
    if said:
        return said[-1]
    if any("ModuleNotFoundError" in line or "ImportError" in line for line in errorLines):
        return _("A Python package is missing. Click 'Check installation' in the settings below.")
    if exitCode in (-9, 137):
        return _("The system ended the run, most likely for want of memory. Close other programs, or choose a region.")
    return _("The run ended unexpectedly (code {code}). Look at the log and run it again.").format(code=exitCode)
