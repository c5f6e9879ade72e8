"""What a client works on: an image, one object in it, and the interactions with it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.geometry.boxes import Box, hull
from KidneySegLib.readers.image_values import as_hounsfield
from KidneySegLib.segmentation.interactive.session import LabelChange, Session
from KidneySegLib.structures import BY_KEY
from KidneySegLib.volume import Volume

# The object has a label map of its own, so a click takes background alone, and gives back to it. Nobody says what
# it is; it is taken for a lesion, as most of what is corrected is one.
OBJECT = BY_KEY["mass"].label
TARGET_TYPES = ("bool", "uint8", "uint16", "int16", "int32", "float32")
LEAST_SPACING_MM, LARGEST_SPACING_MM = 0.01, 100.0


@dataclass(frozen=True)
class Prompt:
    """Clicks or a scribble that wait for an answer.

    Attributes:
        kji: voxels, ``(n, 3)``.
        adds: more of the object, or less.
    """

    kji: np.ndarray
    adds: bool


@dataclass
class ClientState:
    """The state of one client. Array axes are the client's own, called ``(k, j, i)`` here.

    Attributes:
        session: image and object; None before an image was sent.
        target_type: of the client's own copy of the object, which the answers have.
        waiting: interactions that were sent without asking for an answer.
    """

    session: Session | None = None
    target_type: np.dtype = field(default_factory=lambda: np.dtype(np.uint8))
    waiting: list[Prompt] = field(default_factory=list)

    def set_image(self, image: np.ndarray, properties: Any) -> None:
        """Takes a new image; the object is empty then.

        Args:
            image: HU, ``(1, k, j, i)``.
            properties: ``spacing`` in mm along k, j, i; 1 mm where it is missing.

        Raises:
            InputError: not one channel, not a CT's values, or an impossible spacing.
        """
        if image.ndim != 4 or image.shape[0] != 1:
            raise InputError("An image with one channel is needed: an array of shape (1, x, y, z).")
        voxels, _ = as_hounsfield(image[0])
        self.session = Session(Volume(voxels, np.diag([*_spacing(properties)[::-1], 1.0])), _nothing(voxels.shape))
        self.waiting.clear()

    def set_target(self, shape: Any, dtype: Any) -> None:
        """Takes shape and type of the client's copy of the object; the object is empty then.

        Raises:
            InputError: another shape than the image's, or a type that is not taken.
        """
        session = self._drawn()
        if not isinstance(shape, list) or tuple(shape) != session.labels.shape:
            raise InputError("The target buffer must have the shape of the image.")
        if dtype not in TARGET_TYPES:
            raise InputError(f"The type of the target buffer must be one of {', '.join(TARGET_TYPES)}.")
        self.target_type = np.dtype(dtype)
        self.restart(_nothing(session.labels.shape))

    def restart(self, mask: np.ndarray | None = None) -> None:
        """Forgets all interactions; the object is what ``mask`` says, nothing without it.

        Raises:
            InputError: the mask has another shape than the image.
        """
        session = self._drawn()
        if mask is not None and mask.shape != session.labels.shape:
            raise InputError("The segmentation must have the shape of the image.")
        labels = _nothing(session.labels.shape) if mask is None else (mask > 0) * np.uint8(OBJECT)
        self.session = Session(session.volume, labels)
        self.waiting.clear()

    def click(self, place: Any, adds: bool) -> None:
        """Takes a click; ``answer`` answers it.

        Raises:
            InputError: the place is not a voxel of the image.
        """
        if not isinstance(place, list) or len(place) != 3 or not all(_is_number(at) for at in place):
            raise InputError("A point must be three numbers.")
        self._ask(np.array([place], dtype=np.float64), adds)

    def scribble(self, mask: np.ndarray, box: Any, adds: bool) -> None:
        """Takes a scribble; ``answer`` answers it.

        Args:
            mask: of any type, ``(k, j, i)``, not zero where it was drawn.
            box: first voxel and end along each axis, where the mask covers a part of the image; None for all of it.
            adds: more of the object, or less.

        Raises:
            InputError: the mask does not fit, or is empty.
        """
        shape = self._drawn().labels.shape
        start = np.zeros(3, np.intp)
        if box is not None:
            corners = np.array(box, dtype=np.float64) if _is_box(box) else np.full((3, 2), np.nan)
            if not (corners[:, 1] - corners[:, 0] == mask.shape).all() or (corners[:, 0] < 0).any():
                raise InputError("The box of the scribble does not fit its mask.")
            start = corners[:, 0].astype(np.intp)
        if mask.ndim != 3 or (start + mask.shape > shape).any() or (box is None and mask.shape != shape):
            raise InputError("The scribble lies outside the image.")
        places = np.argwhere(mask) + start
        if not len(places):
            raise InputError("The scribble is empty.")
        self._ask(places, adds)

    def answer(self) -> Box | None:
        """Answers what waits; returns the part of the object that may have changed, or None."""
        session = self._drawn()
        boxes: list[Box] = []
        while self.waiting:
            prompt = self.waiting.pop(0)
            box = session.scribble(prompt.kji, OBJECT, adds=prompt.adds).box
            boxes += [box] if box is not None else []
        return hull(boxes) if boxes else None

    def undo(self) -> LabelChange | None:
        """Takes the last interaction back; None where there is none."""
        if self.waiting:
            self.waiting.pop()
            return LabelChange(None, 0)
        session = self._drawn()
        return session.undo() if session.can_undo else None

    def part(self, box: Box) -> np.ndarray:
        """Returns a part of the object in the type of the client's copy."""
        return (self._drawn().labels[box] == OBJECT).astype(self.target_type)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image, ``(k, j, i)``."""
        return self._drawn().labels.shape

    def _ask(self, kji: np.ndarray, adds: bool) -> None:
        if not np.isfinite(kji).all() or (kji < 0).any() or (kji >= self.shape).any():
            raise InputError("The interaction lies outside the image.")
        self.waiting.append(Prompt(kji, adds))

    def _drawn(self) -> Session:
        if self.session is None:
            raise InputError("Send an image first.")
        return self.session


def _nothing(shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape, np.uint8)


def _spacing(properties: Any) -> tuple[float, float, float]:
    given = properties.get("spacing") if isinstance(properties, dict) else None
    if given is None:
        return 1.0, 1.0, 1.0
    if not isinstance(given, list) or len(given) != 3 or not all(_is_number(step) for step in given):
        raise InputError("The spacing must be three numbers, in mm along the axes of the image.")
    k, j, i = (float(step) for step in given)
    if not all(LEAST_SPACING_MM <= step <= LARGEST_SPACING_MM for step in (k, j, i)):
        raise InputError("The spacing is impossible. Give it in mm along the axes of the image.")
    return k, j, i


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_box(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(isinstance(axis, list) and len(axis) == 2 and all(map(_is_number, axis)) for axis in value)
    )
