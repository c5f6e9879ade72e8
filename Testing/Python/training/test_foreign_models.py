"""Models of others become bundles whose networks say what the source's own say, and run like any bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from foreign_model_cases import SIZE, image, imported, probabilities

from KidneySegLib.bundles.catalogue import bundle_folders
from KidneySegLib.bundles.header import read_header
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.topology import Topology
from KidneySegLib.errors import InputError
from KidneySegLib.networks.factory import build_network
from KidneySegLib.tasks.run import run
from KidneySegLib.training.foreign_models.axes import axes_of
from KidneySegLib.training.foreign_models.model import output_names, region_names

STRIDES, KERNELS = ((1, 1, 1), (1, 2, 2), (2, 2, 2)), ((1, 3, 3), (3, 3, 3), (3, 3, 3))
FILTERS = (4, 6, 8)


def source_network(outputs: int, *, residual: bool = False) -> torch.nn.Module:
    """nnU-Net's own network where its package is installed, else ours, which a test holds to be the same."""
    topology = Topology(STRIDES, KERNELS, (1, 2, 2) if residual else (2, 2, 2), (1, 1) if residual else (2, 2))
    kind = "residual" if residual else "plain"
    names = tuple(str(number) for number in range(outputs))
    torch.manual_seed(outputs)
    network = build_network(NetworkPlan(f"nnunet-{kind}3d", FILTERS, names, topology=topology)).eval()
    try:
        from dynamic_network_architectures.architectures import unet
    except ImportError:
        return network
    settings = {
        **{"conv_op": torch.nn.Conv3d, "kernel_sizes": KERNELS, "strides": STRIDES, "num_classes": outputs},
        **{"n_conv_per_stage_decoder": topology.decoder, "conv_bias": True, "norm_op": torch.nn.InstanceNorm3d},
        **{"norm_op_kwargs": {"eps": 1e-5, "affine": True}, "nonlin": torch.nn.LeakyReLU},
        "n_blocks_per_stage" if residual else "n_conv_per_stage": topology.encoder,
    }
    return (unet.ResidualEncoderUNet if residual else unet.PlainConvUNet)(1, 3, FILTERS, **settings).eval()


