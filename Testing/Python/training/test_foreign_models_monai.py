"""MONAI bundles become bundles whose networks say what the source's own say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign_model_cases import image, imported, probabilities

from KidneySegLib.errors import InputError

CHANNELS = {"0": "background", "1": "kidney", "2": "renal tumor"}


def monai(folder: Path, network: torch.nn.Module, **changes: Any) -> Path:
    """Writes a bundle in the layout of MONAI's model zoo."""
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    outputs = {"outputs": {"pred": {"channel_def": CHANNELS}}}
    metadata = {"name": "Renal structures", "version": "0.1.0", "network_data_format": outputs}
    config: dict[str, Any] = {
        "low": -79,
        "device": "$torch.device('cuda:0')",
        "network_def": {
            **{"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [4, 6, 8]},
            **{"strides": [2, 2], "num_res_units": 2, "norm": "batch"},
        },
        "network": "$@network_def.to(@device)",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "image"},
                {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
                {"_target_": "Spacingd", "keys": "image", "pixdim": [2.0, 3.0, 4.0], "mode": "bilinear"},
                {
                    "_target_": "ScaleIntensityRanged",
                    "a_min": "@low",
                    "a_max": 304,
                    "b_min": 0,
                    "b_max": 1,
                    "clip": True,
                },
            ],
        },
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [24, 16, 8], "overlap": 0.5},
        "postprocessing": {"_target_": "Compose", "transforms": [{"_target_": "Activationsd", "softmax": True}]},
        **changes,
    }
    (folder / "configs/metadata.json").write_text(json.dumps(metadata))
    (folder / "configs/inference.json").write_text(json.dumps(config))
    torch.save(network.state_dict(), folder / "models/model.pt")
    return folder


def monai_network() -> torch.nn.Module:
    nets = pytest.importorskip("monai.networks.nets", reason="MONAI, which training uses, is not installed")
    torch.manual_seed(5)
    network = nets.UNet(3, 1, 3, (4, 6, 8), (2, 2), num_res_units=2, norm="batch").eval()
    for name, value in network.state_dict().items():
        if "running" in name:
            torch.nn.init.uniform_(value, 0.5, 2)
    return network


def test_a_monai_bundle_says_what_it_said(tmp_path: Path) -> None:
    network = monai_network()
    bundle = imported(monai(tmp_path / "zoo", network), tmp_path / "mine")
    (stage,) = bundle.stages
    assert stage.network.outputs == ("background", "kidney", "mass")
    assert stage.spacing == (4.0, 3.0, 2.0) and stage.patch == (8, 16, 24) and stage.flipped == (False, True, True)
    hu = image()
    with torch.inference_mode():
        seen = ((hu.clamp(-79, 304) + 79) / 383).permute(2, 1, 0).flip(0, 1)  # x, y, z to the right, front and head
        expected = torch.softmax(network(seen[None, None])[0], dim=0).flip(1, 2).permute(0, 3, 2, 1)
    torch.testing.assert_close(probabilities(bundle, hu), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"network_def": {"_target_": "monai.networks.nets.SwinUNETR", "spatial_dims": 3}},
            "'monai.networks.nets.SwinUNETR'",
        ),
        ({"inferer": {"_target_": "SlidingWindowInferer", "roi_size": "$(96,) * 3"}}, "as numbers"),
        ({"preprocessing": {"transforms": []}}, "as numbers"),
    ],
)
def test_a_monai_bundle_that_is_not_known_is_told(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        imported(monai(tmp_path / "zoo", torch.nn.Conv3d(1, 1, 1), **change), tmp_path / "mine")
