"""The engine by its public boundary: the command line of any checkout, so that recordings outlive its insides."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

# A sum in another order can move a voxel that lies at a threshold.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass
class CommandLine:
    """Runs commands of one checkout and keeps what they printed.

    Attributes:
        checkout: folder that holds the engine's package.
        folder: working folder; its path is left out of what is kept.
        said: of each command a name, the exit code and the lines that it printed.
    """

    checkout: Path
    folder: Path
    said: dict[str, dict[str, object]] = field(default_factory=dict)

    def run(self, name: str, *arguments: str | Path) -> bool:
        """Runs ``kidneyseg`` with these arguments and returns whether it ended with 0."""
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(self.checkout)}
        environment.pop("KIDNEYSEG_MODELS", None)
        child = subprocess.run(
            [sys.executable, "-m", "KidneySegLib", *map(str, arguments)],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        printed = child.stdout if child.returncode == 0 else child.stdout + child.stderr
        lines = printed.replace(str(self.folder), "FOLDER").splitlines()
        self.said[name] = {"exit code": child.returncode, "printed": lines}
        return child.returncode == 0


def commit_of(checkout: Path) -> str:
    """Returns the checkout's commit, or a remark where it is no clone."""
    found = subprocess.run(["git", "-C", checkout, "rev-parse", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or "not a clone"
