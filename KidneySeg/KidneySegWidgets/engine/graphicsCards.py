"""How many graphics cards there are, asked without waiting: NVIDIA's program takes seconds after a start."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

import qt

from KidneySegWidgets.engine.processTree import withoutWindow

_POLL_MS = 200
_PATIENCE_S = 20.0


class GraphicsCards:
    """Asks NVIDIA's driver and tells the number, if there are any; one where the driver does not answer."""

    def __init__(self, onCounted: Callable[[int], None]) -> None:
        self._onCounted = onCounted
        self._process: Any = None
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self._poll)
        program = shutil.which("nvidia-smi")
        if program is None:
            return
        try:
            self._process = subprocess.Popen(
                [program, "--list-gpus"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                errors="replace",
                **withoutWindow(),
            )
        except OSError:
            return
        self._asked = time.monotonic()
        self._timer.start()

    def stop(self) -> None:
        """Waits for no answer any more."""
        self._timer.stop()
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _poll(self) -> None:
        if self._process.poll() is None:
            if time.monotonic() - self._asked > _PATIENCE_S:
                self.stop()
                self._onCounted(1)
            return
        self._timer.stop()
        answer, _nothing = self._process.communicate()
        failed, self._process = self._process.returncode != 0, None
        count = 1 if failed else sum(line.startswith("GPU ") for line in answer.splitlines())
        if count:
            self._onCounted(count)
