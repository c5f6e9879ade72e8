"""What machines draw on frames: text, rulers, grey scales, calipers, colour Doppler boxes."""

import numpy as np
from scipy import ndimage


def draw_text(grey: np.ndarray, rng: np.random.Generator, lines: int) -> None:
    """Draws lines of letter-like marks at the borders of a frame ``(j, i)``, in place."""
    rows, columns = grey.shape
    for _ in range(lines):
        height, length = int(rng.integers(4, 8)), int(rng.integers(3, 16))
        top = int(
            rng.choice([rng.uniform(0, 0.15), rng.uniform(0.8, 0.95), rng.uniform(0, 0.95)], p=[0.5, 0.3, 0.2]) * rows
        )
        left = int(rng.choice([rng.uniform(0, 0.1), rng.uniform(0.7, 0.95)]) * columns)
        letters = rng.random((height, length * 4)) < 0.5
        letters[:, ::4] = False
        _put(grey, letters, top, left, rng.uniform(140, 255))


def draw_ruler(grey: np.ndarray, rng: np.random.Generator) -> None:
    """Draws a depth scale, and sometimes a bar of grey levels, at a side."""
    rows, columns = grey.shape
    column = int(rng.choice([0.02, 0.97]) * columns)
    step = max(4, int(rows / rng.integers(8, 20)))
    for number, row in enumerate(range(int(rng.integers(0, step)), rows, step)):
        length = 4 if number % 5 == 0 else 2
        grey[row, column : column + length] = 200
    if rng.random() < 0.4:
        top, height = int(0.1 * rows), int(rng.uniform(0.2, 0.4) * rows)
        side = int(rng.choice([0.01, 0.96]) * columns)
        grey[top : top + height, side : side + 5] = np.linspace(255, 0, height)[:, None]


def draw_calipers(grey: np.ndarray, kidney: np.ndarray, rng: np.random.Generator) -> None:
    """Draws two crosses with a dotted line, mostly at ends of the kidney as who measures it does."""
    places = np.argwhere(kidney)
    if len(places) < 9 or rng.random() < 0.2:
        ends = rng.uniform(0, 1, (2, 2)) * np.array(grey.shape)
    else:
        direction = rng.normal(0, 1, 2) + (0, 1.5)
        order = places @ direction
        ends = places[[int(order.argmin()), int(order.argmax())]] + rng.normal(0, 2, (2, 2))
    level = rng.uniform(180, 255)
    for row, column in ends:
        reach = int(rng.integers(2, 5))
        for offset in range(-reach, reach + 1):
            _dot(grey, row + offset, column, level)
            _dot(grey, row, column + offset, level)
    if rng.random() < 0.7:
        for share in np.linspace(0, 1, int(rng.integers(12, 40))):
            row, column = ends[0] + share * (ends[1] - ends[0])
            _dot(grey, row, column, level)


def draw_colour_box(grey: np.ndarray, kidney: np.ndarray, rng: np.random.Generator) -> None:
    """Draws the frame of a colour Doppler box and blotches of flow, as their luminance."""
    rows, columns = grey.shape
    height, width = (int(rng.uniform(0.2, 0.55) * n) for n in grey.shape)
    places = np.argwhere(kidney)
    middle = places[int(rng.integers(len(places)))] if len(places) else np.array(grey.shape) / 2
    top = int(np.clip(middle[0] - height / 2, 0, rows - height - 1))
    left = int(np.clip(middle[1] - width / 2, 0, columns - width - 1))
    box = grey[top : top + height, left : left + width]
    flow = ndimage.gaussian_filter(rng.standard_normal(box.shape), rng.uniform(2, 5))
    flow = flow > np.quantile(flow, rng.uniform(0.8, 0.98))
    box[flow] = rng.uniform(60, 200) + rng.normal(0, 15, int(flow.sum()))
    lines = rng.uniform(100, 255)
    box[[0, -1]] = lines
    box[:, [0, -1]] = lines


def _dot(grey: np.ndarray, row: float, column: float, level: float) -> None:
    j, i = int(row), int(column)
    if 0 <= j < grey.shape[0] and 0 <= i < grey.shape[1]:
        grey[j, i] = level


def _put(grey: np.ndarray, marks: np.ndarray, top: int, left: int, level: float) -> None:
    part = grey[top : top + marks.shape[0], left : left + marks.shape[1]]
    part[marks[: part.shape[0], : part.shape[1]]] = level
