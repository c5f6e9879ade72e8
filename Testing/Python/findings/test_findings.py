"""Findings to and from JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finding_cases import CRUMB, CYST, MASS, MEASURES, STONE

from KidneySegLib import __version__
from KidneySegLib.errors import InputError
from KidneySegLib.findings import (
    BundleRecord,
    Findings,
    InputRecord,
    KidneyFinding,
    PhaseEstimate,
    Provenance,
    StoneBurden,
    library_versions,
)
from KidneySegLib.flags import Flag
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume


@pytest.fixture
def findings() -> Findings:
    volume = Volume(np.zeros((4, 5, 6), np.int16), np.diag([-0.7, 0.7, 5.0, 1]))
    return Findings(
        kidneys=(
            KidneyFinding(Side.RIGHT, MEASURES, 180.5, 124.5),
            KidneyFinding(Side.LEFT, MEASURES, 180.5, 124.5, ("feet", "head")),
        ),
        flags=(Flag.of("noise", noise_hu=31.5),),
        provenance=Provenance(
            started_utc="2026-01-02T03:04:05+00:00",
            device="cpu",
            precision="bfloat16",
            input=InputRecord.of(volume, "dicom", {"series_uid": "1.2.3"}),
            bundles=(BundleRecord("ct-kidney", "1.0.0", "ab" * 32),),
            settings={"task": "ct", "step": 0.5},
            seconds={"read": 1.23456},
        ),
        lesions=(MASS, CYST),
        stones=(STONE, CRUMB),
        stone_burden=(StoneBurden(Side.LEFT, 2, 0.12345, 6.789),),
        phase=PhaseEstimate("nephrographic", 0.91234, {"cortex_hu": 151.26}),
    )


def test_keys_carry_units_and_values_are_rounded(findings: Findings) -> None:
    values = json.loads(findings.to_json())
    kidney = values["kidneys"][0]
    assert values["schema_version"] == 2
    assert kidney["structure"] == "kidney_right"
    assert kidney["side"] == "right"
    assert kidney["volume_ml"] == 172.035
    assert kidney["length_mm"] == 124.35
    assert kidney["hu_mean"] == 33.3
    assert kidney["centroid_lps_mm"] == [-55.13, 20.0, -302.0]
    assert values["kidneys"][1]["cut_at"] == ["feet", "head"]
    (flag,) = values["flags"]
    assert (flag["code"], flag["severity"], flag["values"]) == ("noise", "warning", {"noise_hu": 31.5})
    assert flag["message"].startswith("The image is noisy (about 32 HU in soft tissue)")


def test_provenance_holds_input_and_versions(findings: Findings) -> None:
    provenance = json.loads(findings.to_json())["provenance"]
    assert provenance["kidneyseg_version"] == __version__
    assert provenance["input"]["size"] == [6, 5, 4]
    assert provenance["input"]["spacing_mm"] == [0.7, 0.7, 5.0]
    assert provenance["input"]["direction"] == [-1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert provenance["input"]["source"] == {"series_uid": "1.2.3"}
    assert provenance["bundles"] == [{"name": "ct-kidney", "version": "1.0.0", "sha256": "ab" * 32}]
    assert provenance["seconds"] == {"read": 1.23}
    assert provenance["settings"] == {"task": "ct", "step": 0.5}


def test_round_trip(findings: Findings) -> None:
    text = findings.to_json()
    again = Findings.from_json(text)
    assert again.to_json() == text
    assert again.kidneys[1].cut_at == ("feet", "head")
    assert again.kidneys[0].measures == replace(
        MEASURES,
        volume_ml=172.035,
        length_mm=124.35,
        axial_diameter_mm=round(70.555, 2),
        hu_mean=33.3,
        centroid_lps_mm=(-55.13, 20.0, -302.0),
    )
    assert again.flags == findings.flags
    assert again.provenance.bundles == findings.provenance.bundles
    assert again.provenance.libraries == library_versions()


def test_lesions(findings: Findings) -> None:
    mass, cyst = json.loads(findings.to_json())["lesions"]
    assert [mass[name] for name in ("id", "structure", "side", "pole", "cut_at")] == [
        "M1",
        "mass",
        "right",
        "upper",
        ["head"],
    ]
    assert (mass["volume_ml"], mass["volume_mm3"]) == (172.035, 172034.56)
    assert (mass["sinus_distance_mm"], mass["capsule_distance_mm"]) == (3.46, 0.0)
    assert (mass["exophytic_share"], mass["confidence"]) == (0.412, 0.877)
    assert cyst["pole"] is None and cyst["exophytic_share"] is None and cyst["confidence"] is None
    again = Findings.from_json(findings.to_json()).lesions
    assert again[0].volume_mm3 == pytest.approx(172034.56)
    assert again[1] == replace(CYST, measures=again[1].measures)


def test_stones(findings: Findings) -> None:
    values = json.loads(findings.to_json())
    stone, crumb = values["stones"]
    assert stone["structure"] == "stone" and stone["location"] == "kidney"
    # partial volume regarded, and the plain values of the voxels under their own names
    assert (stone["length_mm"], stone["voxel_length_mm"]) == (6.79, 124.35)
    assert (stone["volume_ml"], stone["volume_mm3"], stone["voxel_volume_ml"]) == (0.0, 0.123, 172.035)
    assert (stone["hu_mean"], stone["hu_peak"], stone["voxel_hu_mean"]) == (806.7, 1203.4, 33.3)
    assert crumb["length_mm"] is None and crumb["volume_mm3"] is None and crumb["below_resolution"] is True
    assert values["stone_burden"] == [
        {"side": "left", "count": 2, "volume_ml": 0.123, "largest_mm": 6.79, "cut": False}
    ]
    again = Findings.from_json(findings.to_json())
    assert again.stones[0].volume_mm3 == pytest.approx(0.123)
    assert again.stones[0].measures == again.kidneys[0].measures
    assert again.stones[1] == replace(CRUMB, measures=again.stones[1].measures)
    assert again.stone_burden == (StoneBurden(Side.LEFT, 2, 0.123, 6.79),)


def test_phase(findings: Findings) -> None:
    values = json.loads(findings.to_json())
    assert values["phase"] == {"phase": "nephrographic", "confidence": 0.912, "evidence": {"cortex_hu": 151.3}}
    assert Findings.from_json(replace(findings, phase=None).to_json()).phase is None
    with pytest.raises(InputError, match="damaged"):
        Findings.from_json(findings.to_json().replace('"nephrographic"', '"venous"'))


def test_kidney_by_side(findings: Findings) -> None:
    left = findings.kidney(Side.LEFT)
    assert left is not None and left.side is Side.LEFT
    assert replace(findings, kidneys=findings.kidneys[:1]).kidney(Side.LEFT) is None


@pytest.mark.parametrize("version", [1, 99])
def test_other_schema_versions_are_refused(findings: Findings, version: int) -> None:
    text = findings.to_json().replace('"schema_version": 2', f'"schema_version": {version}')
    with pytest.raises(
        InputError, match=f"schema version {version}; this KidneySeg reads version 2. Use the KidneySeg"
    ):
        Findings.from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": 2}',
        '{"schema_version": 2, "kidneys": 3}',
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"schema_version": ' + "9" * 5000 + "}", id="long number"),
    ],
)
def test_damaged_files_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a findings file"):
        Findings.from_json(text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "findings.json").write_bytes(b'{"schema_version": "\xff"}')
    with pytest.raises(InputError, match="not a findings file"):
        Findings.read(tmp_path / "findings.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", ["a", 1, 2]),
        ("size", [10**400, 1, 1]),
        ("size", [0, 1, 1]),
        ("spacing_mm", [0.0, 1.0, 1.0]),
        ("spacing_mm", [float("nan"), 1.0, 1.0]),
        ("direction", [1, 0]),
        ("origin_lps_mm", None),
        ("source", []),
    ],
)
def test_a_grid_that_is_none_is_refused(findings: Findings, name: str, value: object) -> None:
    values = findings.to_dict()
    values["provenance"]["input"][name] = value
    with pytest.raises(InputError, match="not a findings file"):
        Findings.from_json(json.dumps(values))


def test_versions_of_libraries() -> None:
    versions = library_versions()
    assert versions["numpy"] == np.__version__
    assert versions["python"].count(".") == 2
