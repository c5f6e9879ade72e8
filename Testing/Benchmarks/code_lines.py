#!/usr/bin/env python3
"""Counts the engine's lines that are code: no blank lines, no comments, no docstrings.

    python Testing/Benchmarks/code_lines.py                       # of each room of this checkout
    python Testing/Benchmarks/code_lines.py --against ../before   # beside those of another checkout
    python Testing/Benchmarks/code_lines.py --since 6062479 --commits Testing/Benchmarks/one_house.txt

The last one tells what each commit since then added or took away, and sums the commits that the file names (a hash at
the start of a line) apart from all others: so it is seen what the rebuilding of the house took away while other commits
brought new features. A line that is moved counts for nothing.
"""

from __future__ import annotations

import argparse
import ast
import io
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
    parser.add_argument("--commits", type=Path, metavar="FILE", help="hashes that are summed apart")
    options = parser.parse_args()
    if options.since:
        named = options.commits.read_text(encoding="utf-8").split("\n") if options.commits else []
        print_commits(options.since, tuple(line.split()[0] for line in named if line.strip()))
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


def print_commits(since: str, named: tuple[str, ...]) -> None:
    """Prints what each commit added, and the sums of the named ones and of the others."""
    sums = {True: 0, False: 0}
    for commit in _git("rev-list", "--reverse", "--no-merges", f"{since}..HEAD", "--", ENGINE).split():
        added = 0
        for change in _git("diff-tree", "-r", "--no-renames", f"{commit}^", commit, "--", ENGINE).splitlines():
            about, path = change.split("\t")
            old, new = about.split()[2:4]
            added += _lines_of(new) - _lines_of(old) if path.endswith(".py") else 0
        is_named = bool(named) and commit.startswith(named)
        sums[is_named] += added
        print(f"{added:+6d} {'*' if is_named else ' '} {_git('log', '-1', '--format=%h %s', commit).strip()[:100]}")
    print(f"{sums[True]:+6d} * the named commits\n{sums[False]:+6d}   all others")


@cache
def _lines_of(blob: str) -> int:
    return code_lines(_git("cat-file", "blob", blob)) if blob.strip("0") else 0


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=HERE, check=True, capture_output=True, encoding="utf-8").stdout


if __name__ == "__main__":
    main()
