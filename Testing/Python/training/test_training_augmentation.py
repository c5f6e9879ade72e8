import functools

import numpy as np
import pytest
import torch

from KidneySegLib.datasets.exams import assign_sides, body_middle
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.datasets.tissue import kidney_depth, tissue_regions
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.training.augmentation.contrast import Contrast
from KidneySegLib.training.augmentation.kidneys import Hydronephrosis, RemovedKidneys
from KidneySegLib.training.augmentation.patch import Patch
from KidneySegLib.training.augmentation.scanner import (
    Calibration,
    FieldOfView,
    GreyLevels,
    Kernel,
    Noise,
    TakenFor,
    ThickSlices,
)
from KidneySegLib.training.augmentation.spatial import Spatial, sample

SPACING = (2.0, 2.0, 2.0)


@functools.cache
def exam() -> LabelledExam:
    """A body of fat with a muscle and, to the patient's right of the middle, a kidney with a fatty sinus."""
    shape = (50, 60, 80)
    k, j, i = np.meshgrid(*map(np.arange, shape), indexing="ij")
    hu = np.full(shape, -100, np.int16)
    hu[:, 40:50, 30:70] = 55
    distance = np.sqrt(((k - 25) * 2 / 40) ** 2 + ((j - 25) * 2 / 24) ** 2 + ((i - 20) * 2 / 24) ** 2)
    organ = ((distance < 1) & (distance > 0.3)).astype(np.uint8)
    hu[organ > 0] = 32
    return LabelledExam(
        "made",
        "made",
        SPACING,
        hu,
        organ,
        organ,
        kidney_depth(organ, SPACING),
        np.zeros_like(organ),
        tissue_regions(hu, organ, SPACING),
        (("right", (5, 13, 8), (46, 38, 33)),),
        2.0,
    )


CENTRE = np.array([25.0, 25.0, 20.0])


def straight(mirror: bool = False) -> Patch:
    return sample(exam(), CENTRE, (48, 48, 48), SPACING, mirror=mirror, ranges=None, rng=np.random.default_rng(0))


def test_straight_sampling_on_the_same_grid_reads_the_voxels():
    source = exam()
    patch = sample(
        source,
        np.array([24.5, 29.5, 39.5]),
        (50, 60, 80),
        SPACING,
        mirror=False,
        ranges=None,
        rng=np.random.default_rng(0),
    )
    assert np.allclose(patch.hu.numpy(), source.hu, atol=0.01)
    assert np.array_equal(patch.regions.numpy(), source.regions)


def test_outside_the_exam_there_is_air():
    patch = straight()
    assert float(patch.hu[0, 0, 0]) == OUTSIDE
    assert float(patch.organ[:, :, 0].sum()) == 0


def test_mirroring_exchanges_left_and_right_only():
    plain, mirrored = straight(), straight(mirror=True)
    assert torch.allclose(mirrored.hu, plain.hu.flip(2), atol=0.01)


def test_the_label_moves_with_the_image():
    for seed in range(6):
        patch = sample(
            exam(), CENTRE, (48, 48, 48), SPACING, mirror=False, ranges=Spatial(), rng=np.random.default_rng(seed)
        )
        inside = patch.organ > 0.98
        assert inside.sum() > 500
        assert float((patch.hu[inside] - 32).abs().max()) < 4


def test_the_sinus_is_deep_and_the_cut_end_is_no_surface():
    depth = kidney_depth(exam().organ, SPACING)
    assert depth[25, 25, 20] >= 20
    cut = kidney_depth(exam().organ[20:30], SPACING)
    assert abs(int(cut[0, 25, 12]) - int(depth[20, 25, 12])) <= 2


def test_contrast_enhances_the_kidney_and_never_fat():
    levels = []
    for seed in range(40):
        patch, after = straight(), straight()
        Contrast(probability=1.0).apply(after, np.random.default_rng(seed))
        changed = after.hu
        fat = (patch.hu < -60) & (patch.hu > -900) & (patch.regions == 0)
        assert torch.equal(changed[fat], patch.hu[fat])
        levels.append(float(changed[patch.parenchyma > 0.98].mean()))
    assert min(levels) < 45 and max(levels) > 150
    assert sum(level > 80 for level in levels) > 15


def test_contrast_takes_enhancement_away_too():
    levels = []
    for seed in range(30):
        patch = straight()
        patch.hu[patch.parenchyma > 0.5] = 180
        Contrast(probability=1.0).apply(patch, np.random.default_rng(seed))
        levels.append(float(patch.hu[patch.parenchyma > 0.98].mean()))
    assert min(levels) < 80 and max(levels) > 200


def test_no_contrast_change_when_it_is_switched_off():
    patch = straight()
    Contrast(probability=0.0).apply(patch, np.random.default_rng(1))
    assert torch.equal(patch.hu, straight().hu)


def test_acquisition_keeps_the_organ_where_it_is_unless_cut():
    transforms = (Kernel(), Noise(most_hu=0.0), ThickSlices(), Calibration(), GreyLevels(), FieldOfView(probability=0))
    for seed in range(10):
        patch, rng = straight(), np.random.default_rng(seed)
        for transform in transforms:
            transform.apply(patch, rng)
        assert torch.equal(patch.organ, straight().organ) and bool(patch.in_view.all())
        inside = patch.depth.gt(4) & (patch.organ > 0.98)
        assert float(patch.hu[inside].mean()) == pytest.approx(32, abs=25)


