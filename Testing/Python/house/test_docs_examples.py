"""The examples of the documentation do what its pages show. One run on the sample serves all pages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from docs_examples import EXAMPLE, ROOT, Example, missing_lines, read_examples, run_example

DOCS = ROOT / "docs"
FIRST = "tutorial/first-result.md"
PAGES = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md") if f"{EXAMPLE}\n" in p.read_text("utf-8"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not shutil.which("bash"), reason="the examples are written for bash, which is not here"),
]


def check(page: str, folder: Path) -> None:
    examples = read_examples((DOCS / page).read_text(encoding="utf-8"))
    assert examples
    for example in examples:
        printed = run_example(example, folder)
        assert missing_lines(example.output, printed) == [], f"{example.code}\nprinted:\n{printed}"


@pytest.fixture(scope="module")
def after_first_result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first tutorial was followed to its end."""
    folder = tmp_path_factory.mktemp("first_result")
    check(FIRST, folder)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if page != FIRST])
def test_examples_of(page: str, after_first_result: Path, tmp_path: Path) -> None:
    shutil.copytree(after_first_result, tmp_path / "page")
    check(page, tmp_path / "page")


def test_the_first_tutorial_ends_with_a_corrected_result(after_first_result: Path) -> None:
    for result in ("out", "corrected"):
        assert (after_first_result / result / "findings.json").is_file()


def test_readme_shows_commands_of_the_first_tutorial() -> None:
    """README's examples are run there."""
    tried = "".join(example.code for example in read_examples((DOCS / FIRST).read_text(encoding="utf-8")))
    [example] = read_examples((ROOT / "README.md").read_text(encoding="utf-8"))
    assert set(example.code.splitlines()) <= set(tried.splitlines())


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    [example] = read_examples(f"{EXAMPLE}\n```sh\necho 'volume 12.3 ml'; echo done\n```\n")
    printed = run_example(example, tmp_path)
    assert missing_lines(("volume 12.… ml", "done"), printed) == []
    assert missing_lines(("volume 13.… ml",), printed) == ["volume 13.… ml"]
    assert missing_lines(("done", "volume 12.3 ml"), printed) == ["volume 12.3 ml"]


def test_a_failing_example_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="No such option"):
        run_example(Example("sh", "kidneyseg models --no-such-option\n", ()), tmp_path)


def test_a_mark_without_a_block_is_noticed() -> None:
    with pytest.raises(ValueError, match="No fenced block"):
        read_examples(f"{EXAMPLE}\n\n```sh\ntrue\n```\n")
