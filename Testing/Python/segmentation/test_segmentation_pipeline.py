"""The way through the pipeline, with networks that take every voxel of 150 to 250 HU for kidney."""

import itertools

import numpy as np
import pytest
import torch
from bundle_cases import KIDNEY_RULES, made_bundle
from result_cases import segmented

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.errors import Cancelled
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation import load
from KidneySegLib.segmentation.kidneys import outlines
from KidneySegLib.segmentation.kidneys.outline import outline_kidney
from KidneySegLib.segmentation.kidneys.outlines import native_box
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

PLAN = NetworkPlan("unet3d", (4, 8, 8), ("kidney",))
STAGES = (
    StagePlan("locator", PLAN, (4.0, 4.0, 4.0), (-160.0, 340.0), (32, 32, 32), overlap=0.25),
    StagePlan("kidney", PLAN, (1.5, 1.5, 1.5), (-160.0, 340.0), (64, 64, 64)),
)


class Bright(torch.nn.Module):
    """Logits that are positive between 150 and 250 HU."""

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        return (0.2 - (tile - (200 + 160) / 250 + 1).abs()) * 60


@pytest.fixture
def bundle(tmp_path, monkeypatch) -> Bundle:
    def bright(bundle, device, needed):
        return {s.name: Predictor(s, (Bright(),), torch.device("cpu"), torch.float32) for s in bundle.stages}

    monkeypatch.setattr(load, "load_predictors", bright)
    return made_bundle(tmp_path, *STAGES)


def body(*ellipsoids: tuple[tuple[float, float, float], tuple[float, float, float]]) -> Volume:
    """A body of 100 HU, a spine of 1500 HU at x = 0, ellipsoids (centre x y z in mm LPS, half axes) of 200 HU."""
    spacing, size = np.array([2.2, 2.0, 3.0]), np.array([130, 100, 60])
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = (-143.0, -120.0, 500.0)
    i, j, k = np.meshgrid(*map(np.arange, size), indexing="ij")
    x, y, z = (axis * s + o for axis, s, o in zip((i, j, k), spacing, matrix[:3, 3], strict=True))
    hu = np.full(size, -1000.0)
    hu[(x / 135) ** 2 + ((y + 20) / 95) ** 2 < 1] = 100
    hu[(np.abs(x) < 15) & (np.abs(y - 40) < 15)] = 1500
    for centre, axes in ellipsoids:
        distance = sum(((p - c) / a) ** 2 for p, c, a in zip((x, y, z), centre, axes, strict=True))
        hu[distance < 1] = 200
    return Volume(np.ascontiguousarray(hu.transpose(2, 1, 0)).astype(np.int16), matrix)


RIGHT = ((-65.0, 20.0, 585.0), (25.0, 25.0, 50.0))
LEFT = ((65.0, 20.0, 600.0), (20.0, 20.0, 40.0))


def reoriented(volume: Volume, permutation, flips) -> Volume:
    """Stores the same image with its axes in another order and sense."""
    matrix = np.array(volume.ijk_to_lps)
    voxels = volume.voxels
    for axis in range(3):
        if flips[axis]:
            matrix[:3, 3] += matrix[:3, 2 - axis] * (voxels.shape[axis] - 1)
            matrix[:3, 2 - axis] *= -1
            voxels = np.flip(voxels, axis)
    columns = [2 - permutation[2 - c] for c in range(3)]
    matrix[:3, :3] = matrix[:3, columns]
    return Volume(voxels.transpose(permutation), matrix)


def centre_and_volume(volume: Volume, labels: np.ndarray, value: int) -> tuple[np.ndarray, float]:
    where = np.argwhere(labels == value)
    return volume.to_lps(where).mean(axis=0), len(where) * volume.voxel_volume


@pytest.mark.parametrize("permutation", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((False, True), repeat=3)))
def test_right_is_right_however_the_axes_are_stored(bundle, permutation, flips):
    stored = reoriented(body(RIGHT, LEFT), permutation, flips)
    labels = segmented(stored, bundle).labels
    assert labels.shape == stored.voxels.shape
    for value, (centre, axes) in ((1, RIGHT), (2, LEFT)):
        found, volume = centre_and_volume(stored, labels, value)
        assert np.allclose(found, centre, atol=1.0)
        assert volume == pytest.approx(4 / 3 * np.pi * np.prod(axes), rel=0.06)


