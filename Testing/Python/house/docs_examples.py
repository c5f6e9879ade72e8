"""Examples in the documentation: found by their marks, run in a folder, compared with the output on the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE, OUTPUT = "<!-- example -->", "<!-- output -->"
_BLOCK = re.compile(r"```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A block that follows the mark of an example.

    Attributes:
        language: ``sh`` or ``python``.
        code: what is run.
        output: lines that it must print in this order; ``…`` stands for any characters.
    """

    language: str
    code: str
    output: tuple[str, ...]


def read_examples(page: str) -> list[Example]:
    """Returns the examples of a page in Markdown.

    Raises:
        ValueError: a mark has no block behind it, or a block's language cannot be run.
    """
    examples = []
    for piece in page.split(f"{EXAMPLE}\n")[1:]:
        code = _block(piece)
        rest = piece[code.end() :].lstrip("\n")
        shown = _block(rest.removeprefix(f"{OUTPUT}\n"))[2] if rest.startswith(OUTPUT) else ""
        if code[1] not in ("sh", "python"):
            raise ValueError(f"An example in {code[1]} cannot be run: use sh or python.")
        examples.append(Example(code[1], code[2], tuple(shown.splitlines())))
    return examples


def _block(text: str) -> re.Match[str]:
    match = _BLOCK.match(text)
    if match is None:
        raise ValueError(f"No fenced block follows the mark, but: {text[:60]!r}")
    return match


def run_example(example: Example, folder: Path) -> str:
    """Runs an example as a reader would and returns what it printed; fails with its error output if it fails."""
    shell = shutil.which("bash")
    assert shell, "the examples need bash"
    command = [sys.executable, "-c", example.code]
    if example.language == "sh":
        command = [shell, "-euo", "pipefail", "-c", example.code]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIDNEYSEG_")}
    # the commands of this environment and the code of this checkout
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))
    environment["PYTHONPATH"] = str(ROOT)
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, f"{example.code}\n{run.stdout}{run.stderr}"
    return run.stdout


def missing_lines(shown: tuple[str, ...], printed: str) -> list[str]:
    """Returns the shown lines that were not printed, or not in the order of the page."""
    lines = iter(printed.splitlines())
    missing = []
    for line in shown:
        pattern = ".*".join(map(re.escape, line.split("…")))
        if not any(re.fullmatch(pattern, other) for other in lines):
            missing.append(line)
    return missing
