import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from bundle_cases import made_bundle
from safetensors.torch import load_file, save_file

from KidneySegLib.bundles.bundle import Bundle, read_bundle, write_bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.declaration import Share, declaration
from KidneySegLib.bundles.header import read_header
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import CtRules, CtSliceRules, OutlineRules, Rules
from KidneySegLib.errors import BundleError
from KidneySegLib.inference.device import choose_device
from KidneySegLib.networks.factory import build_network, load_parameters, parameters
from KidneySegLib.resources import resource_folder
from KidneySegLib.segmentation.load import check_stages, load_predictors

STAGE = StagePlan(
    "kidney", NetworkPlan("unet3d", (4, 8, 8), ("kidney",)), (2.0, 2.0, 2.0), (-100.0, 200.0), (16, 16, 16)
)


def make(folder, **changes):
    network = build_network(STAGE.network)
    bundle = replace(made_bundle(folder, STAGE), **changes)
    return write_bundle(bundle, {"kidney": parameters(network)}), network


def test_plan_and_weights_come_back(tmp_path):
    bundle, network = make(tmp_path / "mine")
    assert bundle.stages == (STAGE,)
    again = build_network(STAGE.network)
    load_parameters(again, bundle.weights()["kidney"])
    image = torch.randn(1, 1, 16, 16, 16)
    with torch.inference_mode():
        found, expected = again.eval()(image), network.eval()(image)
        # Layers have 8 bits.
        assert (found - expected).std() < 0.03 * expected.std()


def test_members_of_an_ensemble_come_back_one_by_one(tmp_path):
    networks = [build_network(STAGE.network) for _ in range(3)]
    stage, values = STAGE.with_members([parameters(network) for network in networks])
    bundle = made_bundle(tmp_path / "mine", stage)
    predictor = load_predictors(write_bundle(bundle, {"kidney": values}), choose_device("cpu"), ["kidney"])["kidney"]
    assert len(predictor.members) == 3
    for network, again in zip(networks, predictor.members, strict=True):
        for one, other in zip(network.parameters(), again.parameters(), strict=True):
            assert torch.allclose(one, other.float(), atol=float(one.detach().abs().max()) / 250 + 1e-3)


@pytest.mark.parametrize(
    "change", [{"members": 2}, {"members": 1}, {"members": 99}, {"members": 2, "fusion": "loudest"}]
)
def test_an_ensemble_without_its_members_or_with_no_known_fusion_is_refused(tmp_path, change):
    bundle, _ = make(tmp_path / "mine")
    data = json.loads((bundle.folder / "bundle.json").read_text())
    data["stages"][0]["ensemble"] = change
    (bundle.folder / "bundle.json").write_text(json.dumps(data))
    with pytest.raises(BundleError):
        load_predictors(read_bundle(bundle.folder), choose_device("cpu"), ["kidney"])


def test_every_weight_is_stored_once(tmp_path):
    bundle, network = make(tmp_path / "mine")
    count = sum(p.numel() for p in network.parameters())
    assert (bundle.folder / "weights.safetensors").stat().st_size < 2 * count + 20_000


def test_altered_weights_are_refused(tmp_path):
    bundle, _ = make(tmp_path / "mine")
    path = bundle.folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match="damaged or altered"):
        read_bundle(bundle.folder).weights()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 99}, "Update KidneySeg"),
        ({"stages": [{"name": "kidney"}]}, "stages.0.network: it is missing"),
        ({"rules": {"unknown": 1}}, "unknown: nothing reads this field"),
        ({"rules": {}}, "rules.kidney: it is missing"),
        ({"more": 1}, "more: nothing reads this field"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(tmp_path, change, message):
    bundle, _ = make(tmp_path / "mine")
    path = bundle.folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BundleError, match=message):
        read_bundle(bundle.folder)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rules", "kidney", "margin_mm"), float("nan")),
        (("rules", "kidney", "margin_mm"), 1e300),
        (("stages", 0, "spacing"), [float("inf"), 2, 2]),
        (("stages", 0, "overlap"), 0.9999999),
        (("stages", 0, "network", "filters"), [1 << 20, 1 << 20, 1 << 20]),
        (("stages", 0, "network", "filters"), "488"),
        (("stages", 0, "patch"), [1 << 20, 1 << 20, 1 << 20]),
        (("format_version",), float("inf")),
        (("name",), "line\nbreak"),
    ],
)
def test_a_plan_beyond_any_network_is_refused_when_it_is_read(tmp_path, path, value):
    bundle, _ = make(tmp_path / "mine")
    data = place = json.loads((bundle.folder / "bundle.json").read_text())
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (bundle.folder / "bundle.json").write_text(json.dumps(data))
    with pytest.raises(BundleError, match=r"^[^\n]+ Get the bundle again\.$"):
        read_bundle(bundle.folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e4])
