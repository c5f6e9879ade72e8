"""How the axes of a network's images lie in the patient, where it was trained on files in another order than ours."""

from dataclasses import dataclass

from KidneySegLib.errors import InputError

# our axes k, j, i run to the head, the back and the left
_OURS = "SPL"
_AXIS = {"S": 0, "I": 0, "P": 1, "A": 1, "L": 2, "R": 2}


@dataclass(frozen=True)
class NetworkAxes:
    """Of the axes of a network, first to last.

    Attributes:
        place: our axis (0 is k, 1 is j, 2 is i) that each of them is.
        reversed: our axes along which it sees the patient the other way round.
    """

    place: tuple[int, int, int]
    reversed: tuple[bool, bool, bool]

    @property
    def order(self) -> tuple[int, int, int]:
        """For each of our axes, the network's."""
        k, j, i = (self.place.index(axis) for axis in range(3))
        return k, j, i

    def ours(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """Returns numbers for the network's axes in the order of ours."""
        return tuple(values[axis] for axis in self.order)


def axes_of(directions: str) -> NetworkAxes:
    """Returns the axes of a network whose first, second and third axis run in these directions.

    Args:
        directions: three of ``R`` or ``L``, ``A`` or ``P``, ``S`` or ``I``: where each axis runs to.

    Raises:
        InputError: they are no three directions of a patient.
    """
    letters = directions.upper()
    if len(letters) != 3 or sorted(_AXIS.get(letter, -1) for letter in letters) != [0, 1, 2]:
        raise InputError("An orientation has three letters: one of R and L, of A and P, of S and I. Write LPS, RAS …")
    first, second, third = (_AXIS[letter] for letter in letters)
    flips = [False] * 3
    for letter in letters:
        flips[_AXIS[letter]] = letter not in _OURS
    return NetworkAxes((first, second, third), (flips[0], flips[1], flips[2]))
