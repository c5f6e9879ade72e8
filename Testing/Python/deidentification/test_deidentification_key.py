"""Pseudonyms: the same with the same key, unlinkable with another; the key file is kept safe."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from KidneySegLib.deidentification.dataset import moved_back
from KidneySegLib.deidentification.key import create_key, load_key
from KidneySegLib.deidentification.pseudonyms import Pseudonyms
from KidneySegLib.errors import InputError, OutputError

ONE, OTHER = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
UIDS = [f"1.2.840.113619.2.{n}" for n in range(200)]


def test_a_key_is_read_back_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    secret = create_key(path)
    assert load_key(path) == secret and len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    secret = create_key(path)
    with pytest.raises(OutputError, match="not overwritten"):
        create_key(path)
    assert load_key(path) == secret
    assert create_key(tmp_path / "second.json") != secret


@pytest.mark.parametrize("damage", ["truncated", "digit", "empty", "binary", "list", "version", "short"])
def test_a_damaged_key_is_refused_and_not_used(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "key.json"
    create_key(path)
    text = path.read_text()
    values = json.loads(text)
    digit = "0" if values["secret"][5] != "0" else "1"
    changed = {
        "truncated": text[:40],
        "digit": json.dumps({**values, "secret": values["secret"][:5] + digit + values["secret"][6:]}),
        "empty": "",
        "binary": "\x00\x01",
        "list": "[]",
        "version": json.dumps({**values, "kidneyseg_key": 2}),
        "short": json.dumps({**values, "secret": "00"}),
    }
    path.write_text(changed[damage])
    with pytest.raises(InputError, match="damaged"):
        load_key(path)


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        create_key(tmp_path / "missing" / "key.json")
    assert list(tmp_path.iterdir()) == []


def test_uids_are_valid_distinct_and_stable() -> None:
    new = [ONE.uid(uid) for uid in UIDS]
    assert new == [Pseudonyms(b"1" * 32).uid(uid) for uid in UIDS]
    assert len(set(new)) == len(UIDS)
    assert all(uid.startswith("2.25.") and uid[5:].isdigit() and len(uid) <= 64 and uid[5] != "0" for uid in new)


def test_public_uids_stay() -> None:
    for uid in ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", "2.16.840.1.113883.6.96", ""):
        assert ONE.uid(uid) == uid


def test_another_key_shares_nothing() -> None:
    assert not {ONE.uid(uid) for uid in UIDS} & {OTHER.uid(uid) for uid in UIDS}
    assert not {ONE.patient(uid) for uid in UIDS} & {OTHER.patient(uid) for uid in UIDS}
    same_shift = sum(ONE.days_back(uid) == OTHER.days_back(uid) for uid in UIDS)
    assert same_shift <= 3  # by chance: 200 draws of one in 3652


def test_shifts_differ_between_patients_and_hide_the_year() -> None:
    shifts = {ONE.days_back(f"patient {n}") for n in range(300)}
    assert len(shifts) > 250 and min(shifts) >= 366 and max(shifts) <= 366 + 3652


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        ("20240301", "20240229"),
        ("20240101", "20231231"),
        ("2024.03.01", "20240229"),
        ("20240301123456.25+0100", "20240229123456.25+0100"),
        ("202403011234", "202402291234"),
        ("20240301 ", "20240229"),
        ("00010101", None),
        ("20241301", None),
        ("2024", None),
        ("2024030", None),
        ("Geheimnis", None),
        ("20240301Geheimnis", None),
        ("", None),
    ],
)
def test_dates_move_by_days_or_not_at_all(value: str, moved: str | None) -> None:
    assert moved_back(value, 1) == moved