def test_an_oblique_scan_keeps_sides_and_places(bundle):
    straight = body(RIGHT, LEFT)
    turn = np.eye(4)
    c, s = np.cos(0.4), np.sin(0.4)
    turn[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    oblique = Volume(straight.voxels, turn @ straight.ijk_to_lps)
    labels = segmented(oblique, bundle).labels
    for value, (centre, _) in ((1, RIGHT), (2, LEFT)):
        found, _ = centre_and_volume(oblique, labels, value)
        assert np.allclose(found, turn[:3, :3] @ centre, atol=1.0)


@pytest.mark.parametrize(("present", "value"), [(RIGHT, 1), (LEFT, 2)])
def test_a_missing_kidney_stays_missing(bundle, present, value):
    labels = segmented(body(present), bundle).labels
    assert set(np.unique(labels)) == {0, value}


def test_no_kidney_gives_no_label_and_no_error(bundle):
    result = segmented(body(), bundle)
    assert not result.labels.any()


class Unsure(Bright):
    """At best 0.7, which is above the threshold of a voxel."""

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        return super().forward(tile).clamp(max=float(np.log(0.7 / 0.3)))


def networks(kidney: torch.nn.Module) -> dict[str, Predictor]:
    modules = {"locator": Bright(), "kidney": kidney}
    return {s.name: Predictor(s, (modules[s.name],), torch.device("cpu"), torch.float32) for s in STAGES}


def test_an_unconvincing_kidney_is_shown_and_called_doubtful(bundle, monkeypatch):
    sure = segmented(body(RIGHT), bundle)
    monkeypatch.setattr(load, "load_predictors", lambda *_: networks(Unsure()))
    result = segmented(body(RIGHT), bundle)
    shown, expected = (np.count_nonzero(one.labels == 1) for one in (result, sure))
    assert shown == pytest.approx(expected, rel=0.1) and shown > 0
    (flag,) = [f for f in result.flags if f.code == "kidney_doubtful"]
    assert "right" in flag.message
    assert "kidney_doubtful" not in {f.code for f in sure.flags}


def test_a_kidney_of_five_millilitres_is_shown_and_called_doubtful(bundle):
    small = ((-65.0, 20.0, 585.0), (9.0, 9.0, 15.0))
    result = segmented(body(small, LEFT), bundle)
    assert set(np.unique(result.labels)) == {0, 1, 2}
    assert [f.message.count("right") for f in result.flags if f.code == "kidney_doubtful"] == [1]


def test_where_the_first_piece_of_a_side_is_no_kidney_the_next_is_tried(bundle, monkeypatch):
    other = ((-60.0, 20.0, 660.0), (26.0, 26.0, 12.0))  # smaller than the kidney below it
    asked = []

    def against(outline, canonical, rules):
        asked.append(outline)
        return "skull" if len(asked) == 1 else None

    monkeypatch.setattr(outlines, "reason_against", against)
    lower = ((-65.0, 20.0, 560.0), (25.0, 25.0, 40.0))
    result = segmented(body(lower, other), bundle)
    found, _ = centre_and_volume(body(), result.labels, 1)
    assert len(asked) == 2
    assert np.allclose(found, other[0], atol=2.0)
    assert "kidney_not_confirmed" not in {f.code for f in result.flags}


def test_what_lies_inside_a_skull_is_no_kidney(bundle):
    volume = body(RIGHT)
    k, j, i = np.meshgrid(*map(np.arange, volume.voxels.shape), indexing="ij")
    x, y, _ = np.moveaxis(volume.to_lps(np.stack((k, j, i), -1)), -1, 0)
    ring = np.abs(np.hypot(x + 65, y - 20) - 60) < 6
    inside = volume.like(np.where(ring, 1200, volume.voxels).astype(np.int16))
    result = segmented(inside, bundle)
    assert not result.labels.any()
    assert "kidney_not_confirmed" in {f.code for f in result.flags}


def test_a_horseshoe_is_divided_at_the_spine(bundle):
    bridge = ((0.0, -10.0, 560.0), (70.0, 15.0, 20.0))
    result = segmented(body(RIGHT, LEFT, bridge), bundle)
    assert "fused_kidney" in {f.code for f in result.flags}
    volume = body()
    for value, sign in ((1, -1), (2, 1)):
        x = volume.to_lps(np.argwhere(result.labels == value))[:, 0]
        assert (sign * x).min() > -6


def test_a_kidney_larger_than_located_gets_a_larger_box(bundle, monkeypatch):
    monkeypatch.setattr(outlines, "native_box", lambda region, volume, _: native_box(region, volume, -12.0))
    volume = body(RIGHT, LEFT)
    _, found = centre_and_volume(volume, segmented(volume, bundle).labels, 1)
    assert found == pytest.approx(4 / 3 * np.pi * 25 * 25 * 50, rel=0.06)


def test_growth_ends_and_mask_and_box_stay_together(bundle):
    volume = body(((-65.0, -20.0, 590.0), (25.0, 25.0, 400.0)))
    predictor = Predictor(STAGES[1], (Bright(),), torch.device("cpu"), torch.float32)
    box = (slice(0, 2), slice(45, 55), slice(30, 40))  # at an end, so that growth cannot reach the other one
    shares = []
    outline = outline_kidney(volume, Side.RIGHT, box, volume.voxels == 200, predictor, KIDNEY_RULES, shares.append)
    assert outline.mask.shape == tuple(b.stop - b.start for b in outline.box)
    assert outline.box[0].stop - outline.box[0].start < volume.voxels.shape[0]
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_a_receiver_stops_the_run(bundle):
    seen = []

    def receive(stage, fraction, message):
        seen.append((stage, fraction))
        if stage == "kidneys" and fraction > 0:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        segmented(body(RIGHT, LEFT), bundle, receive)
    assert [stage for stage, _ in itertools.groupby(stage for stage, _ in seen)] == ["locate", "kidneys"]


def test_the_input_is_not_changed(bundle):
    volume = body(RIGHT, LEFT)
    before = volume.voxels.copy()
    segmented(volume, bundle)
    assert np.array_equal(volume.voxels, before)
