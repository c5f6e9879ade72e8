"""CTK's widgets for numbers."""

from __future__ import annotations

from typing import Any

import qt
from PySide6.QtCore import Property, Signal

from SlicerHost.pythonqt.standins import standIn


def _forwarded(kind: Any, name: str) -> Property:
    """Returns a property that is the inner spin box's, and keeps the slider in step."""

    def read(self: Any) -> Any:
        return getattr(self._spinBox, name)

    def write(self: Any, value: Any) -> None:
        setattr(self._spinBox, name, value)
        self._fitSlider()

    return Property(kind, read, write)


@standIn
class ctkSliderWidget(qt.QWidget):
    """A slider with a spin box for a floating-point value."""

    valueChanged = Signal(float)
    cppSignals = {"valueChanged(double)": "valueChanged"}

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = qt.QSlider(qt.Qt.Horizontal)
        self._spinBox = qt.QDoubleSpinBox()
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spinBox)
        self.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        self._spinBox.setRange(0.0, 99.0)
        self._fitSlider()
        self._spinBox.valueChanged.connect(self._onSpinBox)
        self._slider.valueChanged.connect(self._onSlider)

    def _fitSlider(self) -> None:
        box = self._spinBox
        self._slider.blockSignals(True)
        self._slider.setRange(0, round((box.maximum - box.minimum) / box.singleStep))
        self._slider.setValue(round((box.value - box.minimum) / box.singleStep))
        self._slider.blockSignals(False)

    def _onSpinBox(self, value: float) -> None:
        self._fitSlider()
        self.valueChanged.emit(value)

    def _onSlider(self, step: int) -> None:
        self._spinBox.setValue(self._spinBox.minimum + step * self._spinBox.singleStep)

    value = _forwarded(float, "value")
    minimum = _forwarded(float, "minimum")
    maximum = _forwarded(float, "maximum")
    singleStep = _forwarded(float, "singleStep")
    decimals = _forwarded(int, "decimals")
    prefix = _forwarded(str, "prefix")
    suffix = _forwarded(str, "suffix")

    def setValue(self, value: float) -> None:
        self.value = value

    def setMinimum(self, minimum: float) -> None:
        self.minimum = minimum

    def setMaximum(self, maximum: float) -> None:
        self.maximum = maximum

    def setRange(self, minimum: float, maximum: float) -> None:
        self.minimum, self.maximum = minimum, maximum

    def setSingleStep(self, step: float) -> None:
        self.singleStep = step

    def setDecimals(self, decimals: int) -> None:
        self.decimals = decimals

    def spinBox(self) -> qt.QDoubleSpinBox:
        return self._spinBox

    def slider(self) -> qt.QSlider:
        return self._slider