def plans(*, residual: bool = False, forward: tuple[int, ...] = (0, 1, 2), **changes: Any) -> dict[str, Any]:
    blocks = {"n_blocks_per_stage": [1, 2, 2]} if residual else {"n_conv_per_stage": [2, 2, 2]}
    kind = "ResidualEncoderUNet" if residual else "PlainConvUNet"
    architecture = {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{kind}",
        "arch_kwargs": {
            "n_stages": 3,
            "features_per_stage": list(FILTERS),
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": KERNELS,
            "strides": STRIDES,
            "n_conv_per_stage_decoder": [1, 1] if residual else [2, 2],
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
            **blocks,
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    configuration = {
        "patch_size": list(SIZE),
        "spacing": [4.0, 3.0, 2.0],
        "normalization_schemes": ["CTNormalization"],
        "architecture": architecture,
        **changes,
    }
    statistics = {"mean": 100.0, "std": 75.0, "percentile_00_5": -60.0, "percentile_99_5": 300.0}
    return {
        "transpose_forward": list(forward),
        "foreground_intensity_properties_per_channel": {"0": statistics},
        "configurations": {"3d_fullres": configuration, "3d_cascade_fullres": {"inherits_from": "3d_fullres"}},
    }


LABELS: dict[str, Any] = {"background": 0, "kidney": 1, "tumor": 2, "cyst": 3}


def nnunet(
    folder: Path,
    network: torch.nn.Module,
    plan: dict[str, Any],
    *,
    labels: dict[str, Any] = LABELS,
    folds: int = 1,
    mirrored: tuple[int, ...] | None = (0, 1, 2),
) -> Path:
    """Writes a results folder as nnU-Net does, with all that its checkpoints hold beside the weights."""
    results = folder / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    results.mkdir(parents=True)
    (results / "plans.json").write_text(json.dumps(plan))
    (results / "dataset.json").write_text(json.dumps({"channel_names": {"0": "CT"}, "labels": labels}))
    for fold in range(folds):
        (results / f"fold_{fold}").mkdir()
        state = {name: value + fold / 100 for name, value in network.state_dict().items()}
        # the package's networks hold every layer under several names
        state |= {name.replace(".conv.", ".all_modules.0."): value for name, value in state.items() if ".conv." in name}
        state |= {f"decoder.{name}": value for name, value in state.items() if name.startswith("encoder.")}
        checkpoint = {
            "network_weights": state,
            "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.01}]},
            "logging": {"ema_fg_dice": [np.float64(0.5), np.float32(0.25)], "epoch_start_timestamps": [1.5]},
            "_best_ema": np.float64(0.5),
            "current_epoch": 1000,
            "init_args": {"configuration": "3d_fullres", "fold": fold, "device": torch.device("cpu")},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": mirrored,
        }
        torch.save(checkpoint, results / f"fold_{fold}/checkpoint_final.pth")
    return results


@pytest.mark.parametrize("residual", [False, True])
def test_an_nnunet_says_what_it_said(tmp_path: Path, residual: bool) -> None:
    network = source_network(4, residual=residual)
    bundle = imported(nnunet(tmp_path, network, plans(residual=residual)), tmp_path / "mine")
    (stage,) = bundle.stages
    assert stage.network.outputs == ("background", "kidney", "mass", "cyst") and stage.network.exclusive
    assert stage.spacing == (4.0, 3.0, 2.0) and stage.patch == SIZE and stage.window == (-60.0, 300.0)
    hu = image()
    with torch.inference_mode():
        logits = network(((hu.clamp(-60, 300) - 100) / 75)[None, None])[0]
    expected = torch.softmax(logits, dim=0)
    assert float(expected.std()) > 0.01
    torch.testing.assert_close(probabilities(bundle, hu), expected, rtol=1e-5, atol=1e-6)
    assert "nnU-Net v2" in bundle.card and "did not measure" in bundle.card


def test_transposed_axes_are_put_back(tmp_path: Path) -> None:
    """A plan whose first axis is the last of the files, as those of KiTS: sagittal, axial and coronal are exchanged."""
    network = source_network(4)
    folder = nnunet(tmp_path, network, plans(forward=(2, 0, 1)), mirrored=(0, 1, 2))
    bundle = imported(folder, tmp_path / "mine", "--orientation", "SPL")
    # files x, y, z run to S, P, L; arrays are L, P, S; transposed: S, L, P
    (stage,) = bundle.stages
    assert stage.patch == (8, 24, 16) and stage.spacing == (4.0, 2.0, 3.0) and stage.flipped == (False,) * 3
    hu = image((8, 24, 16))
    with torch.inference_mode():
        seen = ((hu.clamp(-60, 300) - 100) / 75).permute(0, 2, 1)
        expected = torch.softmax(network(seen[None, None])[0], dim=0).permute(0, 1, 3, 2)
    torch.testing.assert_close(probabilities(bundle, hu), expected, rtol=1e-5, atol=1e-6)


def test_folds_become_an_ensemble_and_regions_lie_in_one_another(tmp_path: Path) -> None:
    labels = {"background": 0, "kidney": [1, 2, 3], "masses": [2, 3], "tumor": 2}
    bundle = imported(nnunet(tmp_path, source_network(3), plans(), labels=labels, folds=2), tmp_path / "mine")
    (stage,) = bundle.stages
    assert stage.network.outputs == ("organ", "lesion", "mass") and not stage.network.exclusive
    assert stage.ensemble is not None and stage.ensemble.members == 2
    one = imported(tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres", tmp_path / "one", "--fold", "1")
    assert one.stages[0].ensemble is None


def test_a_network_without_mirrored_images_needs_an_orientation(tmp_path: Path) -> None:
    folder = nnunet(tmp_path, source_network(4), plans(), mirrored=None)
    with pytest.raises(InputError, match="--orientation"):
        imported(folder, tmp_path / "mine")
    assert imported(folder, tmp_path / "mine", "--orientation", "RAS").stages[0].flipped == (False, True, True)


def test_an_older_plan_is_read(tmp_path: Path) -> None:
    plan = plans()
    own = plan["configurations"]["3d_fullres"]
    told = own.pop("architecture")["arch_kwargs"]
    own |= {
        **{"UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 4, "unet_max_num_features": 8},
        **{"conv_kernel_sizes": told["kernel_sizes"], "pool_op_kernel_sizes": told["strides"]},
        **{"n_conv_per_stage_encoder": [2, 2, 2], "n_conv_per_stage_decoder": [2, 2]},
    }
    network = build_network(
        NetworkPlan("nnunet-plain3d", (4, 8, 8), tuple("abcd"), topology=Topology(STRIDES, KERNELS, (2, 2, 2), (2, 2)))
    )
    assert imported(nnunet(tmp_path, network, plan), tmp_path / "mine").stages[0].network.filters == (4, 8, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normalization_schemes": ["ZScoreNormalization"]}, "CTNormalization"),
        ({"patch_size": "large"}, "damaged"),
        ({"architecture": {"network_class_name": "x.Primus", "arch_kwargs": {}}}, "'Primus' is not known"),
        ({"spacing": [0.0, 1.0, 1.0]}, "damaged"),
    ],
)
def test_a_plan_that_is_not_known_is_told(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        imported(nnunet(tmp_path, source_network(4), plans(**change)), tmp_path / "mine")


def test_what_a_checkpoint_holds_is_never_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "owned",))

    folder = nnunet(tmp_path, source_network(4), plans())
    torch.save({"network_weights": Evil()}, folder / "fold_0/checkpoint_final.pth")
    with pytest.raises(InputError, match="not run here"):
        imported(folder, tmp_path / "mine")
    assert not (tmp_path / "owned").exists()
    (folder / "fold_0/checkpoint_final.pth").write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        imported(folder, tmp_path / "mine")
    torch.save({"network_weights": {"a": torch.zeros(1)}}, folder / "fold_0/checkpoint_final.pth")
    with pytest.raises(InputError, match="not those of the network"):
        imported(folder, tmp_path / "mine", "--orientation", "LPS")


def test_imported_models_segment_and_are_listed_like_any_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    imported(nnunet(tmp_path, source_network(4), plans()), models / "from-nnunet")
    monkeypatch.setenv("KIDNEYSEG_MODELS", str(models))
    listed = {folder.name: read_header(folder) for folder in bundle_folders()}
    assert listed["from-nnunet"].task == "ct" and listed["from-nnunet"].licence == "CC0"
    voxels = np.full((10, 24, 30), -1000, np.int16)
    voxels[:, 2:22, 2:28] = np.random.default_rng(0).integers(0, 200, (10, 20, 26))
    picture = sitk.GetImageFromArray(voxels)
    picture.SetSpacing((3.0, 3.0, 4.0))
    sitk.WriteImage(picture, str(tmp_path / "exam.nii.gz"))
    result = run("ct", tmp_path / "exam.nii.gz", model="from-nnunet", device="cpu")
    assert result.findings.provenance.bundles[0].name == "from-nnunet"
    assert result.segmentation.labels.shape == voxels.shape


def test_axes_and_outputs_are_known_by_their_words() -> None:
    assert axes_of("SPL").place == (0, 1, 2) and axes_of("SPL").reversed == (False, False, False)
    assert axes_of("RAS").place == (2, 1, 0) and axes_of("RAS").reversed == (False, True, True)
    assert axes_of("ILP").order == (0, 2, 1) and axes_of("ILP").reversed == (True, False, False)
    for wrong in ("LPX", "LL", "LRS", ""):
        with pytest.raises(InputError, match="three letters"):
            axes_of(wrong)
    assert output_names(["background", "Left kidney", "aorta"], {}) == ("background", "kidney_left", "other_aorta")
    assert region_names({"kidney": [1, 2], "tumor": [2]}, {}) == ("organ", "mass")
    with pytest.raises(InputError, match="None of the model's outputs"):
        output_names(["background", "liver"], {})
    with pytest.raises(InputError, match="same structure"):
        output_names(["background", "tumor", "mass"], {})


def test_a_folder_that_is_neither_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither"):
        imported(tmp_path, tmp_path / "mine")
