"""Makes the effect *Kidney click* known to Segment Editor."""

from __future__ import annotations

from pathlib import Path

_FILE = Path(__file__).resolve().parents[1] / "KidneySegEditorEffects" / "SegmentEditorKidneySegClickEffect.py"


def registerClickEffect() -> None:
    """Adds the effect; does nothing where Slicer runs without effects."""
    try:
        import qSlicerSegmentationsEditorEffectsPythonQt as effects
    except ModuleNotFoundError:
        return
    effect = effects.qSlicerSegmentEditorScriptedEffect(None)
    effect.setPythonSource(str(_FILE).replace("\\", "/"))
    effect.self().register()
