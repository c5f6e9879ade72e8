"""The documentation builds without a network connection and without a broken link, and says what the code says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from docs_examples import ROOT

from KidneySegLib import errors
from KidneySegLib.commands.app import COMMANDS, GROUPS, SIGTERM_EXIT, app

DOCS = ROOT / "docs"
# Sphinx's own command, in a process that cannot connect to anything
OFFLINE_BUILD = """
import socket, sys
def refuse(*_):
    raise OSError("the build wanted a network connection")
socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("furo", reason="Sphinx and its theme are not installed here (extra docs)")
    command = [sys.executable, "-c", OFFLINE_BUILD, "-W", "--keep-going", "-q", str(source), str(target)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    run = build(DOCS, target)
    assert run.returncode == 0, run.stderr
    return target


def test_every_page_is_built_and_found_by_the_search(site: Path) -> None:
    pages = {p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md")}
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert {page for page in pages if not (site / f"{page}.html").is_file()} == set()
    assert {page for page in pages if f'"{page}"' not in index} == set()


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="https?:', text), page.name
        assert not re.findall(r'<link[^>]+rel="(?:stylesheet|preload)"[^>]+href="https?:', text), page.name


def test_every_command_stands_in_the_reference(site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name in [command.__name__ for command in COMMANDS] + [group.info.name for group in GROUPS]:
        assert f'id="kidneyseg-{name}"' in text
    assert "--keep-characteristics" in text and "<!-- commands -->" not in text


def test_every_room_stands_in_the_explanation(site: Path) -> None:
    text = (site / "explanation" / "how-it-works.html").read_text(encoding="utf-8")
    for path in (ROOT / "KidneySegLib").rglob("*/__init__.py"):
        assert f">{path.parent.relative_to(ROOT / 'KidneySegLib').as_posix()}<" in text


def test_functions_are_described_from_their_docstrings(site: Path) -> None:
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    assert 'id="KidneySegLib.errors.InputError"' in text and 'id="KidneySegLib.volume.Volume"' in text


def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    shutil.copy(DOCS / "conf.py", source)
    (source / "index.md").write_text("# Index\n\n## Here\n\n[here](#here)\n", encoding="utf-8")
    assert build(source, tmp_path / "right").returncode == 0
    for link in ("(nowhere.md)", "(#nowhere)"):
        (source / "index.md").write_text(f"# Index\n\n## Here\n\n[a link]{link}\n", encoding="utf-8")
        run = build(source, tmp_path / "wrong")
        assert run.returncode != 0 and "nowhere" in run.stderr


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_links_between_files_of_the_checkout_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, heading = target.partition("#")
        if not target.startswith("https:"):
            assert not path or (ROOT / path).exists(), target
            assert path or heading in headings, target


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", *sorted(p.name for p in (DOCS / "contributing").glob("*.md"))])
def test_files_that_a_change_touches_are_there(page: str) -> None:
    text = ((ROOT if page == "CONTRIBUTING.md" else DOCS / "contributing") / page).read_text(encoding="utf-8")
    named = re.findall(r"\b((?:KidneySegLib|KidneySeg|Resources|Testing|docs)/[\w./-]*\w)", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


PAGES = [*ROOT.glob("*.md"), *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_commands_and_options_that_a_page_shows_exist(page: Path) -> None:
    commands = typer.main.get_command(app).commands
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.M))
    for command, rest in re.findall(r"(?:^|&& )kidneyseg (\w+)([^#&|\n]*)", shell, re.M):
        assert command in commands, f"kidneyseg {command}"
        named, group = commands[command], getattr(commands[command], "commands", {})
        if group:
            named = group.get((rest.split() or [""])[0], named)
        known = {name for each in named.params for name in (*each.opts, *each.secondary_opts)}
        assert set(re.findall(r"(?<=[\s\[])--[a-z][\w-]*", rest)) <= known | {"--help"}, f"kidneyseg {command}{rest}"


def test_exit_codes_are_those_of_the_errors() -> None:
    rows = re.findall(r"^\| (\d+) \|", (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8"), re.M)
    used = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    # 0: done; 2: typer's own, for wrong use
    assert {int(code) for code in rows} == used | {0, 2, SIGTERM_EXIT}
