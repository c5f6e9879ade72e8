"""From scatterers to grey levels: point-spread function, envelope, losses, gain, log compression."""

import numpy as np
from scipy import ndimage

from KidneySegLib.training.synthesis.ultrasound.sector import BEAMS, SAMPLES, Sector
from KidneySegLib.training.synthesis.ultrasound.tissue import Tissue, smooth

# Blurs between which the width of the beam is interpolated, in beams.
_WIDTHS = (0.6, 1.4, 2.8, 5.0)


def echo_levels(tissue: Tissue, sector: Sector, rng: np.random.Generator) -> np.ndarray:
    """Returns grey values 0..255 along the beams, 32-bit float ``(samples, beams)``.

    Scatterers of random phase are convolved with a pulse that is short along the beam and, across it, as wide as the
    beam: narrowest at the focus and wider with the distance from it. The envelope of their sum has the speckle of real
    frames. Losses and gain follow, then a logarithm over the machine's dynamic range.
    """
    amplitude = 10 ** (tissue.level / 20)
    there = rng.random((SAMPLES, BEAMS)) < tissue.density
    strength = np.where(there, amplitude / np.sqrt(np.maximum(tissue.density, 0.05)), 0) + tissue.interface
    scatterers = [strength * rng.standard_normal((SAMPLES, BEAMS)).astype(np.float32) for _ in range(2)]
    width = _beam_width(sector, rng)
    axial = rng.uniform(0.8, 1.6)
    echoes = [_blurred(part, axial, width) for part in scatterers]
    envelope = np.hypot(*echoes)
    loss = np.cumsum(tissue.attenuation, axis=0) + _gain_error(rng)
    decibel = 20 * np.log10(envelope + 1e-4) - loss
    noise = 20 * np.log10(np.hypot(*rng.standard_normal((2, SAMPLES, BEAMS))) + 1e-3) + rng.uniform(-60, -25)
    decibel = np.logaddexp(decibel / 8.7, noise / 8.7) * 8.7  # powers add
    white = float(np.percentile(decibel, rng.uniform(98.5, 99.9)))
    levels = np.clip((decibel - white) / rng.uniform(38, 68) + 1, 0, 1)
    levels = rng.uniform(180, 255) * levels ** rng.uniform(1.0, 2.3)
    if rng.random() < 0.85:  # frames are averaged, and speckle is reduced
        levels = ndimage.gaussian_filter(levels, rng.uniform(0.3, 1.1))
    return levels.astype(np.float32)


def _beam_width(sector: Sector, rng: np.random.Generator) -> np.ndarray:
    """Returns the width of the beam at each sample, in beams."""
    depth = np.linspace(0, 1, SAMPLES)
    focus, waist = rng.uniform(0.2, 0.7), rng.uniform(0.6, 1.4)
    spread = np.sqrt(1 + ((depth - focus) / rng.uniform(0.25, 0.6)) ** 2)
    # a beam of one width in millimetres covers fewer beams where they lie further apart
    return waist * spread * sector.far / (sector.near + depth * (sector.far - sector.near))


def _blurred(values: np.ndarray, axial: float, width: np.ndarray) -> np.ndarray:
    """Convolves with the pulse; each width keeps the energy of the echoes."""
    along = ndimage.gaussian_filter1d(values, axial, axis=0)
    layers = [ndimage.gaussian_filter1d(along, sigma, axis=1) * np.sqrt(sigma) for sigma in _WIDTHS]
    place = np.interp(width, _WIDTHS, np.arange(len(_WIDTHS)))
    result = np.zeros_like(along)
    for number, layer in enumerate(layers):
        result += np.clip(1 - np.abs(place - number), 0, 1)[:, None] * layer
    return result


def _gain_error(rng: np.random.Generator) -> np.ndarray:
    """Returns what the time gain leaves uneven along depth and across, in dB."""
    depth = np.linspace(0, 1, SAMPLES)[:, None]
    knots = np.interp(depth[:, 0], np.linspace(0, 1, 7), rng.normal(0, 2.5, 7))[:, None]
    return rng.uniform(-6, 16) * depth**2 + knots + rng.uniform(0, 1.5) * smooth(rng, 120, 60)
