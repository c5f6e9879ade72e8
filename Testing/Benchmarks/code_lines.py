#!/usr/bin/env python3
"""Counts the engine's lines that are code: no blank lines, no comments, no docstrings.

    python Testing/Benchmarks/code_lines.py                       # of each room of this checkout
    python Testing/Benchmarks/code_lines.py --against ../before   # beside those of another checkout
    python Testing/Benchmarks/code_lines.py --since 6062479 --commits Testing/Benchmarks/code_lines.txt

The last one tells what each commit since then added or took away, and sums the commits under each heading of the file
(a line without a hash; each commit below it is a line that starts with one) apart from all others: so it is seen what
the rebuilding of the house took away while new features came. A line that is moved counts for nothing.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import subprocess
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
ENGINE = "KidneySegLib"
_LAYOUT = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
_NO_CODE = {tokenize.COMMENT, *_LAYOUT}


def main() -> None:
    """Prints the table that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout")
    parser.add_argument("--since", metavar="COMMIT", help="commits after this one")
    parser.add_argument("--commits", type=Path, metavar="FILE", help="headings and hashes that are summed apart")
    options = parser.parse_args()
    if options.since:
        print_commits(options.since, read_headings(options.commits) if options.commits else {})
    else:
        print_rooms([HERE] if options.against is None else [options.against, HERE])


def code_lines(text: str) -> int:
    """Returns how many lines of a Python file are code; a statement over three lines counts three."""
    documented: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        # a string that stands alone is a docstring
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            documented.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - documented)


def print_rooms(checkouts: list[Path]) -> None:
    """Prints the lines of each room, one column for each checkout."""
    counts = []
    for checkout in checkouts:
        rooms: Counter[str] = Counter()
        for path in (checkout / ENGINE).rglob("*.py"):
            parts = path.relative_to(checkout / ENGINE).parts
            rooms[parts[0] if len(parts) > 1 else "(top)"] += code_lines(path.read_text(encoding="utf-8"))
        counts.append(rooms)
    for room in sorted(set().union(*counts)):
        print(f"{room:20s}" + "".join(f"{rooms[room]:8d}" for rooms in counts))
    print(f"{'all':20s}" + "".join(f"{rooms.total():8d}" for rooms in counts))


def read_headings(path: Path) -> dict[str, str]:
    """Returns the heading of each commit that a file names."""
    headings, heading = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"[0-9a-f]{7,40}\b", line):
            headings[match[0]] = heading
        elif line.strip():
            heading = line.strip()
    return headings


def print_commits(since: str, headings: dict[str, str]) -> None:
    """Prints what each commit added, and the sums by heading."""
    sums: Counter[str] = Counter()
    for commit in _git("rev-list", "--reverse", "--no-merges", f"{since}..HEAD", "--", ENGINE).split():
        added = 0
        for change in _git("diff-tree", "-r", "--no-renames", f"{commit}^", commit, "--", ENGINE).splitlines():
            about, path = change.split("\t")
            old, new = about.split()[2:4]
            added += _lines_of(new) - _lines_of(old) if path.endswith(".py") else 0
        heading = next((name for known, name in headings.items() if commit.startswith(known)), "all others")
        sums[heading] += added
        print(f"{added:+6d}  {_git('log', '-1', '--format=%h %s', commit).strip()[:80]:90s} {heading}")
    for heading, total in sums.items():
        print(f"{total:+6d}  {heading}")


@cache
def _lines_of(blob: str) -> int:
    return code_lines(_git("cat-file", "blob", blob)) if blob.strip("0") else 0


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=HERE, check=True, capture_output=True, encoding="utf-8").stdout


if __name__ == "__main__":
    main()
