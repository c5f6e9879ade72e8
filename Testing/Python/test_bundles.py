import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from KidneySegLib.bundles.bundle import Bundle, Rules, read_bundle, write_bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.plan import NetworkPlan, StagePlan
from KidneySegLib.errors import BundleError
from KidneySegLib.inference.device import choose_device
from KidneySegLib.networks.factory import build_network, load_parameters, parameters
from KidneySegLib.segmentation.load import check_stages, load_predictors

STAGE = StagePlan(
    "kidney", NetworkPlan("unet3d", (4, 8, 8), ("kidney",)), (2.0, 2.0, 2.0), (-100.0, 200.0), (16, 16, 16)
)


def make(folder, **changes):
    network = build_network(STAGE.network)
    values = {"version": "1.0", "title": "test", "task": "ct", "licence": "CC0", **changes}
    bundle = Bundle(folder, folder.name, stages=(STAGE,), rules=Rules(), sha256="", **values)
    return write_bundle(bundle, {"kidney": parameters(network)}), network


def test_plan_and_weights_come_back(tmp_path):
    bundle, network = make(tmp_path / "mine")
    assert bundle.stages == (STAGE,)
    again = build_network(STAGE.network)
    load_parameters(again, bundle.weights()["kidney"])
    image = torch.randn(1, 1, 16, 16, 16)
    with torch.inference_mode():
        # Half precision has 11 significant bits.
        assert torch.allclose(again.eval()(image), network.eval()(image), atol=0.02)


def test_members_of_an_ensemble_come_back_one_by_one(tmp_path):
    networks = [build_network(STAGE.network) for _ in range(3)]
    stage, values = STAGE.with_members([parameters(network) for network in networks])
    bundle = Bundle(tmp_path, "mine", "1", "t", "ct", "CC0", (stage,), Rules(), "")
    predictor = load_predictors(write_bundle(bundle, {"kidney": values}), choose_device("cpu"), ["kidney"])["kidney"]
    assert len(predictor.members) == 3
    for network, again in zip(networks, predictor.members, strict=True):
        for one, other in zip(network.parameters(), again.parameters(), strict=True):
            assert torch.allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("change", [{"members": 2}, {"members": 0}, {"members": 99}, {"fusion": "loudest"}])
def test_an_ensemble_without_its_members_or_with_no_known_fusion_is_refused(tmp_path, change):
    bundle, _ = make(tmp_path / "mine")
    data = json.loads((bundle.folder / "bundle.json").read_text())
    data["stages"][0] |= change
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
        ({"stages": [{"name": "kidney"}]}, "cannot be read"),
        ({"rules": {"unknown": 1}}, "damaged"),
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
        (("rules", "margin_mm"), float("nan")),
        (("rules", "margin_mm"), 1e300),
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
    own = Bundle(tmp_path, "mine", "1", "t", "ct", "CC0", (STAGE,), Rules(), "")
    with pytest.raises(BundleError, match="no network has"):
        write_bundle(own, {"kidney": values}).weights()


@pytest.mark.parametrize("change", [{"inputs": ("image", "more")}, {"outputs": ("a", "b")}, {"architecture": "unet2d"}])
def test_stages_with_other_channels_are_refused_before_the_run(change):
    stage = replace(STAGE, network=replace(STAGE.network, **change))
    bundle = Bundle(Path("x"), "mine", "1", "t", "ct", "CC0", (stage,), Rules(), "")
    with pytest.raises(BundleError, match="other channels"):
        check_stages(bundle, ["kidney"])
    with pytest.raises(BundleError, match="no stage 'locator'"):
        check_stages(bundle, ["locator"])


def test_patches_must_fit_the_network(tmp_path):
    data = {**STAGE.as_dict(), "patch": (16, 16, 15)}
    with pytest.raises(BundleError, match="multiples of 4"):
        StagePlan.from_dict(data)


def test_unknown_networks_are_refused():
    with pytest.raises(BundleError, match="does not have"):
        build_network(NetworkPlan("transformer9", (4,), ("kidney",)))


def test_own_bundles_are_found_and_tasks_kept_apart(tmp_path, monkeypatch):
    make(tmp_path / "mine", task="ultrasound")
    monkeypatch.setenv("KIDNEYSEG_MODELS", str(tmp_path))
    assert find_bundle("mine", "ultrasound").name == "mine"
    assert find_bundle(None, "ultrasound").name == "mine"
    assert find_bundle(str(tmp_path / "mine"), "ultrasound").name == "mine"
    with pytest.raises(BundleError, match="not for 'ct'"):
        find_bundle("mine", "ct")
    with pytest.raises(BundleError, match="no model bundle in the folder"):
        find_bundle("nothing", "ct")
