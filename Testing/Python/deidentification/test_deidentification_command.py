"""``kidneyseg deidentify`` as users call it."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from deidentification_cases import NAME, assert_nothing_left, write_ct
from typer.testing import CliRunner, Result

from KidneySegLib.commands.app import app
from KidneySegLib.errors import OutputError, ResourceError


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["deidentify", *map(str, arguments)])


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_key_is_made_once_and_used_again(tmp_path: Path) -> None:
    pytest.importorskip("dicomanonymizer", reason="the extra 'deidentification' is not installed")
    write_ct(tmp_path / "in", 3, PatientName=NAME)
    key = tmp_path / "key.json"
    first = call(tmp_path / "in", "-o", tmp_path / "one", "--key", key)
    assert first.exit_code == 0 and "Wrote 3 files of 1 patient." in first.output and "new key" in first.output
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    content = key.read_text()
    second = call(tmp_path / "in", "-o", tmp_path / "two", "--key", key)
    assert second.exit_code == 0 and "new key" not in second.output and key.read_text() == content
    assert names(tmp_path / "one") == names(tmp_path / "two")
    third = call(tmp_path / "in", "-o", tmp_path / "three")
    assert third.exit_code == 0 and not set(names(tmp_path / "one")) & set(names(tmp_path / "three"))
    for path in (path for path in tmp_path.glob("[ot]*/**/*.dcm") if path.is_file()):
        assert_nothing_left(path, [NAME])


def test_a_key_beside_the_copies_is_refused(tmp_path: Path) -> None:
    write_ct(tmp_path / "in", 3)
    result = call(tmp_path / "in", "-o", tmp_path / "out", "--key", tmp_path / "out" / "key.json")
    assert isinstance(result.exception, OutputError) and "Keep it elsewhere" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_without_the_package_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from KidneySegLib.deidentification import profile

    write_ct(tmp_path / "in", 3)
    monkeypatch.setitem(sys.modules, "dicomanonymizer.dicomfields_selector", None)
    profile._table.cache_clear()
    result = call(tmp_path / "in", "-o", tmp_path / "out")
    assert isinstance(result.exception, ResourceError)
    assert "pip install -e '.[deidentification]'" in str(result.exception)
    assert not (tmp_path / "out").exists()
