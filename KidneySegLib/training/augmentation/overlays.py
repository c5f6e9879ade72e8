"""Augmentation by what machines burn into frames."""

import numpy as np
import torch

from KidneySegLib.bundles.declaration import Share
from KidneySegLib.training.augmentation.patch import Patch, Transform
from KidneySegLib.training.synthesis.ultrasound.overlays import draw_calipers, draw_colour_box, draw_ruler, draw_text


class Overlays(Transform):
    """Text, rulers, calipers and colour Doppler boxes, each by its own chance.

    Attributes:
        text: probability of some lines of text.
        ruler: probability of a depth scale.
        calipers: probability of a distance with its marks.
        colour_box: probability of a colour Doppler box, in grey.
    """

    text: Share = 0.25
    ruler: Share = 0.2
    calipers: Share = 0.25
    colour_box: Share = 0.1

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Draws on the image alone."""
        grey, kidney = patch.hu[0].numpy().copy(), patch.organ[0].numpy() > 0.5
        if rng.random() < self.colour_box:
            draw_colour_box(grey, kidney, rng)
        if rng.random() < self.calipers:
            draw_calipers(grey, kidney, rng)
        if rng.random() < self.ruler:
            draw_ruler(grey, rng)
        if rng.random() < self.text:
            draw_text(grey, rng, lines=int(rng.integers(1, 5)))
        patch.hu = torch.from_numpy(grey)[None]
