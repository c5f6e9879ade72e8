"""Slicer's `qt`: one flat module with the classes of QtCore, QtGui, QtWidgets and the `.ui` loader."""

from SlicerHost.pythonqt.classes import namespace

globals().update(namespace())

from SlicerHost.pythonqt.uiloader import QUiLoader  # noqa: E402, F401  (the classes are changed first)
