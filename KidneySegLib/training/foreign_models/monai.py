"""A MONAI bundle: ``configs/metadata.json``, ``configs/inference.json`` and ``models/model.pt`` become our bundle.

MONAI's residual ``UNet`` is known; the layout is that of the bundles of MONAI's model zoo. Expressions of the
configuration (``$…``) are never run: what the plan needs must stand there as numbers, or by reference (``@…``).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from KidneySegLib.bundles.limits import GREATEST_HU
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import Normalisation, StagePlan
from KidneySegLib.bundles.topology import Topology
from KidneySegLib.errors import InputError
from KidneySegLib.training.foreign_models.axes import NetworkAxes, axes_of
from KidneySegLib.training.foreign_models.model import ForeignModel, output_names, read_settings
from KidneySegLib.training.foreign_models.weights import read_checkpoint, reordered, tensors_of

_METADATA, _INFERENCE, _WEIGHTS = "configs/metadata.json", "configs/inference.json", "models/model.pt"
_ADVICE = "Give the folder of the MONAI bundle."
_NORMS: dict[str, Literal["batch", "instance"]] = {"batch": "batch", "instance": "instance"}
_DEEPEST_REFERENCE = 8


def is_monai(folder: Path) -> bool:
    """Whether a folder is a MONAI bundle."""
    return (folder / _METADATA).is_file()


def read_monai(folder: Path, own: Mapping[str, str]) -> ForeignModel:
    """Reads a MONAI bundle.

    Args:
        folder: of the bundle.
        own: what the user says of names; see ``label_names.own_names``.

    Raises:
        InputError: something is missing or damaged, or network or preprocessing are of a kind that is not known here.
    """
    metadata, config = read_settings(folder / _METADATA, _ADVICE), read_settings(folder / _INFERENCE, _ADVICE)
    try:
        steps = {_target(step): step for step in _list(config, _of(config, "preprocessing", "transforms"))}
        turned = axes_of(str(_known(config, _step(steps, "Orientation")["axcodes"])))
        stage = _stage(config, metadata, steps, turned, own)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError(
            "The configuration of the MONAI bundle does not say as numbers what is needed: orientation, spacing, range "
            "of intensities, network and patch of the sliding window."
        ) from error
    data = read_checkpoint(folder / _WEIGHTS)
    inner = next((data[key] for key in ("model", "state_dict", "network") if isinstance(data.get(key), Mapping)), data)
    weights = reordered(tensors_of(inner), turned.order)
    name, version = str(metadata.get("name", "without a name"))[:60], str(metadata.get("version", "?"))[:20]
    return ForeignModel(stage, (weights,), f"MONAI bundle '{name}', version {version}")


def _stage(
    config: Mapping[str, Any],
    metadata: Mapping[str, Any],
    steps: Mapping[str, Mapping[str, Any]],
    turned: NetworkAxes,
    own: Mapping[str, str],
) -> StagePlan:
    spacing = turned.ours(_numbers(config, _step(steps, "Spacing")["pixdim"]))
    window, normalisation, low = _intensity(config, _step(steps, "ScaleIntensityRange"))
    inferer = config["inferer"]
    patch = [int(size) for size in turned.ours(_numbers(config, inferer["roi_size"]))]
    crops = any(name.startswith("CropForeground") for name in steps)
    return StagePlan(
        name="exam",
        network=_network(config, metadata, turned, own),
        spacing=(spacing[0], spacing[1], spacing[2]),
        window=window,
        patch=(patch[0], patch[1], patch[2]),
        overlap=float(_known(config, inferer.get("overlap", 0.25))),
        normalise=normalisation,
        body_hu=low if crops else None,
        flipped=turned.reversed,
    )


def _network(
    config: Mapping[str, Any], metadata: Mapping[str, Any], turned: NetworkAxes, own: Mapping[str, str]
) -> NetworkPlan:
    told = _known(config, config.get("network_def", config.get("network")))
    if str(told["_target_"]).rsplit(".", 1)[-1] != "UNet" or _known(config, told["spatial_dims"]) != 3:
        raise InputError(
            f"The network '{str(told['_target_'])[:40]}' is not known here. Of MONAI's networks, the 3D UNet is."
        )
    if _known(config, told["in_channels"]) != 1:
        raise InputError("The network takes several images of an exam. KidneySeg has one CT image.")
    units = int(_known(config, told.get("num_res_units", 0)))
    norm = _known(config, told.get("norm", "instance"))
    kind = _NORMS.get(str(norm[0] if isinstance(norm, list) else norm).lower())
    activation = str(_known(config, told.get("act", "PRELU"))).upper()
    if units < 1 or kind is None or activation != "PRELU" or told.get("bias", True) is not True:
        raise InputError(
            "This kind of MONAI's UNet is not known here: it needs residual units, PReLU, batch or instance norm."
        )
    channels = [int(count) for count in _known(config, told["channels"])]
    strides = [_each_axis(turned, stride) for stride in _known(config, told["strides"])][: len(channels) - 1]
    kernel = _each_axis(turned, _known(config, told.get("kernel_size", 3)))
    if _each_axis(turned, _known(config, told.get("up_kernel_size", 3))) != kernel:
        raise InputError("This kind of MONAI's UNet is not known here: its kernels differ on the way up.")
    levels = len(channels)
    topology = Topology(((1, 1, 1), *strides), (kernel,) * levels, (units,) * levels, (1,) * (levels - 1), kind)
    outputs = metadata["network_data_format"]["outputs"]
    defined = next(iter(outputs.values()))["channel_def"]
    names = [str(defined[str(number)]) for number in range(int(_known(config, told["out_channels"])))]
    exclusive = not any(
        _target(step).startswith("Activations") and step.get("sigmoid") is True
        for step in _list(config, _of(config, "postprocessing", "transforms"))
    )
    return NetworkPlan(
        "monai-unet3d", tuple(channels), output_names(names, own), exclusive=exclusive, topology=topology
    )


def _intensity(config: Mapping[str, Any], step: Mapping[str, Any]) -> tuple[tuple[float, float], Normalisation, float]:
    """Returns the HU that are clipped to, how they become what the network sees, and which HU become 0."""
    a_min, a_max, b_min, b_max = (float(_known(config, step[key])) for key in ("a_min", "a_max", "b_min", "b_max"))
    unit = (a_max - a_min) / (b_max - b_min)
    zero = a_min - b_min * unit
    clips = _known(config, step.get("clip", False)) is True
    return (a_min, a_max) if clips else (-GREATEST_HU, GREATEST_HU), Normalisation(zero, unit), zero


def _known(config: Mapping[str, Any], value: Any) -> Any:
    """Follows references to what stands in the configuration; an expression has no value here."""
    for _ in range(_DEEPEST_REFERENCE):
        if not isinstance(value, str) or value[:1] not in ("@", "$"):
            return value
        if value[0] == "$":
            break
        found: Any = config
        for part in value[1:].replace("::", "#").split("#"):
            found = found[int(part)] if isinstance(found, list) else found[part]
        value = found
    raise ValueError("an expression")


def _of(config: Mapping[str, Any], name: str, inner: str) -> Any:
    return _known(config, config.get(name, {})).get(inner, [])


def _list(config: Mapping[str, Any], value: Any) -> list[Mapping[str, Any]]:
    found = _known(config, value)
    return [step for step in found if isinstance(step, Mapping)]


def _target(step: Mapping[str, Any]) -> str:
    return str(step.get("_target_", "")).rsplit(".", 1)[-1]


def _step(steps: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """Returns the step of preprocessing with a name (of dictionaries with a ``d``)."""
    for target, step in steps.items():
        if target in (name, f"{name}d"):
            return step
    raise KeyError(name)


def _numbers(config: Mapping[str, Any], value: Any) -> tuple[float, ...]:
    found = _known(config, value)
    return tuple(float(_known(config, number)) for number in found)


def _each_axis(turned: NetworkAxes, value: Any) -> tuple[int, ...]:
    """Returns a number for each of our axes."""
    several = value if isinstance(value, list) else [value] * 3
    return tuple(int(number) for number in turned.ours(tuple(several)))
