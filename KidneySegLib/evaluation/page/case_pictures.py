"""Pictures of single cases as the papers have them.

Expert, prediction and both (expert red, prediction blue); the image, with the structures in colour (kidney green, solid
mass red, cyst blue), and with its background removed (Kilic et al., 2026).
"""

from typing import Any

import numpy as np

from KidneySegLib.evaluation.evaluate import CaseView
from KidneySegLib.evaluation.page.figures import new_figure, png
from KidneySegLib.geometry.boxes import box_of, padded
from KidneySegLib.hounsfield import ABDOMEN_WINDOW
from KidneySegLib.structures import BY_KEY, KIDNEYS

EXPERT, PREDICTION = (1.0, 0.2, 0.2), (0.25, 0.5, 1.0)
_OPACITY = 0.5
_MARGIN = 20
_COLOURS = {
    **{kidney.label: (0.25, 0.85, 0.3) for kidney in KIDNEYS.values()},
    BY_KEY["mass"].label: (1.0, 0.2, 0.2),
    BY_KEY["cyst"].label: (0.25, 0.5, 1.0),
    BY_KEY["stone"].label: (1.0, 1.0, 0.3),
}
TITLES = ("expert", "prediction", "overlay", "image", "structures found", "background removed")


def case_picture(view: CaseView) -> bytes:
    """Returns the six panels of a case as PNG; nothing in it names the case."""
    window = _window(view)
    found, reference = view.found[window], view.reference[window]
    grey = _grey(view.values[window])
    panels = (
        _tinted(grey, reference > 0, EXPERT),
        _tinted(grey, found > 0, PREDICTION),
        _tinted(_tinted(grey, reference > 0, EXPERT), found > 0, PREDICTION),
        grey,
        _coloured(grey, found),
        np.where((found > 0)[..., None], grey, 0.0),
    )
    figure = new_figure(12, 2.3)
    j, i = view.pixel_mm
    for axes, title, panel in zip(figure.subplots(1, len(panels)), TITLES, panels, strict=True):
        _show(axes, title, panel, j / i)
    return png(figure)


def _show(axes: Any, title: str, panel: np.ndarray, aspect: float) -> None:
    axes.imshow(panel, aspect=aspect)
    axes.set_title(title, fontsize="x-small")
    axes.set(xticks=[], yticks=[])


def _window(view: CaseView) -> tuple[slice, slice]:
    """Returns the rows and columns of what is outlined, with a margin."""
    shown = ((view.found > 0) | (view.reference > 0))[None]
    if not shown.any():
        return slice(None), slice(None)
    _, rows, columns = padded(box_of(shown), (0, _MARGIN, _MARGIN), shown.shape)
    return rows, columns


def _grey(values: np.ndarray) -> np.ndarray:
    low, high = ABDOMEN_WINDOW
    return np.repeat(np.clip((values.astype(float) - low) / (high - low), 0, 1)[..., None], 3, axis=2)


def _tinted(image: np.ndarray, mask: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    return np.where(mask[..., None], (1 - _OPACITY) * image + _OPACITY * np.array(colour), image)


def _coloured(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    for label, colour in _COLOURS.items():
        image = _tinted(image, labels == label, colour)
    return image
