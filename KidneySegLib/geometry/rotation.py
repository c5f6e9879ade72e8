"""Rotations in three dimensions."""

import math

import numpy as np


def rotation(degrees: np.ndarray) -> np.ndarray:
    """Returns the rotation matrix about axes 0, 1, 2 in this order."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        first, second = [a for a in range(3) if a != axis]
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        matrix = turn @ matrix
    return matrix
