"""Slicer's module of C++ effects: the one that runs an effect written in Python."""

from SlicerHost.effects import qSlicerSegmentEditorScriptedEffect  # noqa: F401