def test_weights_that_no_network_has_are_refused(tmp_path, value):
    network = build_network(STAGE.network)
    values = {name: tensor.clone() for name, tensor in parameters(network).items()}
    next(iter(values.values())).view(-1)[0] = value
    own = made_bundle(tmp_path / "mine", STAGE)
    with pytest.raises(BundleError, match="no network has"):
        write_bundle(own, {"kidney": values}).weights()


@pytest.mark.parametrize("change", [{"inputs": ("image", "more")}, {"outputs": ("a", "b")}, {"architecture": "unet2d"}])
def test_stages_with_other_channels_are_refused_before_the_run(change):
    patch = (1, 16, 16) if "architecture" in change else STAGE.patch
    stage = replace(STAGE, network=replace(STAGE.network, **change), patch=patch)
    bundle = made_bundle(Path("mine"), stage)
    with pytest.raises(BundleError, match="other channels"):
        check_stages(bundle, ["kidney"])
    with pytest.raises(BundleError, match="no stage 'locator'"):
        check_stages(bundle, ["locator"])


def test_patches_must_fit_the_network(tmp_path):
    data = {**asdict(STAGE), "patch": (16, 16, 15)}
    with pytest.raises(BundleError, match="multiples of 4"):
        StagePlan.from_dict(data)


def test_unknown_networks_are_refused():
    with pytest.raises(BundleError, match="does not have"):
        build_network(NetworkPlan("transformer9", (4, 8), ("kidney",)))


def test_own_bundles_are_found_and_tasks_kept_apart(tmp_path, monkeypatch):
    make(tmp_path / "mine", task="mri", rules=Rules())
    monkeypatch.setenv("KIDNEYSEG_MODELS", str(tmp_path))
    assert find_bundle("mine", "mri").name == "mine"
    assert find_bundle(None, "mri").name == "mine"
    assert find_bundle(str(tmp_path / "mine"), "mri").name == "mine"
    with pytest.raises(BundleError, match="not for 'ct'"):
        find_bundle("mine", "ct")
    with pytest.raises(BundleError, match="no model bundle in the folder"):
        find_bundle("nothing", "ct")


OLD_STAGE = {
    "name": "slice",
    "network": {"architecture": "unet2d", "filters": [4, 8], "outputs": ["kidney"]},
    "spacing": [1.0, 1.5, 1.5],
    "window": [-160.0, 240.0],
    "patch": [1, 64, 64],
    "equalise": None,
}
OLD = {
    "format_version": 1,
    "name": "old",
    "version": "1.0",
    "title": "Of last year",
    "task": "ct",
    "licence": "CC0",
    "stages": [
        OLD_STAGE | {"name": name, "network": OLD_STAGE["network"] | {"architecture": "unet3d"}, "patch": [64, 64, 64]}
        for name in ("locator", "kidney", "organ", "lesion")
    ],
    "rules": {"margin_mm": 20.0, "least_outside_confidence": 0.7},
    "weights_sha256": "abc",
}


def old_bundle(folder: Path, **changes: object) -> Bundle:
    folder.mkdir(exist_ok=True)
    (folder / "bundle.json").write_text(json.dumps({**OLD, **changes}))
    return read_bundle(folder)


def test_a_bundle_of_format_1_keeps_its_rules_and_gets_those_that_stood_in_the_code(tmp_path):
    bundle = old_bundle(tmp_path / "old")
    assert isinstance(bundle.rules, CtRules) and bundle.rules.lesion is not None
    assert bundle.rules.kidney.margin_mm == 20.0 and bundle.rules.kidney.least_confidence == 0.85
    assert bundle.rules.kidney.smallest_seed_ml == 1.5 and bundle.rules.kidney.second_piece_share == 0.15
    assert bundle.rules.lesion.least_outside_confidence == 0.7 and bundle.rules.lesion.highest_level == 0.6
    assert bundle.rules.renal is None
    assert bundle.sha256 == "abc"
    assert not any(stage.whole for stage in bundle.stages)


