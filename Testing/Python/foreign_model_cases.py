"""What the tests of models of others share: importing one, and what a bundle says of an image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from typer.testing import CliRunner

from KidneySegLib.bundles.bundle import Bundle, read_bundle
from KidneySegLib.commands.app import app
from KidneySegLib.inference.device import choose_device
from KidneySegLib.segmentation.load import load_predictors

SIZE = (8, 16, 24)


def imported(source: Path, output: Path, *options: str) -> Bundle:
    arguments = ["models", "import", str(source), "-o", str(output), "--licence", "CC0", *options]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return read_bundle(output)


def probabilities(bundle: Bundle, hu: torch.Tensor) -> torch.Tensor:
    device = replace(choose_device("cpu"), precision=torch.float32)
    predictor = load_predictors(bundle, device, ["locator", "kidney"])["exam"]
    return predictor.probabilities(hu)


def image(shape: tuple[int, ...] = SIZE) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).normal(60, 150, shape).astype(np.float32))
