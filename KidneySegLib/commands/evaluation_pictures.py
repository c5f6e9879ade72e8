"""Pictures of what was missed and what was found in vain: the place as it is, in the reference, as it was found."""

from pathlib import Path

import numpy as np

from KidneySegLib.evaluation.detection import ScoredLesion, Status
from KidneySegLib.hounsfield import ABDOMEN_WINDOW
from KidneySegLib.pictures.panels import DIM_TEXT, TEXT, Window, draw_panel, font
from KidneySegLib.pictures.views import View
from KidneySegLib.volume import Volume

PANEL = (420, 420)
HEADING = 44
GAP = 4
# Half the width of what is shown around a lesion, and what is left free around a large one.
REACH_MM, MARGIN_MM = 45.0, 25.0
CALCIFIED: Window = (-160.0, 440.0)


def write_pictures(
    folder: Path, volume: Volume, found: np.ndarray, reference: np.ndarray, lesions: tuple[ScoredLesion, ...]
) -> list[Path]:
    """Writes one PNG for every missed and every false lesion of an exam.

    Args:
        folder: made if it does not exist and something is to be drawn.
        volume: the image in HU, canonical orientation.
        found: label map ``(k, j, i)`` on its grid.
        reference: the true one.
        lesions: of this exam.
    """
    files = []
    for lesion in lesions:
        if lesion.status in (Status.MISSED, Status.FALSE):
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{lesion.exam}-{lesion.structure}-{lesion.status.value}-{lesion.number}.png"
            _draw(volume, found, reference, lesion, folder / name)
            files.append(folder / name)
    return files


def _draw(volume: Volume, found: np.ndarray, reference: np.ndarray, lesion: ScoredLesion, path: Path) -> None:
    from PIL import Image, ImageDraw

    k = lesion.component.slice_index
    image = volume.voxels[k].astype(np.float32)
    window = CALCIFIED if lesion.structure == "stone" else ABDOMEN_WINDOW
    page = Image.new("RGB", (3 * PANEL[0] + 2 * GAP, PANEL[1] + HEADING))
    maps = {"Image": np.zeros_like(reference[k]), "Reference": reference[k], "Found": found[k]}
    for number, (name, labels) in enumerate(maps.items()):
        x, y, _ = volume.spacing
        view = View(name, image, np.ascontiguousarray(labels), (y, x), ("R", "L", "A", "P"), _focus(volume, lesion))
        page.paste(draw_panel(view, PANEL, window), (number * (PANEL[0] + GAP), HEADING))
    draw = ImageDraw.Draw(page)
    size = f"{lesion.component.size_mm:.1f} mm, slice {k + 1} of {volume.voxels.shape[0]} from the feet"
    draw.text((10, 10), f"{lesion.exam}: {lesion.status} {lesion.structure} {lesion.number}", fill=TEXT, font=font(20))
    remark = f", on {lesion.counterpart}" if lesion.status is Status.FALSE else ""
    if lesion.status is Status.MISSED and lesion.counterpart:
        remark = f", found as {lesion.counterpart}"
    draw.text((page.width - 10, 12), size + remark, fill=DIM_TEXT, font=font(17), anchor="ra")
    page.save(path, compress_level=4)


def _focus(volume: Volume, lesion: ScoredLesion) -> tuple[int, int, int, int]:
    """Returns the first and last row, the first and last column of what is shown."""
    _, j, i = volume.to_kji(np.array(lesion.component.centroid_lps_mm))
    reach = max(REACH_MM, lesion.component.size_mm / 2 + MARGIN_MM)
    x, y, _ = volume.spacing
    rows, columns = volume.voxels.shape[1:]
    top, bottom = max(0, round(j - reach / y)), min(rows - 1, round(j + reach / y))
    return top, bottom, max(0, round(i - reach / x)), min(columns - 1, round(i + reach / x))
