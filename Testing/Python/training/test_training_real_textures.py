"""The texture of a real mass is kept relative to its kidney, and laid into other forms."""

from __future__ import annotations

import numpy as np
import torch

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.training.synthesis.real_textures import lay, real_textures
from KidneySegLib.training.synthesis.textures import Form, MassTexture

SPACING = (2.0, 2.0, 2.0)


def exam(kidney_hu: float, mass_hu: float) -> LabelledExam:
    hu = np.full((24, 24, 48), -100, np.int16)
    parenchyma, lesions = np.zeros(hu.shape, np.uint8), np.zeros(hu.shape, np.uint8)
    parenchyma[4:20, 4:20, 4:20], lesions[4:20, 4:20, 20:40] = 1, 3
    hu[parenchyma > 0], hu[lesions > 0] = kidney_hu, mass_hu
    none = np.zeros(hu.shape, np.uint8)
    boxes = (("right", (4, 4, 4), (20, 20, 40)),)
    organ = (parenchyma > 0) | (lesions > 0)
    return LabelledExam("made", "made", SPACING, hu, organ, parenchyma, none, lesions, none, boxes, 2.0)


def test_a_texture_holds_the_share_of_the_enhancement() -> None:
    (texture,) = real_textures([exam(kidney_hu=185, mass_hu=110)])
    assert texture.enhanced
    np.testing.assert_allclose(texture.values, (110 - 35) / (185 - 35), atol=1e-6)
    (plain,) = real_textures([exam(kidney_hu=35, mass_hu=42)])
    assert not plain.enhanced and not plain.values.any()


def test_an_exam_without_a_mass_or_without_a_kidney_has_none() -> None:
    healthy = exam(kidney_hu=150, mass_hu=90)
    healthy.lesions[:] = 0
    alone = exam(kidney_hu=150, mass_hu=90)
    alone.parenchyma[:] = 0
    assert real_textures([healthy, alone]) == ()


def test_a_laid_texture_has_the_values_of_the_real_one_everywhere() -> None:
    (texture,) = real_textures([exam(kidney_hu=185, mass_hu=110)])
    texture.values[:] = np.random.default_rng(0).uniform(0.2, 0.8, texture.values.shape)
    laid = lay(texture, (40, 36, 44), SPACING, np.random.default_rng(1))
    assert laid.shape == (40, 36, 44)
    assert float(laid.min()) >= 0.2 and float(laid.max()) <= 0.8 and float(laid.std()) > 0.03


def test_masses_are_filled_with_real_textures_of_the_same_kind_of_scan() -> None:
    (texture,) = real_textures([exam(kidney_hu=185, mass_hu=110)])
    form = Form(torch.ones(12, 12, 12), 12.0, SPACING)
    real = [MassTexture().fill(form, 235.0, np.random.default_rng(seed), (texture,)) for seed in range(40)]
    flat = [values for values in real if float(values.std()) < 1e-3]  # the made ones are never flat
    assert 10 <= len(flat) <= 30
    for values in flat:
        assert 35 + 0.5 * 200 * 0.7 - 1 <= float(values.mean()) <= 35 + 0.5 * 200 * 1.25 + 1
    unenhanced = [MassTexture().fill(form, 36.0, np.random.default_rng(seed), (texture,)) for seed in range(20)]
    assert all(float(values.std()) > 1e-3 for values in unenhanced)
