"""A child process that can be ended together with everything that it started."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path


def withoutWindow() -> dict[str, int]:
    """Returns the option with which `subprocess` opens no console window on Windows."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {}  # type: ignore[attr-defined]


def startProcess(arguments: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Starts a process at the head of a tree of its own, without a console window."""
    options: dict[str, object] = {}
    if os.name == "nt":
        options["creationflags"] = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP  # type: ignore[attr-defined]
    else:
        options["start_new_session"] = True
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        **options,  # type: ignore[call-overload]
    )


def endProcessTree(process: subprocess.Popen[str], force: bool = False) -> None:
    """Tells a process and all its children to end; `force` leaves them no choice.

    PythonSlicer is a launcher: what computes is its child, so ending the process alone would not stop anything.
    """
    if os.name == "nt":
        # a process without a window cannot be asked, so it is ended at once; that takes some time, so nobody waits here
        subprocess.Popen(
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **withoutWindow(),
        )
        return
    try:
        os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        # macOS says so of a group of which nothing but an ended process is left
        if process.poll() is None:
            process.kill()
