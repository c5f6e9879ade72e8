"""Networks of a bundle, ready to run; and whether they are those that the engine runs.

The engine knows each stage's dimensions, and the channels that go in and out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.bundles.rules import Rules
from KidneySegLib.errors import BundleError
from KidneySegLib.inference.device import Device
from KidneySegLib.inference.memory import keep_freed_memory
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.window_channels import WINDOW_INPUTS
from KidneySegLib.networks.channels_last import put_channels_last
from KidneySegLib.networks.factory import build_network, load_parameters

R = TypeVar("R", bound=Rules)

_IMAGE, _KIDNEY = ("image",), 1
_VOLUME, _SLICE = frozenset({"unet3d"}), frozenset({"unet2d"})
_FRAME = _SLICE | {"deeplabv3plus2d", "linknet2d", "fused2d"}
# architectures, inputs and number of outputs by the stage's name
_STAGES = {
    "locator": (_VOLUME, _IMAGE, _KIDNEY),
    "kidney": (_VOLUME, _IMAGE, _KIDNEY),
    "organ": (_VOLUME, _IMAGE, _KIDNEY),
    "lesion": (_VOLUME, ORGAN_INPUTS, 3),
    "renal": (_VOLUME, ("image", "soft"), 4),
    "slice": (_SLICE, _IMAGE, _KIDNEY),
    "ultrasound": (_FRAME, _IMAGE, _KIDNEY),
}
# stages whose architecture and outputs are for the bundle to choose: these inputs are there
_FREE = {"exam": set(WINDOW_INPUTS)}


@dataclass(frozen=True)
class Model:
    """A bundle whose networks are ready to run.

    Attributes:
        bundle: where they come from, with the rules by which their output is judged.
        device: what they run on.
        predictors: by the stage's name.
    """

    bundle: Bundle
    device: Device
    predictors: Mapping[str, Predictor]


def load_model(bundle: Bundle, device: Device, needed: Iterable[str]) -> Model:
    """Builds a bundle's networks; arguments and errors as for ``load_predictors``."""
    return Model(bundle, device, load_predictors(bundle, device, needed))


def load_predictors(bundle: Bundle, device: Device, needed: Iterable[str]) -> dict[str, Predictor]:
    """Builds all networks of a bundle with their verified weights, by stage name.

    Args:
        bundle: whose.
        device: where they shall run.
        needed: names of stages that must be there.

    Raises:
        BundleError: a stage or its weights are missing, altered, or do not fit the plan.
    """
    check_stages(bundle, needed)
    on_cpu = device.torch_device.type == "cpu"
    if on_cpu:
        keep_freed_memory()
    weights = bundle.weights()
    predictors = {}
    for stage in bundle.stages:
        members = []
        for values in stage.members_of(weights.get(stage.name, {})):
            network = build_network(stage.network)
            load_parameters(network, values)
            network.to(device.torch_device).eval()
            # in 32 bits the order changes how convolutions are rounded
            if on_cpu and device.precision == torch.bfloat16 and stage.network.dimensions == 3:
                put_channels_last(network)
            members.append(network)
        predictors[stage.name] = Predictor(stage, tuple(members), device.torch_device, device.precision)
    return predictors


def rules_for(bundle: Bundle, kind: type[R]) -> R:
    """Returns the rules of a bundle as those of a task.

    Raises:
        BundleError: the bundle is for another task.
    """
    if not isinstance(bundle.rules, kind):
        raise BundleError(
            "The bundle '{bundle}' is for the task '{task}'. Choose a bundle for this task.",
            bundle=bundle.name,
            task=bundle.task,
        )
    return bundle.rules


def check_stages(bundle: Bundle, needed: Iterable[str]) -> None:
    """Checks the stages of a bundle before their networks are built.

    Raises:
        BundleError: a stage that is needed is missing, or one takes or gives other channels than the engine has.
    """
    for name in bundle.rules.needs(tuple(needed)):
        bundle.stage(name)
    for stage in bundle.stages:
        expected, free = _STAGES.get(stage.name), _FREE.get(stage.name)
        network = stage.network
        wrong = free is not None and not set(network.inputs) <= free
        if expected is not None:
            architectures, *channels = expected
            wrong = network.architecture not in architectures or [network.inputs, len(network.outputs)] != channels
        if wrong:
            raise BundleError(
                "The stage '{stage}' of bundle '{bundle}' takes or gives other channels than this version of "
                "KidneySeg works with. Update KidneySeg, or get the bundle again.",
                stage=stage.name,
                bundle=bundle.name,
            )
