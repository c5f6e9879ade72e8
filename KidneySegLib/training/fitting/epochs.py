"""What is told of a run while it trains: how long it will take, and the numbers of its epochs."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.training.recipe import Schedule

# Takes the number of an epoch, from 1, and its numbers by name.
EpochWriter = Callable[[int, Mapping[str, float]], None]


def log_nowhere(epoch: int, values: Mapping[str, float]) -> None:
    """A writer that writes nothing."""


def tensorboard_writer(folder: Path) -> EpochWriter:
    """Returns a writer of TensorBoard's event files below ``folder``/tensorboard.

    Raises:
        InputError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            "TensorBoard is not installed. In the checkout: pip install -e '.[tensorboard]'. Or leave out "
            "--tensorboard."
        ) from error
    writer = SummaryWriter(str(folder / "tensorboard"))

    def write(epoch: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if math.isfinite(value):
                writer.add_scalar(name, value, epoch)
        writer.flush()

    return write


class RunClock:
    """How long a run has trained in all its sessions, and how long it will."""

    def __init__(self, earlier: float, first: int, steps: int) -> None:
        """Starts.

        Args:
            earlier: seconds of earlier sessions.
            first: step that this session begins with.
            steps: of the whole schedule.
        """
        self._earlier, self._first, self._steps = earlier, first, steps
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of all sessions."""
        return self._earlier + time.monotonic() - self._start

    def left(self, step: int) -> float:
        """Returns the seconds that are left after ``step`` steps, by the pace of this session."""
        done = step - self._first
        return (time.monotonic() - self._start) / done * (self._steps - step) if done > 0 else math.inf

    def message(self, step: int, schedule: Schedule, loss: float) -> str:
        """Returns epoch, loss and the time that is left, as a line."""
        epoch = min(schedule.epochs, step // schedule.steps_per_epoch + 1)
        return f"Epoch {epoch} of {schedule.epochs}, loss {loss:.3f}, {duration(self.left(step))} left"


def duration(seconds: float) -> str:
    """Returns a time in hours and minutes, or in seconds below two minutes.

    Example:
        >>> duration(90), duration(7_400)
        ('90 s', '2 h 3 min')
    """
    if not math.isfinite(seconds):
        return "unknown time"
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
