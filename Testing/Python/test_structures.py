"""The structures' colours can be told apart by readers who see no red, or no green."""

from itertools import combinations

import numpy as np
import pytest
from skimage.color import rgb2lab

from KidneySegLib.pictures.panels import line_colour
from KidneySegLib.structures import STRUCTURES

# What a colour becomes in linear RGB: Machado, Oliveira, Fernandes, IEEE Trans Vis Comput Graph 2009;15:1291-1298,
# severity 1.
SEEN_WITHOUT = {
    "nothing": np.eye(3),
    "green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}
# CIELAB distance; a difference of 2.3 is just seen side by side on large areas, thin lines need many times that.
LEAST_DISTANCE = 30.0


def seen(colour: tuple[int, int, int], matrix: np.ndarray) -> np.ndarray:
    """Returns CIELAB of a colour (0..255) as it is seen."""
    srgb = np.array(colour) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(matrix @ linear, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(srgb[None, None])[0, 0])


@pytest.mark.parametrize("missing", SEEN_WITHOUT)
@pytest.mark.parametrize("where", ["segments", "pictures"])
def test_structures_look_different(where: str, missing: str) -> None:
    matrix = np.array(SEEN_WITHOUT[missing])
    colours = {s.key: s.colour if where == "segments" else line_colour(s.label) for s in STRUCTURES}
    places = {key: seen(colour, matrix) for key, colour in colours.items()}
    apart = {pair: float(np.linalg.norm(places[pair[0]] - places[pair[1]])) for pair in combinations(places, 2)}
    assert min(apart.values()) >= LEAST_DISTANCE, min(apart, key=lambda pair: apart[pair])


def test_red_and_green_kidneys_would_not_pass() -> None:
    """The colours before, as a check of the simulation."""
    matrix = np.array(SEEN_WITHOUT["green"])
    assert np.linalg.norm(seen((224, 110, 80), matrix) - seen((110, 176, 96), matrix)) < 12
