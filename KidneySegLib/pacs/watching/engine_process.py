"""The engine for one study, in a process of its own: its memory goes back, and a crash is only that study's."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from KidneySegLib.errors import InputError, KidneySegError, OutputError
from KidneySegLib.pacs.engine_environment import engine_environment
from KidneySegLib.pacs.receiving import writing

LONGEST_RUN = 3600.0  # seconds; a run that takes longer hangs
_CHILD = "engine-process"  # file beside the result folder: which process works, for a watcher that was killed meanwhile
CHOICE = "choice.json"  # file beside the images: flags on which series was chosen and why, for the result
_TOLD = (3, 4, 5, 6)  # exit codes with a sentence for the user, which holds no patient data


class Engine(Protocol):
    """Segments a study."""

    def __call__(self, images: Path, results: Path) -> None:
        """Makes ``results``, a folder with the DICOM objects that are to be sent.

        Args:
            images: folder that holds one CT series; a file ``CHOICE`` beside it says why it was chosen.
            results: does not exist before; exists afterwards only if everything is in it.

        Raises:
            InputError: the images cannot be used, today or later.
            KidneySegError: anything else went wrong.
        """


class EngineProcess:
    """Runs ``kidneyseg segment`` as a child process."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        """Takes further options of ``kidneyseg segment``, such as ``--device cpu``."""
        self._options = options

    def __call__(self, images: Path, results: Path) -> None:
        """Segments and writes DICOM objects and a report; see ``Engine``."""
        command = [sys.executable, "-m", "KidneySegLib", "segment", str(images), "--output", str(results)]
        command += ["--dicom", "--report", "--progress", "none", *self._options]
        choice = images.parent / CHOICE
        if choice.is_file():
            command += ["--flags", str(choice)]
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=engine_environment(os.environ),
            text=True,
            errors="replace",
        )
        _first_to_go(child.pid)
        mark = results.parent / _CHILD
        try:
            with writing():
                mark.write_text(f"{child.pid} {results.name}", encoding="utf-8")
            _, said = child.communicate(timeout=LONGEST_RUN)
        except subprocess.TimeoutExpired:
            raise KidneySegError(f"The engine did not end within {LONGEST_RUN:.0f} s.") from None
        finally:
            _end(child)
            mark.unlink(missing_ok=True)
        _judge(child.returncode, said)


def end_orphan(folder: Path) -> None:
    """Ends an engine that a killed watcher left at work in a study's folder."""
    import psutil

    mark = folder / _CHILD
    with contextlib.suppress(OSError, psutil.Error, ValueError):
        number, attempt = mark.read_text(encoding="utf-8").split()
        process = psutil.Process(int(number))
        # the number alone may by now be that of another process; times of start move when somebody sets the clock
        if any(attempt in argument for argument in process.cmdline()):
            process.kill()
            process.wait(10)
    mark.unlink(missing_ok=True)


def _first_to_go(pid: int) -> None:
    """Asks the system to end this process before others when memory runs out (Linux): it, and not the watcher."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000", encoding="ascii")


def _end(child: subprocess.Popen[str]) -> None:
    """Ends the child if it still runs, gently first."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stderr is not None:
        child.stderr.close()


def _judge(code: int, said: str) -> None:
    if code == 0:
        return
    sentences = [line.removeprefix("kidneyseg: ") for line in said.splitlines() if line.startswith("kidneyseg: ")]
    if code not in _TOLD or not sentences:
        how = f"was ended by signal {-code}, perhaps for lack of memory" if code < 0 else f"ended with exit code {code}"
        raise KidneySegError(f"The engine {how}.")
    # a full disk has room again some day, so it must not look like an engine that fails
    kind = {InputError.exit_code: InputError, OutputError.exit_code: OutputError}.get(code, KidneySegError)
    raise kind(sentences[-1])
