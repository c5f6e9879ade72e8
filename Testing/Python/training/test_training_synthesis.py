"""Synthetic lesions: labels agree with the image, sizes are as asked, neighbours and bone keep their place."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from KidneySegLib.errors import InputError
from KidneySegLib.training.augmentation.grain import grain
from KidneySegLib.training.augmentation.kidneys import Hydronephrosis
from KidneySegLib.training.augmentation.patch import Patch
from KidneySegLib.training.synthesis.forms import place_ball, place_shape, take
from KidneySegLib.training.synthesis.lesions import Decoys, Lesions, push_aside
from KidneySegLib.training.synthesis.shapes import DiseasedKidney, LesionShape, ShapeLibrary, read_shapes
from KidneySegLib.training.synthesis.textures import CystTexture, Form, MassTexture
from KidneySegLib.training.synthesis.transplant import transplant

SPACING = (1.5, 1.5, 1.5)
SHAPE = (64, 64, 64)
WHOLE = (slice(0, 64), slice(0, 64), slice(0, 64))


def ball(centre, radius_mm):
    axes = np.meshgrid(*((np.arange(64) - c) * 1.5 for c in centre), indexing="ij")
    return torch.from_numpy(np.sqrt(sum(a**2 for a in axes)) <= radius_mm).float()


def scene(parenchyma=160.0, thickness=1.0, noise=8.0, seed=0):
    """A round kidney in fat beside a slab of muscle and a slab of bone."""
    organ = ball((32, 32, 30), 27)
    hu = torch.full(SHAPE, -100.0)
    hu[:, :, 52:58] = 50
    hu[:, :, 58:] = 700
    hu = torch.where(organ > 0.5, parenchyma, hu)
    hu = hu + torch.from_numpy(np.random.default_rng(seed).normal(0, noise, SHAPE).astype(np.float32))
    depth = (27 - torch.from_numpy(np.linalg.norm((np.indices(SHAPE).T - (30, 32, 32)) * 1.5, axis=-1).T)).clamp(min=0)
    none = torch.zeros(SHAPE)
    maps = (hu, organ, none.clone(), none.clone(), organ.clone(), depth.float(), none.clone())
    return Patch(*maps, SPACING, thickness)


ONE_LESION = Lesions(probability=1.0)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_labelled_is_what_was_painted(seed):
    made, before = scene(), scene()
    ONE_LESION.apply(made, np.random.default_rng(seed))
    lesion = torch.maximum(made.mass, made.cyst)
    assert float((lesion - made.organ).clamp(min=0).max()) < 1e-5  # a lesion is part of the organ
    assert float((made.mass + made.cyst).max()) <= 1 + 1e-5
    assert float(lesion[before.hu > 500].max()) < 0.2  # a pushed border may touch bone, no more


def test_most_kidneys_get_a_lesion_of_either_kind():
    kinds = []
    for seed in range(30):
        made = scene()
        ONE_LESION.apply(made, np.random.default_rng(seed))
        kinds.append((bool((made.mass > 0.5).any()), bool((made.cyst > 0.5).any())))
    masses, cysts = np.array(kinds).T
    assert masses.sum() > 8 and cysts.sum() > 8 and (masses | cysts).sum() > 22


def test_a_simple_cyst_is_dark_in_an_enhanced_kidney():
    form = Form(ball((32, 32, 32), 15), 15.0, SPACING)
    levels = [
        float(CystTexture().fill(form, 160, np.random.default_rng(seed))[form.share > 0.5].median())
        for seed in range(40)
    ]
    assert np.median(levels) < 20 and np.mean(np.array(levels) < 30) > 0.75
    assert min(levels) > -15


def test_solid_masses_enhance_with_the_phase():
    form = Form(ball((32, 32, 32), 15), 15.0, SPACING)

    def levels(parenchyma):
        return [
            float(MassTexture().fill(form, parenchyma, np.random.default_rng(seed))[form.share > 0.5].median())
            for seed in range(40)
        ]

    assert 15 < np.median(levels(33)) < 55
    enhanced = levels(180)
    assert np.median(enhanced) > 60 and np.mean(np.array(enhanced) > 180) < 0.3


def test_decoys_are_painted_but_not_labelled():
    made, before = scene(), scene()
    for seed in range(6):
        Decoys(probability=1.0).apply(made, np.random.default_rng(seed))
    assert torch.equal(made.organ, before.organ) and not (made.mass + made.cyst).any()
    assert ((made.hu - before.hu).abs() > 60).any()


def test_a_dilated_collecting_system_stays_kidney():
    made, before = scene(), scene()
    Hydronephrosis(probability=1.0).apply(made, np.random.default_rng(1))
    assert torch.equal(made.organ, before.organ) and not made.cyst.any()
    assert float(made.hu[32, 32, 30]) < 60 < float(before.hu[32, 32, 30])


def test_pushing_aside_moves_image_and_label_together():
    made = scene(noise=0.0)
    centre = np.array([32.0, 32.0, 12.0])  # on the kidney's border towards the first columns
    push_aside(made, centre, 9.0)
    inside = made.organ > 0.99
    assert float((made.hu[inside] - 160).abs().max()) < 3
    # far away nothing moved
    assert torch.equal(made.hu[:, :, 40:], scene(noise=0.0).hu[:, :, 40:])


def test_a_real_shape_keeps_its_volume_at_the_size_asked_for():
    mask = np.zeros((21, 21, 21), bool)
    k, j, i = np.indices(mask.shape) - 10
    mask[(k / 8) ** 2 + (j / 5) ** 2 + (i / 6) ** 2 <= 1] = True
    radius = float((3 * mask.sum() * 8 / (4 * np.pi)) ** (1 / 3))
    shape = LesionShape(mask, (2.0, 2.0, 2.0), True, radius)
    for asked in (8.0, 20.0):
        placed = place_shape(shape, np.array([32.0, 32, 32]), asked, SHAPE, SPACING, np.random.default_rng(3))
        volume = float(placed.form.share.sum()) * 1.5**3
        assert volume == pytest.approx(4 / 3 * np.pi * asked**3, rel=0.12)


def test_a_ball_has_about_the_size_asked_for():
    for seed in range(5):
        placed = place_ball(np.array([32.0, 32, 32]), 15.0, SHAPE, SPACING, np.random.default_rng(seed))
        assert float(placed.form.share.sum()) * 1.5**3 == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.45)


def test_taking_a_mask_straight_gives_the_mask():
    mask = np.zeros((1, 5, 6, 7), bool)
    mask[0, 1, 2, 3] = True
    axes = [(torch.arange(n) - (n - 1) / 2) * 2.0 for n in (5, 6, 7)]
    vectors = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    assert np.array_equal(take(mask, vectors, np.eye(3), (2.0, 2.0, 2.0)).numpy() > 0.99, mask)


@pytest.mark.parametrize("level", [5.0, 20.0])
def test_grain_is_as_strong_as_the_scan_s_noise(level):
    made = grain(scene(noise=level), WHOLE, np.random.default_rng(0))
    assert float(made.std()) == pytest.approx(level, rel=0.15)


def test_grain_is_as_coarse_as_the_scan_s_noise():
    smooth = scene(noise=0.0)
    noise = torch.from_numpy(np.random.default_rng(2).normal(0, 30, SHAPE).astype(np.float32))
    smooth.hu = smooth.hu + torch.nn.functional.avg_pool3d(noise[None, None], (1, 3, 3), 1, (0, 1, 1))[0, 0]
    made = grain(smooth, WHOLE, np.random.default_rng(0))

    def likeness(axis):
        first, second = made.narrow(axis, 0, 63).flatten(), made.narrow(axis, 1, 63).flatten()
        return float(torch.corrcoef(torch.stack([first, second]))[0, 1])

    assert likeness(2) > 0.5 and abs(likeness(0)) < 0.15


def donor():
    labels = np.zeros((36, 36, 40), np.uint8)
    k, j, i = np.indices(labels.shape)
    labels[(k - 18) ** 2 + (j - 18) ** 2 + (i - 18) ** 2 < 15**2] = 1
    labels[(k - 18) ** 2 + (j - 10) ** 2 + (i - 12) ** 2 < 6**2] = 2
    labels[(k - 26) ** 2 + (j - 22) ** 2 + (i - 20) ** 2 < 4**2] = 3
    return DiseasedKidney(labels, SPACING)


def test_a_transplanted_kidney_brings_its_lesions_and_the_host_s_tissue():
    made, before = scene(), scene()
    assert transplant(made, donor(), MassTexture(), CystTexture(), np.random.default_rng(0))
    assert int((made.mass > 0.5).sum()) == pytest.approx(int((donor().labels == 2).sum()), rel=0.4)
    assert int((made.cyst > 0.5).sum()) == pytest.approx(int((donor().labels == 3).sum()), rel=0.5)
    kidney = (made.organ > 0.9) & (made.mass + made.cyst < 0.01)
    assert float(made.hu[kidney].median()) == pytest.approx(160, abs=10)
    gone = (before.organ > 0.5) & (made.organ < 0.01)
    assert float(made.hu[gone].median()) == pytest.approx(-98, abs=15)


def test_thick_slices_blur_a_lesion_s_border_along_the_body_only():
    share = torch.zeros(SHAPE)
    share[20:40, 20:40, 20:40] = 1
    blurred = scene(thickness=6.0).through_slices(share)
    soft = (blurred > 0.1) & (blurred < 0.9)
    assert bool(soft[:, 32, 32].any()) and not bool(soft[32, 32, :].any())


def write_map(folder, labels, name="case_00000.nii.gz"):
    folder.mkdir(exist_ok=True)
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing((1.5, 1.5, 1.5))
    sitk.WriteImage(image, str(folder / name))  # identity direction: i runs to the patient's left


def two_kidneys():
    labels = np.zeros((40, 40, 100), np.uint8)
    k, j, i = np.indices(labels.shape)
    for column in (20, 80):
        labels[(k - 20) ** 2 + (j - 20) ** 2 + (i - column) ** 2 < 14**2] = 1
    labels[(k - 20) ** 2 + (j - 20) ** 2 + (i - 92) ** 2 < 5**2] = 2  # lateral in the left kidney
    return labels


def test_left_kidneys_are_turned_into_right_ones(tmp_path):
    write_map(tmp_path / "maps", two_kidneys())
    library = read_shapes(tmp_path / "maps", tmp_path / "cache")
    assert len(library.kidneys) == 1 and len(library.lesions) == 1
    labels = library.kidneys[0].labels
    assert np.argwhere(labels == 2)[:, 2].mean() < labels.shape[2] / 3  # lateral of a right kidney: the first columns
    assert library.lesions[0].solid
    again = read_shapes(tmp_path / "maps", tmp_path / "cache")
    assert np.array_equal(again.kidneys[0].labels, labels)


def test_a_folder_without_maps_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no label maps"):
        read_shapes(tmp_path / "empty", tmp_path / "cache")


def test_synthesis_with_a_library_is_repeatable():
    library = ShapeLibrary((donor(),), (LesionShape(donor().labels == 2, SPACING, True, 9.0),))
    first, second = scene(), scene()
    for made in (first, second):
        made.library = library
        Lesions(probability=1.0).apply(made, np.random.default_rng(11))
    assert torch.equal(first.hu, second.hu) and torch.equal(first.mass, second.mass)


def test_lesions_at_the_patch_s_edge_have_textures_too():
    narrow = Form(torch.ones(13, 3, 1), 30.0, SPACING)
    for seed in range(30):
        for texture in (MassTexture(), CystTexture()):
            assert bool(torch.isfinite(texture.fill(narrow, 150, np.random.default_rng(seed))).all())
