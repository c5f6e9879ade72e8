#!/usr/bin/env python3
"""Draws the pictures of the Slicer module that README and tutorial show, from the synthetic sample.

    python docs/made_pages/slicer_pictures.py [--scene FILE.mrb] [--folder Resources/Screenshots]

The module runs on the stand-in host (`Testing/SlicerHost`) with Slicer's own views, and the real engine segments the
sample as `KidneySegPhantom` of the module Sample Data does. `--scene` keeps the segmented scene in a file and takes it
from there the next time, so that a look at the panel takes seconds.

Needs the extra `slicer` (slicer-core, PySide6), torch, and EGL or OSMesa for the views.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing")]

SECONDS = 1200
LESION = "C1"
HEIGHT = 1240
# width of the dock, dark or light
PANELS = {
    "slicer-panel.png": (500, False),
    "slicer-panel-dark.png": (400, True),
}
VIEW = (420, 420)


def main() -> int:
    """Draws them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", type=Path, help="scene of the segmented sample; made if it is not there")
    parser.add_argument("--folder", type=Path, default=ROOT / "Resources" / "Screenshots")
    options = parser.parse_args()
    from SlicerHost.host import start

    host = start()
    widget = host.openModule(ROOT / "KidneySeg" / "KidneySeg.py")
    segmented(host, widget, options.scene)
    options.folder.mkdir(parents=True, exist_ok=True)
    choose(widget, LESION)
    for name, (width, dark) in PANELS.items():
        panel(host, options.folder / name, width, dark)
    views(widget, options.folder)
    host.reset()  # views that are drawn off the screen outlive their scene, and crash Python's end if it is not empty
    return 0


def segmented(host: Any, widget: Any, scene: Path | None) -> None:
    """Segments the sample, or reads the scene in which that was done."""
    import slicer.util
    from SlicerHost.hands import click, waitUntil

    if scene is not None and scene.is_file():
        slicer.util.loadScene(str(scene))
        host.app.processEvents()
        from KidneySegWidgets.result.findingsTable import fillTables

        fillTables(widget.results.result, widget.results.result.findings())  # as this version writes it
        return
    from KidneySegWidgets.exam.sampleData import loadSample

    loadSample()
    host.app.processEvents()
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None, SECONDS)
    if widget.results.result is None:
        raise RuntimeError(widget.ui.statusLabel.text)
    if scene is not None:
        slicer.util.saveScene(str(scene))


def choose(widget: Any, identifier: str) -> None:
    """Chooses a row of the table, as a reader does."""
    names = [name for name, _values in widget.results.rows()]
    widget.results.choose(names.index(identifier))


def panel(host: Any, path: Path, width: int, dark: bool) -> None:
    """Draws the panel in a dock of this width."""
    import qt
    from SlicerHost.pictures import panelPicture

    light = qt.QPalette(qt.QApplication.palette())
    if dark:
        qt.QApplication.setPalette(dark_palette())
    host.mainWindow.resize(width, HEIGHT)
    for _round in range(5):
        host.app.processEvents()
    panelPicture(path)
    qt.QApplication.setPalette(light)
    small(read(path), path)


def dark_palette() -> Any:
    """Returns a palette like that of Slicer's dark style."""
    import qt

    palette = qt.QPalette()
    colours = {
        "Window": "#353535",
        "WindowText": "#ffffff",
        "Base": "#2a2a2a",
        "AlternateBase": "#424242",
        "Text": "#ffffff",
        "Button": "#353535",
        "ButtonText": "#ffffff",
        "ToolTipBase": "#ffffdc",
        "ToolTipText": "#000000",
        "BrightText": "#ff0000",
        "Link": "#2a82da",
        "Highlight": "#2a82da",
        "HighlightedText": "#ffffff",
        "PlaceholderText": "#8c8c8c",
    }
    for role, colour in colours.items():
        palette.setColor(getattr(qt.QPalette, role), qt.QColor(colour))
    for role in ("WindowText", "Text", "ButtonText"):
        palette.setColor(qt.QPalette.Disabled, getattr(qt.QPalette, role), qt.QColor("#7f7f7f"))
    return palette


def views(widget: Any, folder: Path) -> None:
    """Draws the axial slice of the chosen lesion with its diameter, and the surfaces."""
    import slicer
    from SlicerHost.pictures import slicePicture, threeDPicture

    height = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset()
    small(slicePicture(None, "Red", height, VIEW), folder / "slicer-axial.png")
    widget.ui.show3DButton.checked = True
    small(threeDPicture(None, size=VIEW), folder / "slicer-3d.png")


def read(path: Path) -> Any:
    """Reads a picture as (row, column, RGB)."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def small(picture: Any, path: Path) -> None:
    """Writes a picture (row, column, RGB) with 256 colours."""
    from PIL import Image

    Image.fromarray(picture).quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
