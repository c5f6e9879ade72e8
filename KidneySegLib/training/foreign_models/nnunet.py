"""A trained nnU-Net v2: the results folder of one configuration becomes a bundle with the stage ``exam``.

``plans.json`` says what the network is, ``dataset.json`` what its outputs mean, ``fold_N/checkpoint_final.pth`` has the
weights. The package nnunetv2 is not needed, for the import nor for a run.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import Ensemble, Normalisation, StagePlan
from KidneySegLib.bundles.topology import Topology
from KidneySegLib.errors import InputError
from KidneySegLib.training.foreign_models.axes import NetworkAxes, axes_of
from KidneySegLib.training.foreign_models.model import ForeignModel, output_names, read_settings, region_names
from KidneySegLib.training.foreign_models.weights import read_checkpoint, reordered, tensors_of

CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
_ADVICE = "Give the results folder as nnU-Net wrote it."
_CLASSES = {"PlainConvUNet": "plain", "ResidualEncoderUNet": "residual"}
# what a network's settings must be for ours to be the same
_EXPECTED = {
    "conv_bias": True,
    "norm_op": ("InstanceNorm3d", "InstanceNorm2d"),
    "norm_op_kwargs": {"eps": 1e-05, "affine": True},
    "dropout_op": None,
    "nonlin": "LeakyReLU",
}


def is_nnunet(folder: Path) -> bool:
    """Whether a folder holds the results of a training of nnU-Net v2."""
    return (folder / "plans.json").is_file() and (folder / "dataset.json").is_file()


def read_nnunet(folder: Path, own: Mapping[str, str], folds: Sequence[str], orientation: str | None) -> ForeignModel:
    """Reads a results folder.

    Args:
        folder: such as ``nnUNetTrainer__nnUNetPlans__3d_fullres``.
        own: what the user says of names; see ``label_names.own_names``.
        folds: which ones become members of an ensemble; empty takes all.
        orientation: of the files that it was trained on, as ``nibabel.aff2axcodes`` gives it; None takes that of DICOM
            (LPS), and needs a network that was trained with mirrored images.

    Raises:
        InputError: something is missing or damaged, or the network is of a kind that this version does not have.
    """
    plans, dataset = read_settings(folder / "plans.json", _ADVICE), read_settings(folder / "dataset.json", _ADVICE)
    chosen = _folds(folder, folds)
    checkpoints = [read_checkpoint(path) for path in chosen]
    first = checkpoints[0]
    name = _configuration(folder, first)
    try:
        settings = _settings(plans, name)
        turned = _axes(plans, settings, orientation, first.get("inference_allowed_mirroring_axes"))
        network, spacing, patch = _network(settings, dataset, own, turned)
        window, normalisation = _normalisation(plans, settings)
        stage = StagePlan(
            name="exam",
            network=network,
            spacing=spacing,
            window=window,
            patch=patch,
            overlap=0.5,
            normalise=normalisation,
            flipped=turned.reversed,
            ensemble=Ensemble(len(checkpoints)) if len(checkpoints) > 1 else None,
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError("plans.json or dataset.json is damaged, or of an nnU-Net that is not known here.") from error
    members = []
    for checkpoint in checkpoints:
        values = {
            key: value
            for key, value in tensors_of(checkpoint.get("network_weights")).items()
            if ".all_modules." not in key and not key.startswith("decoder.encoder.")
        }
        members.append(reordered(values, turned.order) if network.dimensions == 3 else values)
    trainer = str(first.get("trainer_name", "an unknown trainer"))[:60]
    return ForeignModel(stage, tuple(members), f"nnU-Net v2, {settings['class']}, {name}, trained with {trainer}")


def _folds(folder: Path, wanted: Sequence[str]) -> list[Path]:
    """Returns the checkpoints of the folds that are wanted, or of all."""
    places = [folder / f"fold_{fold}" for fold in wanted] or sorted(folder.glob("fold_*"))
    found = []
    for place in places:
        files = [place / name for name in CHECKPOINTS if (place / name).is_file()]
        if not files and wanted:
            raise InputError(f"There is no checkpoint in {place.name[:20]}. Give folds that were trained.")
        found += files[:1]
    if not found:
        raise InputError("The folder has no fold with a checkpoint. Give the folder of one configuration.")
    return found


def _configuration(folder: Path, checkpoint: Mapping[str, Any]) -> str:
    """Returns the name of the configuration: as the checkpoint has it, else as the folder is called."""
    arguments = checkpoint.get("init_args")
    told = arguments.get("configuration") if isinstance(arguments, Mapping) else None
    name = told if isinstance(told, str) else folder.resolve().name.split("__")[-1]
    if "cascade" in name:
        raise InputError("A cascade needs the result of another network. Give the folder of 3d_fullres or 3d_lowres.")
    return name


def _settings(plans: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Returns what the plans say of a configuration; older plans name the network's parts one by one."""
    configurations = plans["configurations"]
    if name not in configurations:
        raise InputError(f"plans.json has no configuration '{name[:40]}'. Give a results folder with its own name.")
    own = dict(configurations[name])
    while parent := own.pop("inherits_from", None):
        own = {**configurations[parent], **own}
    if "architecture" in own:
        own["class"] = str(own["architecture"]["network_class_name"]).rsplit(".", 1)[-1]
        own["network"] = dict(own["architecture"]["arch_kwargs"])
    else:
        base, most, strides = own["UNet_base_num_features"], own["unet_max_num_features"], own["pool_op_kernel_sizes"]
        own["class"] = own["UNet_class_name"]
        blocks = "n_blocks_per_stage" if "Residual" in own["class"] else "n_conv_per_stage"
        own["network"] = {
            "features_per_stage": [min(base * 2**level, most) for level in range(len(strides))],
            "strides": strides,
            "kernel_sizes": own["conv_kernel_sizes"],
            blocks: own["n_conv_per_stage_encoder"],
            "n_conv_per_stage_decoder": own["n_conv_per_stage_decoder"],
        }
    if own["class"] not in _CLASSES:
        raise InputError(f"The network '{str(own['class'])[:40]}' is not known here. Known: {', '.join(_CLASSES)}.")
    for key, expected in _EXPECTED.items():
        value = own["network"].get(key, expected)
        value = value.rsplit(".", 1)[-1] if isinstance(value, str) else value
        if value != expected and not (isinstance(expected, tuple) and value in expected):
            raise InputError(
                f"The network differs from nnU-Net's usual one in '{key}'. Such a variant is not known here."
            )
    return own