@pytest.mark.parametrize(("spacing", "thicker"), [(2.0, True), (2.6, False)])
def test_slices_get_thicker_where_two_of_the_grid_fit(spacing: float, thicker: bool):
    hu = torch.randn(12, 8, 8)
    patch = Patch(hu.clone(), *[torch.zeros_like(hu)] * 6, (spacing, 3.0, 3.0), thickness=1.0)
    ThickSlices(probability=1.0, most_mm=5.0).apply(patch, np.random.default_rng(0))
    assert patch.hu.shape == hu.shape and torch.equal(patch.hu, hu) is not thicker


def test_a_cut_field_of_view_has_neither_image_nor_organ():
    cuts = 0
    for seed in range(20):
        patch = straight()
        FieldOfView(probability=1.0).apply(patch, np.random.default_rng(seed))
        gone = (patch.organ == 0) & (straight().organ > 0)
        cuts += int(gone.any())
        assert (patch.hu[gone] == OUTSIDE).all() and not patch.in_view[gone].any()
    assert cuts >= 8


def a_slice() -> LabelledExam:
    """The middle slice of the exam, as an exam of its own."""
    whole = exam()
    maps = (getattr(whole, name)[25:26] for name in ("hu", "organ", "parenchyma", "depth", "lesions", "regions"))
    return LabelledExam("slice", "made", SPACING, *maps)


def sampled_slice(ranges: Spatial | None = None, seed: int = 0) -> Patch:
    centre = np.array([0.0, 25.0, 20.0])
    rng = np.random.default_rng(seed)
    return sample(a_slice(), centre, (1, 48, 48), (1.0, 2.0, 2.0), mirror=False, ranges=ranges, rng=rng)


def test_a_slice_is_sampled_in_its_plane_alone():
    shares = []
    for seed in range(12):
        patch = sampled_slice(Spatial(), seed)
        assert patch.hu.shape == (1, 48, 48)
        inside = patch.organ > 0.98
        assert float((patch.hu[inside] - 32).abs().max()) < 4
        shares.append(float(patch.organ.mean()))
    assert np.mean(shares) == pytest.approx(float(sampled_slice().organ.mean()), rel=0.25) and np.std(shares) > 0


def test_every_change_holds_on_slices_too():
    transforms = (Contrast(probability=1.0), Hydronephrosis(probability=1.0), Kernel(smooth=1.0), Noise())
    for seed in range(6):
        patch, rng = sampled_slice(), np.random.default_rng(seed)
        for transform in transforms:
            before = patch.hu.clone()
            transform.apply(patch, rng)
            assert patch.hu.shape == (1, 48, 48) and bool(torch.isfinite(patch.hu).all())
            assert not torch.equal(patch.hu, before)


def test_a_removed_kidney_is_fat_and_no_kidney():
    patch = sampled_slice()
    inside = patch.organ > 0.9
    RemovedKidneys(probability=1.0).apply(patch, np.random.default_rng(0))
    assert not (patch.organ > 0.5).any()
    assert float(patch.hu[inside].median()) == pytest.approx(-100, abs=20)


def test_a_picture_of_an_unknown_window_is_taken_for_the_usual_one():
    patch = sampled_slice()
    window = {"black_hu": (-200.0, -200.0), "white_hu": (200.0, 200.0)}
    taken = TakenFor(width_hu=(800.0, 800.0), black_hu=(-160.0, -160.0))
    GreyLevels(probability=1.0, **window, taken_for=taken).apply(patch, np.random.default_rng(0))
    kidney = patch.organ > 0.98
    # 32 HU lie at 58 % of the window that was shown
    assert float(patch.hu[kidney].mean()) == pytest.approx(-160 + 0.58 * 800, abs=10)
    assert float(patch.hu.min()) == pytest.approx(-160)


def test_lesions_go_to_the_nearer_kidney():
    labels = np.zeros((4, 10, 40), np.uint8)
    labels[:, 2:8, 3:10], labels[:, 2:8, 30:36] = 1, 2
    labels[1:3, 4:6, 10:13], labels[1:3, 4:6, 27:30], labels[0, 0, 20] = 4, 3, 5
    sides = assign_sides(labels, (1.0, 1.0, 1.0), middle=19.5)
    assert (sides[1:3, 4:6, 10:13] == 1).all() and (sides[1:3, 4:6, 27:30] == 2).all()
    assert set(np.unique(sides)) == {0, 1, 2}


def test_a_mass_that_replaced_its_kidney_belongs_to_its_side_of_the_body() -> None:
    labels = np.zeros((4, 10, 120), np.uint8)
    labels[:, 2:8, 10:30], labels[:, 2:8, 80:110] = 1, 3  # a right kidney, and a mass where the left one was
    sides = assign_sides(labels, (3.0, 1.0, 1.0), middle=59.5)
    assert (sides[labels == 3] == 2).all() and (sides[labels == 1] == 1).all()
    alone = np.where(labels == 3, labels, 0)
    assert (assign_sides(alone, (3.0, 1.0, 1.0), middle=59.5)[alone == 3] == 2).all()


def test_lesions_of_a_patient_without_kidneys_go_by_the_middle_of_the_body() -> None:
    labels = np.zeros((8, 10, 40), np.uint8)
    labels[2:5, 3:6, 4:8], labels[2:5, 3:6, 30:35] = 3, 4
    sides = assign_sides(labels, (3.0, 1.0, 1.0), middle=19.5)
    assert (sides[labels == 3] == 1).all() and (sides[labels == 4] == 2).all() and not sides[labels == 0].any()


def test_the_middle_of_the_body_is_told_from_its_outline() -> None:
    hu = np.full((3, 20, 50), -1000, np.int16)
    hu[:, 4:16, 11:30] = 40
    assert body_middle(hu) == 20.0
