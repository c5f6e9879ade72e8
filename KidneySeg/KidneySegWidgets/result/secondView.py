"""The volume of a kidney from two ultrasound views: the result of one across it adds it to that of one along it."""

from __future__ import annotations

from typing import Any

from KidneySegWidgets.complaints import reasonOf
from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.resultNodes import ResultNodes


def acrossOf(result: ResultNodes) -> Any:
    """Returns the findings of the view across the kidney as they are now; None if no such view was chosen."""
    node = result.transverse
    return ResultNodes(node).findings() if ResultNodes.isResult(node) else None


def withSecondView(findings: Any, across: Any) -> tuple[Any, str]:
    """Returns findings of a view along a kidney with the volume of both, and why there is none.

    Args:
        findings: of an image or a view.
        across: findings of the second view; None takes a volume away that there was.
    """
    ensureEngine()
    from KidneySegLib.errors import InputError
    from KidneySegLib.measuring.ultrasound.ellipsoid import with_volume, without_volume

    reason = ""
    if across is not None:
        try:
            return with_volume(findings, across), reason
        except InputError as error:
            reason = reasonOf(error)
    return without_volume(findings), reason
