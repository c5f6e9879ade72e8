"""Terminology files against the list of structures, and the segmentation file against Slicer's own reader.

Slicer's reader needs slicer-core. It runs in a process of its own: in this Python if the package is here, or in the one
that the environment variable KIDNEYSEG_SLICER_PYTHON names.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from reporting_cases import oblique, phantom

from KidneySegLib.errors import KidneySegError
from KidneySegLib.resources import resource_folder
from KidneySegLib.result_files.labels.files import write_segmentation
from KidneySegLib.result_files.labels.terminology import OWN_CONTEXT, terminology_entry, terminology_files
from KidneySegLib.structures import BY_KEY, KIDNEY, SIDE_CODES, STRUCTURES, Side
from KidneySegLib.volume import AxisOrder


def codes(entries: list[dict]) -> dict[tuple[str, str, str], dict]:
    return {(e["CodingSchemeDesignator"], e["CodeValue"], e["CodeMeaning"]): e for e in entries}


def test_terminology_file_holds_every_structure() -> None:
    content = json.loads(terminology_files()[0].read_text(encoding="utf-8"))
    assert content["SegmentationCategoryTypeContextName"] == OWN_CONTEXT
    categories = codes(content["SegmentationCodes"]["Category"])
    seen = set()
    for structure in STRUCTURES:
        category, kind = structure.category, structure.type
        types = codes(categories[category.scheme, category.value, category.meaning]["Type"])
        entry = types[kind.scheme, kind.value, kind.meaning]
        seen.add((category.value, kind.value))
        if structure.side:
            side = SIDE_CODES[structure.side]
            entry = codes(entry["Modifier"])[side.scheme, side.value, side.meaning]
        assert entry["recommendedDisplayRGBValue"] == list(structure.colour)
    listed = {(c["CodeValue"], t["CodeValue"]) for c in categories.values() for t in c["Type"]}
    assert listed == seen


def test_region_file_holds_the_kidney_with_its_sides() -> None:
    content = json.loads(terminology_files()[1].read_text(encoding="utf-8"))
    (region,) = content["AnatomicCodes"]["AnatomicRegion"]
    assert (region["CodeValue"], region["CodeMeaning"]) == (KIDNEY.value, KIDNEY.meaning)
    assert [m["CodeValue"] for m in region["Modifier"]] == [SIDE_CODES[side].value for side in Side]


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.key)
def test_terminology_entries_have_seven_parts(structure) -> None:  # noqa: ANN001
    parts = terminology_entry(structure).split("~")
    assert len(parts) == 7
    assert all(part.count("^") == 2 for n, part in enumerate(parts) if n not in (0, 4))
    assert not any(sign in terminology_entry(structure) for sign in "|:")


def test_missing_resources_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (resource_folder() / "Terminology" / "KidneySeg.term.json").is_file()
    monkeypatch.setattr("KidneySegLib.resources.__file__", str(tmp_path / "KidneySegLib" / "resources.py"))
    with pytest.raises(KidneySegError, match="Install KidneySeg again"):
        resource_folder()
    inside = tmp_path / "KidneySegLib" / "Resources"
    (inside / "Terminology").mkdir(parents=True)
    assert resource_folder() == inside.resolve()


@pytest.mark.parametrize("order", [AxisOrder((0, 1, 2), (False,) * 3), AxisOrder((2, 0, 1), (True, False, True))])
def test_slicer_reads_what_was_written(slicer_python: str, tmp_path: Path, order: AxisOrder) -> None:
    volume, labels = phantom(rotation=oblique())
    volume, labels = volume.reordered(order), np.ascontiguousarray(order.apply(labels))
    path, arrays = tmp_path / "segmentation.seg.nrrd", tmp_path / "arrays.npz"
    write_segmentation(path, volume, labels, "KidneySeg 0.1.0")
    script = Path(__file__).parents[1] / "slicer_reads_segmentation.py"
    command = [slicer_python, str(script), str(path), *map(str, terminology_files()), str(arrays)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])

    assert answer["layers"] == 1 and answer["source"] == "Binary labelmap"
    assert list(answer["segments"]) == ["kidney_right", "kidney_left", "mass", "stone"]
    ras = np.diag([-1, -1, 1, 1]) @ volume.ijk_to_lps
    with np.load(arrays) as masks:
        for key, segment in answer["segments"].items():
            structure = BY_KEY[key]
            assert segment["name"] == structure.name
            assert np.allclose(np.array(segment["colour"]) * 255, structure.colour, atol=0.01)
            assert segment["terminology"] == terminology_entry(structure)
            assert segment["algorithm"] == ["AUTOMATIC", "KidneySeg 0.1.0"]
            assert np.allclose(segment["ijk_to_ras"], ras, atol=1e-4)
            i0, i1, j0, j1, k0, k1 = segment["extent"]
            whole = np.zeros(labels.shape, bool)
            whole[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1] = masks[key]
            assert np.array_equal(whole, labels == structure.label)

    assert answer["context"] == OWN_CONTEXT and answer["regions"] == 1
    assert answer["types"]["49755003"] == {
        structure.type.value: list(structure.colour) for structure in STRUCTURES if structure.side is None
    }
    assert list(answer["types"]["123037004"]) == [KIDNEY.value]