def test_a_slice_bundle_of_format_1_sees_slices_whole_and_has_no_rules_for_volumes(tmp_path):
    bundle = old_bundle(tmp_path / "old", task="ct-slice", stages=[OLD_STAGE], rules={"sure_confidence": 0.88})
    assert bundle.stages[0].whole
    # format 1 did not read that rule for slices; its code had 0.9
    assert bundle.rules == CtSliceRules(OutlineRules(sure_confidence=0.9))


def test_a_bundle_of_format_1_with_an_unknown_rule_is_refused(tmp_path):
    with pytest.raises(BundleError, match="a rule is not known"):
        old_bundle(tmp_path / "old", rules={"margin": 14.0})


def test_rules_for_a_stage_that_is_not_there_are_refused(tmp_path):
    bundle, _ = make(tmp_path / "mine")
    data = json.loads((bundle.folder / "bundle.json").read_text())
    data["rules"]["lesion"] = json.loads((resource_folder() / "Models" / "ct-kidney" / "bundle.json").read_text())[
        "rules"
    ]["lesion"]
    (bundle.folder / "bundle.json").write_text(json.dumps(data))
    with pytest.raises(BundleError, match=r"rules\.lesion: nothing reads this field"):
        read_bundle(bundle.folder)


def test_layers_are_stored_in_8_bits_and_come_back_within_half_a_step_of_their_channel(tmp_path):
    bundle, _ = make(tmp_path / "mine")
    layer = torch.randn(8, 16, 3, 3, 3) * torch.logspace(-3, 1, 8).reshape(-1, 1, 1, 1, 1)
    layer[3] = 0.0
    bias = torch.randn(8).half().float()
    written = write_bundle(bundle, {"locator": {"layer.weight": layer, "layer.bias": bias}})
    stored = load_file(written.folder / "weights.safetensors")
    assert stored["locator/layer.weight"].dtype == torch.int8
    back = written.weights()["locator"]
    assert set(back) == {"layer.weight", "layer.bias"} and torch.equal(back["layer.bias"], bias)
    step = layer.abs().flatten(1).amax(dim=1) / 127
    assert ((back["layer.weight"] - layer).abs().flatten(1).amax(dim=1) <= step / 2 + 1e-6).all()
    assert (back["layer.weight"][3] == 0).all()


@pytest.mark.parametrize(
    "stored",
    [
        {"locator/layer": torch.ones(4, 4, dtype=torch.int8)},
        {"locator/layer": torch.ones(4, 4, dtype=torch.int8), "locator/layer:scale": torch.ones(3)},
        {"locator/layer": torch.ones(4, 4), "locator/layer:scale": torch.ones(4)},
        {"locator/layer:scale": torch.ones(4)},
        {"locator/layer": torch.ones(4, 4, dtype=torch.int32)},
        {"locator/layer": torch.tensor(1, dtype=torch.int8), "locator/layer:scale": torch.ones(1)},
        {"locator/layer": torch.ones(4, 4, dtype=torch.int8), "locator/layer:scale": torch.full((4,), torch.inf)},
    ],
)
def test_layers_whose_scales_do_not_fit_are_refused(tmp_path, stored):
    bundle, _ = make(tmp_path / "mine")
    file = bundle.folder / "weights.safetensors"
    save_file(stored, file)
    with pytest.raises(BundleError, match="Get the bundle again"):
        replace(bundle, sha256=hashlib.sha256(file.read_bytes()).hexdigest()).weights()


def test_shipped_bundles_are_whole_and_in_the_present_format():
    for folder in (resource_folder() / "Models").iterdir():
        bundle = read_bundle(folder)
        bundle.verify()
        assert json.loads((folder / "bundle.json").read_text())["format_version"] in (2, 3)
        assert read_header(folder).title == bundle.title and bundle.card


def test_a_further_task_has_its_own_rules(tmp_path, monkeypatch):
    @declaration
    class DiscRules(Rules):
        brightness: Share

    monkeypatch.setattr("KidneySegLib.bundles.rules._BY_TASK", {"ct": CtRules, "disc": DiscRules})
    bundle, _ = make(tmp_path / "mine", task="disc", rules=DiscRules(0.5))
    assert bundle.rules == DiscRules(brightness=0.5)
    data = json.loads((bundle.folder / "bundle.json").read_text())
    (bundle.folder / "bundle.json").write_text(json.dumps({**data, "rules": {"brightness": 2}}))
    with pytest.raises(BundleError, match="brightness"):
        read_bundle(bundle.folder)
