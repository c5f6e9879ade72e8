"""Model bundles that are damaged, wrong or hostile: one sentence with exit code 4, no hang, no hunger for memory."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from Fuzz.case import Case, Family
from KidneySegLib.bundles.bundle import Bundle, read_bundle, write_bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.inference.device import choose_device
from KidneySegLib.networks.factory import build_network, parameters
from KidneySegLib.segmentation.load import load_predictors
from KidneySegLib.tasks.ct import CT

Build = Callable[[Path, np.random.Generator], Path]
NAN, INFINITE, HUGE = math.nan, math.inf, 1e300
STAGES = tuple(
    StagePlan(name, NetworkPlan("unet3d", (4, 8, 8), ("kidney",)), (4.0,) * 3, (-160.0, 340.0), (16, 16, 16))
    for name in ("locator", "kidney")
)


def load(folder: Path) -> None:
    """Reads a bundle and builds its networks, as a run does."""
    load_predictors(read_bundle(folder), choose_device("cpu"), CT.stages)


def manifests() -> list[Case]:
    """Returns cases of wrong plans, by the path of what is replaced in the manifest."""
    family = Family("bundle plans", reader=load)
    family.add("as it should be", _bundle(), True)
    wrong: dict[tuple[str | int, ...], tuple[Any, ...]] = {
        ("format_version",): ("one", -math.inf, None, 99, [1], HUGE),
        ("stages",): ([], {}, None, [None], "kidney", [{}] * 3),
        ("stages", 0, "spacing"): ([NAN] * 3, [4, 4, HUGE], [4, 4], [4, 4, "4"], [1e-9] * 3, 4),
        ("stages", 0, "window"): ([NAN, 1], [-INFINITE, INFINITE], [1], [340, -160], [-HUGE, HUGE]),
        ("stages", 0, "patch"): ([16, 16, 15], [1 << 20] * 3, [16, 16, HUGE], [0, 16, 16], "16", [16.5, 16, 16]),
        ("stages", 0, "overlap"): (NAN, 1, 0.9999999, "0.5", True),
        ("stages", 0, "threshold"): (NAN, 0, HUGE, None),
        ("stages", 0, "scales"): ([], [NAN], [1.0] * 10_000, [1e-6], 1),
        ("stages", 0, "equalise"): ({"tile_mm": NAN, "clip_limit": 0.1}, {"tile_mm": 5}, 7),
        ("stages", 0, "name"): (None, "kidney", "organ", "../../x", "a\nb", 5),
        ("stages", 0, "network"): (None, {}, "unet3d", []),
        ("stages", 0, "network", "filters"): (
            [1 << 30, 8, 8], [4096] * 8, [8] * 60, [], [8, 8], "488", [4.5, 8, 8], [-4, 8, 8], [NAN, 8, 8],
            [HUGE, 8, 8],
        ),
        ("stages", 0, "network", "outputs"): ([], ["kidney"] * 100_000, [1], "kidney"),
        ("stages", 0, "network", "inputs"): ([], ["image"] * 9, None),
        ("stages", 0, "network", "architecture"): ("unet2d", "os.system", 3, None),
        ("stages", 0, "network", "affine"): ("yes", 1),
        ("stages", 0, "more"): (1,),
        ("stages", 0, "whole"): ("yes", 1, None),
        ("stages", 0, "ensemble"): (2, {"members": 1}, {"members": HUGE}, {"members": 2, "fusion": "x"}),
        ("rules",): (None, [], {"unknown": 1}, {}),
        ("rules", "kidney"): (None, {}, [NAN]),
        ("rules", "kidney", "margin_mm"): (NAN, INFINITE, HUGE, -5, "14", None, True),
        ("rules", "kidney", "more"): (1,),
        ("rules", "lesion"): ({"smallest_lesion_mm": 5.0}, 5),
        ("sha256",): (None, "", 5),
        ("more",): (1,),
        ("name",): (None, "a\x1b[2J", "x" * 5000, 5),
    }  # fmt: skip
    for path, values in wrong.items():
        for number, value in enumerate(values):
            where = ".".join(map(str, path))
            family.add(f"{where} wrong {number}", _bundle(_replaced(path, value)), False, exit_code=4)
    for name, content in {
        "empty": b"", "no JSON": b"{", "a list": b"[]", "a number": b"1e999", "no text": b"\xff\xfe\xff",
        "nested": b"[" * 100_000, "large": b" " * (5 << 20) + b"{}",
    }.items():  # fmt: skip
        family.add(f"manifest {name}", _bundle(content=content), False, exit_code=4)
    return family.cases


def weights() -> list[Case]:
    """Returns cases of wrong weights whose checksum is right."""
    family = Family("bundle weights", reader=load)
    for name, value in {"NaN": NAN, "infinite": INFINITE, "minus infinite": -INFINITE, "huge": 3e38}.items():
        family.add(f"{name} in one value", _weights(_one(value)), False, "no network has", exit_code=4)
    family.add(
        "of another shape",
        _weights(lambda old: {key: value[..., :1] for key, value in old.items()}),
        False,
        exit_code=4,
    )
    family.add("one missing", _weights(lambda old: dict(list(old.items())[1:])), False, exit_code=4)
    family.add("one more", _weights(lambda old: {**old, "kidney/more": torch.zeros(3)}), False, exit_code=4)
    # 32 bits are no form in which weights are stored, and 8 bits need their scale
    family.add(
        "whole numbers", _weights(lambda old: {key: value.int() for key, value in old.items()}), False, exit_code=4
    )
    eight = _weights(lambda old: {key: value.to(torch.int8) for key, value in old.items()})
    family.add("8 bits without a scale", eight, False, exit_code=4)
    for name, content in {
        "empty": b"", "no safetensors": b"pickle", "header too long": b"\xff" * 8 + b"{}",
        "sizes that lie": b"\x40" + bytes(7) + b'{"a":{"dtype":"F16","shape":[4000000000],"data_offsets":[0,8]}}  ',
    }.items():  # fmt: skip
        family.add(f"file {name}", _weights(content=content), False, exit_code=4)
    return family.cases


def _bundle(alter: Callable[[Any], Any] | None = None, content: bytes | None = None) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        torch.manual_seed(0)
        rules = find_bundle(None, "ct").rules.of_stages({stage.name for stage in STAGES})
        bundle = Bundle(folder / "tiny", "tiny", "1", "tiny", "ct", "none", STAGES, rules, "")
        write_bundle(bundle, {stage.name: parameters(build_network(stage.network)) for stage in STAGES})
        path = folder / "tiny" / "bundle.json"
        if alter is not None:
            path.write_text(json.dumps(alter(json.loads(path.read_text()))))
        if content is not None:
            path.write_bytes(content)
        return folder / "tiny"

    return build


def _replaced(path: tuple[str | int, ...], value: Any) -> Callable[[Any], Any]:
    def alter(data: Any) -> Any:
        place = data
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return data

    return alter


def _weights(alter: Callable[[dict], dict] | None = None, content: bytes | None = None) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        import hashlib

        from safetensors.torch import load_file, save_file

        bundle = _bundle()(folder, generator)
        path = bundle / "weights.safetensors"
        if alter is not None:
            save_file({key: value.contiguous() for key, value in alter(load_file(path)).items()}, path)
        if content is not None:
            path.write_bytes(content)
        manifest = json.loads((bundle / "bundle.json").read_text())
        manifest["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        (bundle / "bundle.json").write_text(json.dumps(manifest))
        return bundle

    return build


def _one(value: float) -> Callable[[dict], dict]:
    def alter(old: dict) -> dict:
        first = next(iter(old))
        changed = old[first].float()
        changed.view(-1)[0] = value
        return {**old, first: changed}

    return alter