def _axes(plans: Mapping[str, Any], settings: Mapping[str, Any], orientation: str | None, mirrored: Any) -> NetworkAxes:
    """Returns how the network's axes lie. Readers give arrays (z, y, x), which the plan may have transposed."""
    files = (orientation or "LPS").upper()
    axes_of(files)  # three directions
    forward = [int(axis) for axis in plans["transpose_forward"]]
    directions = "".join(files[::-1][axis] for axis in forward)
    turned = axes_of(directions)
    flat = len(settings["patch_size"]) == 2
    # of a 2D network, the first axis is that of the slices
    free = {turned.place[int(axis) + flat] for axis in mirrored or ()} | ({0} if flat else set())
    if flat and turned.place[0] != 0:
        raise InputError("The 2D network sees other planes than axial ones. KidneySeg runs axial ones alone.")
    if flat and turned.place != (0, 1, 2):
        raise InputError("The 2D network sees slices with rows and columns exchanged. Give the 3D configuration.")
    if orientation is None and not {1, 2} <= free:
        raise InputError(
            "The network was trained without mirrored images, so it must be known how its files lay. Say it with "
            "--orientation, as nibabel's aff2axcodes gives it (LPS, RAS …)."
        )
    flips = [flip and axis not in free for axis, flip in enumerate(turned.reversed)]
    return NetworkAxes(turned.place, (flips[0], flips[1], flips[2]))


def _network(
    settings: Mapping[str, Any], dataset: Mapping[str, Any], own: Mapping[str, str], turned: NetworkAxes
) -> tuple[NetworkPlan, tuple[float, float, float], tuple[int, int, int]]:
    """Returns the network's plan, its grid in mm and its patch, along our axes."""
    channels = dataset.get("channel_names") or dataset.get("modality")
    if not isinstance(channels, Mapping) or len(channels) != 1:
        raise InputError("The network takes several images of an exam. KidneySeg has one CT image.")
    told = settings["network"]
    spacing, patch = [float(mm) for mm in settings["spacing"]], [int(size) for size in settings["patch_size"]]
    flat = len(patch) == 2
    strides, kernels = ([tuple(map(int, level)) for level in told[key]] for key in ("strides", "kernel_sizes"))
    if flat:
        spacing, patch = [1.0, *spacing], [1, *patch]
    else:
        spacing, patch = list(turned.ours(tuple(spacing))), [int(size) for size in turned.ours(tuple(patch))]
        strides, kernels = ([tuple(map(int, turned.ours(level))) for level in each] for each in (strides, kernels))
    blocks = told.get("n_blocks_per_stage", told.get("n_conv_per_stage"))
    topology = Topology(
        tuple(strides), tuple(kernels), tuple(map(int, blocks)), tuple(map(int, told["n_conv_per_stage_decoder"]))
    )
    outputs, exclusive = _outputs(dataset, own)
    plan = NetworkPlan(
        f"nnunet-{_CLASSES[settings['class']]}{2 if flat else 3}d",
        tuple(map(int, told["features_per_stage"])),
        outputs,
        exclusive=exclusive,
        topology=topology,
    )
    return plan, (spacing[0], spacing[1], spacing[2]), (patch[0], patch[1], patch[2])


def _outputs(dataset: Mapping[str, Any], own: Mapping[str, str]) -> tuple[tuple[str, ...], bool]:
    """Returns the names of the outputs, and whether they exclude each other (no regions)."""
    labels = {str(name): value for name, value in dataset["labels"].items()}
    if any(isinstance(value, list) and len(value) > 1 for value in labels.values()):
        regions = {
            name: [int(number) for number in (value if isinstance(value, list) else [value])]
            for name, value in labels.items()
            if value not in (0, [0])
        }
        return region_names(regions, own), False
    numbers = {int(value[0] if isinstance(value, list) else value): name for name, value in labels.items()}
    if sorted(numbers) != list(range(len(numbers))):
        raise InputError("The labels of dataset.json are not numbered 0, 1, 2 … Give the one of the training.")
    return output_names([numbers[number] for number in range(len(numbers))], own), True


def _normalisation(plans: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[tuple[float, float], Normalisation]:
    """Returns the HU that are clipped to, and mean and deviation."""
    if list(settings["normalization_schemes"]) != ["CTNormalization"]:
        raise InputError(
            "The network does not normalise its images as CT. Only nnU-Net's CTNormalization is known here."
        )
    told = plans["foreground_intensity_properties_per_channel"]["0"]
    window = float(told["percentile_00_5"]), float(told["percentile_99_5"])
    return window, Normalisation(float(told["mean"]), max(float(told["std"]), 1e-8))
