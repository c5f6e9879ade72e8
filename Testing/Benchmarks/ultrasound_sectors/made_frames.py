"""Frames: the tissue of a plane, a kidney in it (the exam's, an expert outline, a real frame), the look of machines."""

import numpy as np
from ct_tissue import anatomy_tissue
from planes import plane
from scipy import ndimage

from KidneySegLib.training.synthesis.ultrasound import composites as C
from KidneySegLib.training.synthesis.ultrasound import tissue as T
from KidneySegLib.training.synthesis.ultrasound.echoes import echo_levels
from KidneySegLib.training.synthesis.ultrasound.frames import Frame

# Fewer kidneys are dilated than in the simulator's own frames.
T._DILATED = 0.15


def disc(n):
    y, x = np.ogrid[-n : n + 1, -n : n + 1]
    return x * x + y * y <= n * n


def place_shape(shape, sector, goal, size, rng):
    """Capsule and regions of an expert's shape with its middle at goal (row, col) and its length `size` px."""
    centre, cov = C._ellipse(shape.capsule)
    length = 4 * np.sqrt(np.linalg.eigvalsh(cov)[-1])
    zoom = size / length * np.exp(rng.normal(0, 0.1, 2))
    m = C._turn(rng.normal(0, 0.25)) @ np.diag(1 / zoom)
    if rng.random() < 0.5:
        m = np.diag([1, -1]) @ m
    off = centre - m @ goal
    capsule, regions = (
        ndimage.affine_transform(each, m, off, sector.shape, order=0)
        for each in (shape.capsule.astype(np.uint8), shape.regions)
    )
    return capsule > 0, regions


def restyle(grey, inside, reals, rng):
    """Histogram and grain of a real frame, mixed in."""
    g = grey.astype(np.float32)
    if rng.random() < 0.5:
        ref = reals[int(rng.integers(len(reals)))]
        ref = ref[ref > 3].astype(np.float32)
        if len(ref) > 2000:
            q = np.linspace(0, 1, 64)
            mapped = np.interp(g, np.quantile(g[inside], q) + np.arange(64) * 1e-3, np.quantile(ref, q))
            g = g + (mapped - g) * rng.uniform(0, 1)
    if rng.random() < 0.4:
        ref = reals[int(rng.integers(len(reals)))].astype(np.float32)
        z = rng.uniform(0.5, 1.2)
        ref = ndimage.zoom(ref, (z, z * rng.uniform(1, 1.6)), order=1)
        n = min(ref.shape) * 2 // 3
        n = min(n, 128)
        y, x = (int(rng.integers(0, s - n + 1)) for s in ref.shape)
        patch = ref[y : y + n, x : x + n]
        if (patch > 5).mean() > 0.95:
            fine = np.log(patch + 10)
            fine = (fine - ndimage.gaussian_filter(fine, 3)) * np.outer(np.hanning(n), np.hanning(n))
            amp = np.abs(np.fft.rfft2(fine, s=g.shape))
            white = np.fft.rfft2(rng.standard_normal(g.shape))
            noise = np.fft.irfft2(white * amp, s=g.shape)
            noise *= rng.uniform(0.05, 0.25) / (noise.std() + 1e-6)
            base = ndimage.gaussian_filter(g, rng.uniform(0, 1.5))
            g = (base + 10) * np.exp(noise) - 10
    if rng.random() < 0.6:  # machines average frames and reduce speckle
        g = g + (ndimage.gaussian_filter(g, rng.uniform(0.6, 2.0)) - g) * rng.uniform(0.2, 1)
    return np.where(inside, np.clip(g, 0, 255), 0).astype(np.uint8)


