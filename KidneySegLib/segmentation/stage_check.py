"""Whether the stages of a bundle are what the engine runs: their dimensions, and the channels that go in and out."""

from __future__ import annotations

from collections.abc import Iterable

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.errors import BundleError
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS

_IMAGE, _KIDNEY = ("image",), 1
# architecture, inputs and number of outputs by the stage's name
_STAGES = {
    "locator": ("unet3d", _IMAGE, _KIDNEY),
    "kidney": ("unet3d", _IMAGE, _KIDNEY),
    "organ": ("unet3d", _IMAGE, _KIDNEY),
    "lesion": ("unet3d", ORGAN_INPUTS, 3),
    "renal": ("unet3d", ("image", "soft"), 4),
    "slice": ("unet2d", _IMAGE, _KIDNEY),
}


def check_stages(bundle: Bundle, needed: Iterable[str]) -> None:
    """Checks the stages of a bundle before their networks are built.

    Raises:
        BundleError: a stage that is needed is missing, or one takes or gives other channels than the engine has.
    """
    for name in needed:
        bundle.stage(name)
    for stage in bundle.stages:
        expected = _STAGES.get(stage.name)
        network = stage.network
        if expected and (network.architecture, network.inputs, len(network.outputs)) != expected:
            raise BundleError(
                f"The stage '{stage.name}' of bundle '{bundle.name}' takes or gives other channels than this version "
                "of KidneySeg works with. Update KidneySeg, or get the bundle again."
            )
