"""Made slices, their masks, and a short recipe for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

RECIPE = """
task = "ct-slice"
[stage]
name = "slice"
spacing = [1.0, 4.0, 4.0]
window = [-160.0, 240.0]
patch = [1, 64, 64]
threshold = 0.65
equalise = { tile_mm = 64.0, clip_limit = 0.01 }
whole = true
network = { architecture = "unet2d", filters = [8, 16, 16], outputs = ["kidney"] }
[data]
train = ["train"]
validation = ["validation"]
[data.slices]
distance_mm = 3.0
validation_distance_mm = 3.0
pixel_mm = 2.0
[optimiser]
learning_rate = 2e-2
[schedule]
epochs = 3
steps_per_epoch = 24
batch = 4
warm_up = 3
average = 0.9
[sampling]
weight = "patient"
centre = "image"
jitter_mm = [0.0, 20.0, 20.0]
mirror = "random"
[augmentation.spatial]
rotation = 5.0
scale = 1.1
elastic_mm = 1.0
[augmentation.contrast]
probability = 0.6
[augmentation.removed_kidneys]
[augmentation.noise]
most_hu = 5.0
[augmentation.grey_levels]
taken_for = {}
[validation]
choose_by = "mean"
largest_regions = true
"""
SHAPE = (128, 128)
PIXEL_MM = 2.0
BODY, KIDNEY, SPINE, STONE = 60, 128, 255, 250


def ellipse(centre: tuple[float, float], radii: tuple[float, float], shape: tuple[int, int] = SHAPE) -> np.ndarray:
    j, i = np.ogrid[: shape[0], : shape[1]]
    return ((j - centre[0]) / radii[0]) ** 2 + ((i - centre[1]) / radii[1]) ** 2 <= 1


def made_slice(shift: int = 0, stone: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey values, kidneys (1 right, 2 left, 5 stone) and stones (0 or 255); the right kidney on the picture's left."""
    grey = np.zeros(SHAPE, np.uint8)
    grey[ellipse((64, 64), (44, 56))] = BODY
    grey[ellipse((88, 64), (10, 9))] = SPINE
    kidneys = np.zeros(SHAPE, np.uint8)
    kidneys[ellipse((76 + shift, 34), (13, 10))] = 1
    kidneys[ellipse((76 - shift, 94), (12, 11))] = 2
    grey[kidneys > 0] = KIDNEY
    stones = np.zeros(SHAPE, np.uint8)
    if stone:
        stones[74 + shift : 77 + shift, 32:37] = 255
        grey[stones > 0] = STONE
        kidneys[stones > 0] = 5
    return grey, kidneys, stones


def write_folder(folder: Path, patients: int, each: int = 2) -> None:
    """Writes a folder of slices: patients ``p0``, ``p1``, ...; the last slice has no kidneys drawn."""
    for name in ("images", "kidneys", "stones"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    entries = []
    for number in range(patients * each + 1):
        grey, kidneys, stones = made_slice(shift=number % 5)
        drawn = number < patients * each
        Image.fromarray(grey).save(folder / "images" / f"{number}.png")
        Image.fromarray(stones).save(folder / "stones" / f"{number}.png")
        if drawn:
            Image.fromarray(kidneys).save(folder / "kidneys" / f"{number}.png")
        entries.append({"image": number, "patient": f"p{number // each}", "kidneys": drawn, "pixel_mm": PIXEL_MM})
    (folder / "slices.json").write_text(json.dumps(entries))