def paste(ground, inside, piece, capsule, rng):
    """A real kidney over the ellipse of a capsule."""
    middle, spread = C._ellipse(piece.frame.kidney)
    flip = rng.random() < 0.5
    if flip:
        spread = spread * [[1, -1], [-1, 1]]
    centre, goal = C._ellipse(capsule)
    root = C._power(spread, 0.5)
    forth = C._power(spread, -0.5) @ C._power(root @ goal @ root, 0.5) @ C._power(spread, -0.5)
    m = np.linalg.inv(forth)
    if flip:
        m = np.diag([1, -1]) @ m
    margin, soft = rng.uniform(0, 25), rng.uniform(2, 25)
    around = np.clip(1 - (piece.outside - margin) / soft, 0, 1) * np.clip(piece.edge / rng.uniform(6, 30), 0, 1)
    own = np.maximum(around, np.clip(1 - piece.outside / 3, 0, 1) * np.clip(piece.edge / 3, 0, 1))
    mixed, mask = C._mixed(ground, inside, piece, own, np.ones(1), m, middle - m @ centre, rng)
    return mixed, mask & inside


def make(exams, shapes, pieces, reals, rng, kind):
    """kind: ct (simulated kidney), real (a real kidney), empty. Returns Frame."""
    for _ in range(30):
        exam = exams[int(rng.integers(len(exams)))]
        got = plane(exam, rng, kind == "empty")
        if got is None:
            continue
        hu, kidney, beyond, sector, mm = got
        if (hu > -300).mean() < 0.6:
            continue
        if kind == "empty" and rng.random() < 0.5 and kidney.any():
            continue
        tissue = anatomy_tissue(hu, kidney, exam.contrast, rng)
        capsule = regions = None
        if kind != "empty":
            frame_kidney, inside = sector.to_frame(kidney.astype(np.float32))
            lab, n = ndimage.label(frame_kidney > 0.5)
            if n == 0:
                continue
            big = lab == int(np.bincount(lab.ravel())[1:].argmax()) + 1
            if big.sum() * mm * mm < 700:
                continue
            touches = (sector.to_frame((beyond).astype(np.float32))[0] > 0.5) & big
            if touches.sum() < 0.01 * big.sum() and rng.random() < 0.6:
                pad = np.pad(big, 20)
                hull = ndimage.binary_fill_holes(ndimage.binary_closing(pad, disc(max(2, int(9 / mm)))))[20:-20, 20:-20]
                capsule = ndimage.gaussian_filter(hull.astype(np.float32), 1.2) > 0.5
                hole = capsule & ~ndimage.binary_dilation(big)
                regions = np.where(hole & (hole.sum() > 0.04 * capsule.sum()), T.SINUS, 0).astype(np.uint8)
            else:
                shape = shapes[int(rng.integers(len(shapes)))]
                goal = np.argwhere(big).mean(0) + rng.normal(0, 5, 2)
                capsule, regions = place_shape(shape, sector, goal, rng.uniform(75, 130) / mm, rng)
            seen = capsule & inside
            if seen.sum() < 150 or seen.sum() < 0.55 * capsule.sum():
                continue
            # visible?
            if kind == "ct":
                T._add_kidney(tissue, sector.to_beams(capsule.astype(np.uint8)) > 0, sector.to_beams(regions), rng)
            lost = sector.to_frame(np.cumsum(tissue.attenuation, 0))[0]
            if np.mean(lost[seen] - np.median(lost[inside]) > 18) > 0.3:
                continue
        if rng.random() < 0.4:
            T._add_shadows(tissue, rng)
        grey, inside = sector.to_frame(echo_levels(tissue, sector, rng))
        mask = np.zeros(sector.shape, bool)
        if kind != "real" and rng.random() < 0.35 or kind == "real" and rng.random() < 0.5:
            for _ in range(int(rng.integers(1, 9)) if kind != "ct" else 0):
                grey = C._with_tissue(grey, inside, pieces[int(rng.integers(len(pieces)))], rng)
        if kind == "ct":
            mask = capsule & inside
        elif kind == "real":
            grey, mask = paste(grey, inside, pieces[int(rng.integers(len(pieces)))], capsule, rng)
            if mask.sum() < 150:
                continue
        grey = restyle(grey, inside, reals, rng)
        return Frame(grey, mask)
    return None
