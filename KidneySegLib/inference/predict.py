"""Runs the networks of a stage over an image on their working grid. 2D is k = 1."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.inference.organ_channels import ParenchymaLevel, organ_channels
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.networks.sliding_window import sliding_window, tile_count
from KidneySegLib.progress import Share

Tell = Callable[[float], None]


@dataclass(frozen=True)
class OrganMasks:
    """What is known of a kidney before its lesions are looked for.

    Attributes:
        organ: bool ``(k, j, i)``: the kidney with its lesions.
        kidney: bool ``(k, j, i)``: its outline.
        other: level of the patient's other kidney; None if there is none.
    """

    organ: torch.Tensor
    kidney: torch.Tensor
    other: ParenchymaLevel | None = None


@dataclass(frozen=True)
class Predictor:
    """A stage, ready to run.

    Attributes:
        stage: its plan.
        members: networks in evaluation mode, on ``device``; several make an ensemble.
        device: torch device.
        precision: number format of the convolutions.
    """

    stage: StagePlan
    members: tuple[torch.nn.Module, ...]
    device: torch.device
    precision: torch.dtype

    def probabilities(
        self, hu: torch.Tensor, progress: Tell | None = None, organ: OrganMasks | None = None
    ) -> torch.Tensor:
        """Returns the probability of every output, ``(outputs, k, j, i)`` 32-bit float on the CPU.

        The members of an ensemble are combined as the plan says.

        Args:
            hu: ``(k, j, i)`` on the stage's working grid, canonical orientation.
            progress: called with the finished share after every tile; may raise to stop the run.
            organ: masks like ``hu``, for a stage whose inputs are made from them.
        """
        turned = [axis for axis, reverse in enumerate(self.stage.flipped) if reverse]
        hu, stage = hu.flip(turned), fitted(self.stage, tuple(hu.shape))
        padding = [
            (max(0, p - n) // 2, max(0, p - n) - max(0, p - n) // 2) for p, n in zip(stage.patch, hu.shape, strict=True)
        ]
        around = [v for pair in padding[::-1] for v in pair]
        padded = torch.nn.functional.pad(hu, around, value=OUTSIDE)
        if organ is None:
            image = window_channels(padded, stage)
        else:
            whole, kidney = (torch.nn.functional.pad(mask, around) for mask in (organ.organ, organ.kidney))
            image = organ_channels(padded, whole, kidney, stage, organ.other)
        inside = (slice(None), *(slice(p[0], p[0] + n) for p, n in zip(padding, hu.shape, strict=True)))
        found = []
        with torch.inference_mode():
            for number, network in enumerate(self.members):
                share = Share(progress or (lambda _: None)).nth(number, len(self.members))
                logits = self._logits(image, stage, network, share)[inside]
                found.append(torch.softmax(logits, dim=0) if stage.network.exclusive else torch.sigmoid(logits))
            together = _combined(found, stage.ensemble.fusion) if stage.ensemble and len(found) > 1 else found[0]
            return together.flip([axis + 1 for axis in turned])

    def _logits(self, image: torch.Tensor, stage: StagePlan, network: torch.nn.Module, tell: Tell) -> torch.Tensor:
        """Runs one network over an image ``(inputs, k, j, i)``; returns logits alike, 32-bit float on the CPU."""
        flat = stage.network.dimensions == 2
        done, total = 0, tile_count(image.shape[1:], stage.patch, stage.overlap)

        def run(tile: torch.Tensor) -> torch.Tensor:
            nonlocal done
            seen = tile.to(self.device)
            result: torch.Tensor = network(seen[:, :, 0])[:, :, None] if flat else network(seen)
            done += 1
            tell(min(1.0, done / total))
            return result

        # around all tiles, so that weights are brought into the number format once
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            if stage.whole and total == 1:  # nothing to blend
                return run(image[None])[0].to("cpu", torch.float32)
            return sliding_window(image, stage.patch, stage.overlap, run)


def fitted(stage: StagePlan, shape: tuple[int, ...]) -> StagePlan:
    """Returns the stage with tiles no longer than ``shape`` (k, j, i) needs, or as long where it sees images whole.

    In a slab of a few centimetres a whole tile would be mostly padding, which instance normalisation takes for image.
    An image that is tiny in every direction keeps two of the network's coarsest voxels along i: one alone has no spread
    to be normalised by.
    """
    divisors = stage.divisors
    needed = [-(-n // divisor) * divisor for n, divisor in zip(shape, divisors, strict=True)]
    if stage.network.dimensions == 2:
        needed[0] = 1
    k, j, i = needed if stage.whole else map(min, stage.patch, needed)
    if j <= divisors[1] and i <= divisors[2] and k <= divisors[0]:
        i = 2 * divisors[2]
    return replace(stage, patch=(k, j, i))


def _combined(found: list[torch.Tensor], fusion: str) -> torch.Tensor:
    """Returns the mean or the median of probabilities; of an even number the median is the lower of the middle two."""
    stacked = torch.stack(found)
    return stacked.mean(dim=0) if fusion == "mean" else stacked.median(dim=0).values
