"""Passwords stay where they belong, files about patients are private, and no word of a header gets into a log."""

from __future__ import annotations

import logging
import os
import stat
import sys
from pathlib import Path

import pytest
from dicom_writing import even_positions, write_series
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.commands.watch import OneLine
from KidneySegLib.errors import InputError, KidneySegError
from KidneySegLib.pacs.archive import RemoteSeries
from KidneySegLib.pacs.engine_environment import engine_environment
from KidneySegLib.pacs.peers import exposed_secrets, read_peer
from KidneySegLib.pacs.transfer.fetch import candidates
from KidneySegLib.pacs.watching.engine_process import EngineProcess
from KidneySegLib.publishing import private_files
from KidneySegLib.readers.dicom.finding.words import known_modality
from KidneySegLib.readers.input import read_input


@pytest.mark.parametrize("value", ["DOE JANE", "MR\nstudy 4: done", "CT\\DOE", "\x1b[31mCT", "X" * 2000, "Ж"])
def test_a_modality_that_nobody_knows_is_never_printed(value: str, tmp_path: Path) -> None:
    assert known_modality(value) == "unknown objects"
    series = [RemoteSeries("1", "1.1", known_modality(value), "", 3), RemoteSeries("1", "1.2", "MR", "", 3)]
    with pytest.raises(InputError, match="The study holds MR, unknown objects; a CT series is needed"):
        candidates(series)
    if value.isascii() and value.isprintable() and len(value) <= 16:
        positions = even_positions((0, 0, 0), (1, 0, 0, 0, 1, 0), 2.0, 4)
        import numpy as np

        write_series(tmp_path, np.zeros((4, 8, 8), int), positions, Modality=value)
        with pytest.raises(InputError) as refusal:
            read_input(tmp_path)
        assert "unknown objects" in str(refusal.value) and "DOE" not in str(refusal.value)


def test_an_entry_of_the_log_is_one_line_of_printable_characters() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "study %d: %s", (3, "MR\nstudy 4: done\x1b[31m\u202e"), None)
    assert OneLine("%(message)s").format(record) == "study 3: MR?study 4: done?[31m?"


def test_modalities_of_the_standard_are_told() -> None:
    assert [known_modality(value) for value in ("ct", " MR ", "", "RTSTRUCT")] == ["CT", "MR", "", "RTSTRUCT"]


def test_the_engine_gets_what_it_needs_and_no_secret() -> None:
    environment = {
        "PATH": "/bin",
        "HOME": "/root",
        "PYTHONPATH": "x",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "0",
        "KIDNEYSEG_MODELS": "m",
        "LC_ALL": "C",
        "KIDNEYSEG_ORTHANC_PASSWORD": "s",
        "KIDNEYSEG_ORTHANC_TOKEN": "s",
        "KIDNEYSEG_ORTHANC_USERNAME": "s",
        "KIDNEYSEG_SERVERS": "s",
        "AWS_SECRET_ACCESS_KEY": "s",
        "PYTHON_API_TOKEN": "s",
        "HTTPS_PROXY": "http://user:s@proxy",
    }
    kept = engine_environment(environment)
    assert "s" not in kept.values() and "HTTPS_PROXY" not in kept and len(kept) == 7


def test_the_process_of_the_engine_does_not_inherit_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "engine"
    engine.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(engine))
    monkeypatch.setenv("KIDNEYSEG_ORTHANC_PASSWORD", "only-for-this-test")
    with pytest.raises(KidneySegError, match="exit code 1"):
        EngineProcess()(tmp_path, tmp_path / "results")
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen and "only-for-this-test" not in seen


@pytest.mark.parametrize(
    ("settings", "mode", "words"),
    [
        ('dicomweb = "https://a/b"\npassword = "p"', 0o644, ["chmod 600"]),
        ('dicomweb = "https://a/b"\ntoken = "p"', 0o602, ["chmod 600"]),
        ('dicomweb = "https://a/b"\npassword = "p"', 0o640, []),
        ('dicomweb = "https://a/b"', 0o644, []),
        ('dicomweb = "http://a/b"\npassword = "p"', 0o600, ["in the clear"]),
        ('dicomweb = "HTTP://a/b"\ntoken = "p"', 0o600, ["in the clear"]),
        ('dicomweb = "https://a/b"\nrest = "http://a"\npassword = "p"', 0o644, ["chmod 600", "in the clear"]),
        ('dicomweb = "http://127.0.0.1.example/b"\npassword = "p"', 0o600, ["in the clear"]),
        ('dicomweb = "http://localhost:8042/b"\nrest = "http://[::1]"\npassword = "p"', 0o600, []),
        ('dicomweb = "http://127.3.2.1:8042/b"\npassword = "p"', 0o600, []),
        ('dicomweb = "http://a/b"', 0o600, []),
    ],
)
def test_secrets_that_others_may_learn_are_told(tmp_path: Path, settings: str, mode: int, words: list[str]) -> None:
    path = tmp_path / "servers.toml"
    path.write_text(f"[x]\n{settings.replace('HTTP:', 'http:')}\n")
    path.chmod(mode)
    remarks = exposed_secrets(path, read_peer(path, "x", {}))
    assert len(remarks) == len(words) and all(word in remark for word, remark in zip(words, remarks, strict=True))


def test_a_command_says_so_on_the_error_stream(tmp_path: Path) -> None:
    path = tmp_path / "servers.toml"
    path.write_text('[x]\ndicomweb = "http://127.0.0.1:9"\npassword = "telling"\n')
    path.chmod(0o644)
    arguments = ["pull", "--servers", str(path), "--server", "x", "--study", "1.2", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert "chmod 600" in result.stderr and "telling" not in result.stderr and result.exception.exit_code == 7


def test_private_files_are_for_their_owner_alone_and_others_stay_as_they_are(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with private_files():
            (tmp_path / "private").mkdir()
            (tmp_path / "private" / "file").touch()
        with private_files(False):
            (tmp_path / "open").touch()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("private", "private/file", "open")]
    assert modes == [0o700, 0o600, 0o644]


def test_copies_without_names_and_an_open_key(tmp_path: Path) -> None:
    import numpy as np

    positions = even_positions((0, 0, 0), (1, 0, 0, 0, 1, 0), 2.0, 3)
    write_series(tmp_path / "in", np.zeros((3, 8, 8), int), positions)
    arguments = ["deidentify", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--key", str(tmp_path / "key")]
    before = os.umask(0o022)
    try:
        assert "warning" not in CliRunner().invoke(app, arguments).stderr
        (tmp_path / "key").chmod(0o644)
        arguments[3] = str(tmp_path / "again")
        assert "Others on this machine may read or change the key file" in CliRunner().invoke(app, arguments).stderr
    finally:
        os.umask(before)
    for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
        assert not path.stat().st_mode & 0o077, path
