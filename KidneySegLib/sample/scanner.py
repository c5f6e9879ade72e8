"""What a scanner does to the picture: in-plane blur and the correlated noise of filtered back-projection."""

from __future__ import annotations

import numpy as np

# Standard deviation of the in-plane point spread function in mm (a standard body kernel: 50 % MTF near 0.35/mm).
BLUR = 0.55
# Noise in HU at the centre of the patient and at the border of the field of view.
NOISE_CENTRE, NOISE_BORDER = 13.0, 7.0
# Frequency (1/mm) at which the apodisation of the ramp filter falls to 1/e.
NOISE_CUTOFF = 0.40


class Scanner:
    """Turns ideal slices into noisy ones.

    Attributes:
        shape: pixels of a slice ``(j, i)``.
        pixel: pixel spacing in mm.
        seed: the same seed and slice number give the same noise.
    """

    def __init__(self, shape: tuple[int, int], pixel: float, seed: int) -> None:
        """Prepares the filters for one slice size."""
        self.shape = shape
        self.seed = seed
        rows = np.fft.fftfreq(shape[0], pixel)[:, None]
        columns = np.fft.rfftfreq(shape[1], pixel)[None, :]
        frequency = np.hypot(rows, columns)
        self._blur = np.exp(-2 * (np.pi * BLUR * frequency) ** 2).astype(np.float32)
        # Noise power of filtered back-projection rises with the ramp and falls with the apodisation
        # (Hanson, Med Phys 6:441, 1979); amplitude is its square root.
        amplitude = np.sqrt(frequency) * np.exp(-((frequency / NOISE_CUTOFF) ** 2))
        weights = np.full(columns.size, 2.0)
        weights[0] = 1.0
        variance = (amplitude**2 * weights).sum() / (shape[0] * shape[1])
        self._noise = (amplitude / np.sqrt(variance)).astype(np.float32)
        j, i = np.ogrid[: shape[0], : shape[1]]
        radius = np.hypot((j - shape[0] / 2) * pixel, (i - shape[1] / 2) * pixel)
        self._level = (NOISE_BORDER + (NOISE_CENTRE - NOISE_BORDER) * np.exp(-((radius / 110.0) ** 2))).astype(
            np.float32
        )

    def acquire(self, ideal: np.ndarray, number: int) -> np.ndarray:
        """Returns slice ``number`` as the scanner would deliver it: HU, int16 ``(j, i)``, not below -1024."""
        from scipy import fft

        white = np.random.default_rng([self.seed, number]).standard_normal(self.shape, dtype=np.float32)
        blurred = fft.irfft2(fft.rfft2(ideal) * self._blur, s=self.shape)
        noise = fft.irfft2(fft.rfft2(white) * self._noise, s=self.shape) * self._level
        return np.clip(np.rint(blurred + noise), -1024, 3071).astype(np.int16)
