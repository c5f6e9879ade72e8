"""From a bundle to the tables: a tiny network through the commands, and the shipped one on real frames."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image

from KidneySegLib.bundles.bundle import WEIGHTS, Bundle, write_bundle
from KidneySegLib.bundles.catalogue import bundle_folders, find_bundle
from KidneySegLib.bundles.header import read_header
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import FrameRules, UltrasoundRules
from KidneySegLib.commands.evaluate import evaluate_exams
from KidneySegLib.networks.factory import build_network, parameters
from KidneySegLib.tasks.run import run

DATA = Path(__file__).parents[3] / "shared" / "data" / "ultrasound" / "validation"
STAGE = StagePlan(
    "ultrasound", NetworkPlan("unet2d", (4, 8), ("kidney",)), (1.0,) * 3, (0.0, 255.0), (1, 64, 64), whole=True
)


def tiny_bundle(folder: Path, bias: float) -> Path:
    """Writes a bundle whose network gives the same logit everywhere."""
    torch.manual_seed(0)
    values = {name: value.clone() for name, value in parameters(build_network(STAGE.network)).items()}
    values["output_block.conv.conv.weight"].zero_()
    values["output_block.conv.conv.bias"].fill_(bias)
    rules = UltrasoundRules(FrameRules(0.01, 0.6, 0.9, 0.02))
    bundle = Bundle(folder, folder.name, "1.0.0", "Tiny", "ultrasound", "CC BY 4.0", (STAGE,), rules, sha256="")
    write_bundle(bundle, {"ultrasound": values})
    (folder / "card.md").write_text("# Tiny\n")
    return folder


def frames(folder: Path, count: int) -> Path:
    """Writes a folder of frames; the kidney fills half of each."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    mask = np.zeros((80, 100), np.uint8)
    mask[20:60, :] = 255
    grey = np.random.default_rng(0).integers(40, 200, (80, 100)).astype(np.uint8)
    for n in range(count):
        Image.fromarray(grey).save(folder / "images" / f"f{n}.png")
        Image.fromarray(mask).save(folder / "masks" / f"f{n}.png")
    (folder / "frames.json").write_text(json.dumps([{"image": f"f{n}.png", "study": f"s{n}"} for n in range(count)]))
    return folder


def test_tables_of_frames_come_out_of_evaluate(tmp_path: Path) -> None:
    model = tiny_bundle(tmp_path / "tiny", bias=6.0)
    folder = frames(tmp_path / "frames", 2)
    results, pages = evaluate_exams([folder], tmp_path / "out", task="ultrasound", model=str(model))
    assert [result.frame.scores.recall for result in results if result.frame] == [1.0, 1.0]
    assert [result.frame.scores.precision for result in results if result.frame] == [0.5, 0.5]
    table = next(page for page in pages if page.name == "frames")
    assert table.rows[0][2:7] == ("50.00 ± 0.00", "50.00 ± 0.00", "100.00 ± 0.00", "50.00 ± 0.00", "66.67 ± 0.00")
    assert table.rows[1][6] == "100.00 ± 0.00"  # the constant mask is the kidney of the other frame
    assert (tmp_path / "out" / "frames_by_case.csv").is_file()
    assert "Confusion matrix" in (tmp_path / "out" / "evaluation.md").read_text(encoding="utf-8")


def test_no_kidney_in_view_is_an_empty_answer_and_a_flag(tmp_path: Path) -> None:
    model = tiny_bundle(tmp_path / "tiny", bias=-6.0)
    folder = frames(tmp_path / "frames", 1)
    result = run("ultrasound", folder / "images" / "f0.png", model=str(model))
    assert not result.segmentation.labels.any()
    assert "no_kidney" in [flag.code for flag in result.findings.flags]


def shipped() -> str:
    names = [folder.name for folder in bundle_folders() if read_header(folder).task == "ultrasound"]
    if not names:
        pytest.skip("the bundle us-kidney is not in Resources/Models")
    return names[0]


def test_shipped_bundle_is_small_and_has_a_card() -> None:
    bundle = find_bundle(shipped(), "ultrasound")
    assert (bundle.folder / WEIGHTS).stat().st_size < 4_000_000
    assert (bundle.folder / "card.md").is_file()


def test_shipped_bundle_outlines_real_kidneys(tmp_path: Path) -> None:
    name = shipped()
    if not DATA.is_dir():
        pytest.skip("the real frames (../shared/data/ultrasound) are not here")
    entries = json.loads((DATA / "frames.json").read_text(encoding="utf-8"))
    chosen = [entry for entry in entries if entry["image"].startswith("ncnu_")][:6]
    for kind in ("images", "masks"):
        (tmp_path / "frames").mkdir(exist_ok=True)
        (tmp_path / "frames" / kind).symlink_to(DATA / kind)
    (tmp_path / "frames" / "frames.json").write_text(json.dumps(chosen))
    results, _ = evaluate_exams([tmp_path / "frames"], tmp_path / "out", task="ultrasound", model=name)
    assert fmean(result.frame.scores.dice for result in results if result.frame) > 0.9
