"""How long to wait before something is tried again."""

from __future__ import annotations

from collections.abc import Callable
from random import random

FIRST, LONGEST = 5.0, 600.0  # seconds


def delay(failures: int, draw: Callable[[], float] = random) -> float:
    """Returns seconds to wait after so many failures in a row: doubled each time, capped, and partly random.

    Half of the time is drawn, so that what failed together does not come back together ("equal jitter": M. Brooker,
    Exponential Backoff and Jitter, AWS Architecture Blog, 2015).

    Args:
        failures: at least 1.
        draw: gives a number from 0 to 1.
    """
    full = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 30))
    return full * (0.5 + 0.5 * draw())
