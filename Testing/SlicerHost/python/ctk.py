"""Slicer's `ctk`: the stand-ins of CTK's widgets."""

from SlicerHost.widgets.collapsible import ctkCollapsibleButton, ctkCollapsibleGroupBox
from SlicerHost.widgets.numbers import ctkSliderWidget
from SlicerHost.widgets.paths import ctkDirectoryButton, ctkPathLineEdit
from SlicerHost.widgets.simple import (
    ctkCheckBox,
    ctkComboBox,
    ctkDoubleSpinBox,
    ctkFittedTextBrowser,
    ctkMessageBox,
    ctkPushButton,
)

__all__ = [
    "ctkCheckBox",
    "ctkCollapsibleButton",
    "ctkCollapsibleGroupBox",
    "ctkComboBox",
    "ctkDirectoryButton",
    "ctkDoubleSpinBox",
    "ctkFittedTextBrowser",
    "ctkMessageBox",
    "ctkPathLineEdit",
    "ctkPushButton",
    "ctkSliderWidget",
]
