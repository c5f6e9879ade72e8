"""What a reader made of each lesion: found, confirmed, changed, added, rejected; nothing vanishes without a word."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from reporting_cases import findings_of, phantom
from result_cases import described_corrected, result_of
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings, Reading
from KidneySegLib.findings.marks import (
    carried,
    confirmed,
    named,
    without_names,
)
from KidneySegLib.findings.reading import LONGEST_NAME
from KidneySegLib.languages.language import Language
from KidneySegLib.reporting.content.reading import reading_notes
from KidneySegLib.reporting.content.tables import findings_tables
from KidneySegLib.reporting.text import findings_text
from KidneySegLib.result_files.labels.files import write_nifti
from KidneySegLib.result_files.result import Result
from KidneySegLib.result_files.tables import write_measurements
from KidneySegLib.structures import BY_KEY
from KidneySegLib.tasks.refine import PlacedClick, refine
from KidneySegLib.tasks.run import measure
from KidneySegLib.volume import Volume


@pytest.fixture(scope="module")
def case() -> tuple[Volume, np.ndarray, Findings]:
    """Two masses in the left kidney, M1 above M2; a cyst in the right one; a stone in each."""
    volume, labels = phantom()
    labels[labels == 3] = 2
    k, j, i = np.indices(labels.shape)
    for height in (10, 26):
        labels[(k - height) ** 2 + (j - 35) ** 2 + (i - 70) ** 2 <= 16] = 3
    labels[(k - 18) ** 2 + (j - 30) ** 2 + (i - 20) ** 2 <= 9] = 4
    labels[18, 34:36, 66:68] = 5
    return volume, labels, findings_of(volume, labels)


def states(findings: Findings) -> dict[str, str]:
    return {each.id: each.reading.state for each in (*findings.lesions, *findings.stones)}


def test_all_is_found_at_first_and_comes_back_from_json(case):
    _volume, _labels, original = case
    assert states(original) == {"M1": "found", "M2": "found", "C1": "found", "S1": "found", "S2": "found"}
    marked = named(confirmed(original, "M1"), "S2", "  old one ")
    again = Findings.from_json(marked.to_json())
    assert again.lesions[0].reading == Reading("confirmed")
    assert again.stones[1].reading.reader_name == "old one"


def test_rejected_lesion_is_listed_and_counted_nowhere(case):
    volume, labels, original = case
    drawn = labels.copy()
    drawn[18:][labels[18:] == 3] = 2
    drawn[labels == 4] = 0
    findings = described_corrected(volume, drawn, network=labels, original=original, last=confirmed(original, "M2"))
    assert states(findings) == {"M2": "confirmed", "S1": "found", "S2": "found"}
    gone = {each.finding.id: (each.finding.measures.voxels, each.became) for each in findings.rejected}
    assert gone["M1"] == (original.lesions[0].measures.voxels, "kidney_left")
    assert gone["C1"][1] == "background"
    (flag,) = [flag for flag in findings.flags if flag.code == "rejected_by_reader"]
    assert flag.message == "Rejected by the reader and not counted: M1, C1."
    assert Findings.from_json(findings.to_json()).rejected[0].finding.id == "M1"
    # measured again, from the same label map
    again = described_corrected(volume, drawn, network=labels, original=original, last=findings)
    assert again.to_json() == findings.to_json()


def test_another_kind_is_a_change_of_the_same_lesion_and_keeps_its_name(case):
    volume, labels, original = case
    drawn = labels.copy()
    drawn[18:][labels[18:] == 3] = 4
    last = named(confirmed(original, "M1"), "M1", "follow up")
    findings = described_corrected(volume, drawn, network=labels, original=original, last=last)
    changed = next(lesion for lesion in findings.lesions if lesion.reading.state != "found")
    assert changed.structure == "cyst" and changed.reading == Reading("changed", "follow up", "M1")
    assert findings.rejected == ()
    # and back again
    back = described_corrected(volume, labels, network=labels, original=original, last=findings)
    assert states(back)["M1"] == "found"


def test_new_is_added_and_a_new_outline_is_a_change(case):
    volume, labels, original = case
    drawn = labels.copy()
    drawn[16:20, 30:34, 60:63] = 4
    drawn[10, 35, 70:72] = 2
    last = confirmed(original, "M2")
    findings = described_corrected(volume, drawn, network=labels, original=original, last=last)
    assert states(findings) == {
        "M1": "found",
        "M2": "changed",
        "C1": "found",
        "C2": "added",
        "S1": "found",
        "S2": "found",
    }
    # what the reader added and took away again is no finding of the network's
    again = described_corrected(volume, labels, network=labels, original=original, last=findings)
    assert again.rejected == ()


def test_split_and_merged_lesions_are_told(case):
    volume, labels, original = case
    split = labels.copy()
    split[24][labels[24] == 3] = 2
    findings = described_corrected(volume, split, network=labels, original=original)
    assert {each.id: (each.reading.state, each.reading.was) for each in findings.lesions} == {
        "M1": ("changed", None),
        "M3": ("changed", "M1"),
        "M2": ("found", None),
        "C1": ("found", None),
    }
    merged = labels.copy()
    merged[8:28, 32:39, 67:74] = 3
    findings = described_corrected(volume, merged, network=labels, original=original)
    (gone,) = findings.rejected
    assert {gone.finding.id, gone.became} == {"M1", "M2"}


def test_marks_set_while_it_was_measured_are_not_lost(case):
    volume, labels, original = case
    drawn = labels.copy()
    drawn[labels == 4] = 1
    measured = described_corrected(volume, drawn, network=labels, original=original, last=original)
    shown = named(confirmed(original, "M1"), "M2", "watch")
    after = carried(measured, shown)
    assert states(after)["M1"] == "confirmed" and after.lesions[1].reading.reader_name == "watch"


def test_what_is_no_name_or_no_lesion_is_refused(case):
    _volume, _labels, original = case
    with pytest.raises(InputError, match="one line"):
        named(original, "M1", "a\nb")
    with pytest.raises(InputError, match="one line"):
        named(original, "M1", "a" * (LONGEST_NAME + 1))
    with pytest.raises(InputError, match="no lesion"):
        confirmed(original, "M9")
    values = json.loads(original.to_json())
    values["lesions"][0]["state"] = "sure"
    with pytest.raises(InputError):
        Findings.from_json(json.dumps(values))
    del values["rejected"], values["lesions"][0]["state"]
    for each in (*values["lesions"], *values["stones"]):
        for name in ("state", "reader_name", "was"):
            each.pop(name, None)
    earlier = Findings.from_json(json.dumps(values))
    assert earlier.to_json() == original.to_json()


def test_names_are_free_text_and_go_where_nobody_may_be_named(case):
    _volume, _labels, original = case
    assert without_names(named(original, "M1", "Mrs Example")) == original


def corrected_case(case) -> Findings:
    """M1 named and made a cyst, M2 confirmed, C1 rejected."""
    volume, labels, original = case
    drawn = labels.copy()
    drawn[18:][labels[18:] == 3] = 4
    drawn[labels == 4] = 1
    last = named(confirmed(original, "M2"), "M1", "upper one")
    return described_corrected(volume, drawn, network=labels, original=original, last=last)


def test_report_and_text_say_what_the_reader_made_of_it(case):
    findings = corrected_case(case)
    english = Language.of("en")
    (lesions,) = [table for table in findings_tables(findings, english, 12) if table.title == "Masses and cysts"]
    assert "Confirmed by the reader: M2." in lesions.notes
    assert "Changed by the reader: C2 (was M1)." in lesions.notes
    assert "The reader's names: C2 = upper one." in lesions.notes
    text = findings_text(findings, english)
    lines = text.splitlines()
    (own,) = [line for line in lines if line.startswith("C2")]
    lesion = next(each for each in findings.lesions if each.id == "C2")
    size = f"{lesion.measures.axial_diameter_mm:.1f} × {lesion.measures.perpendicular_mm:.1f} mm"
    assert own.startswith("C2 (upper one), Cyst, left") and size in own and own.endswith("(changed by the reader).")
    assert "Rejected by the reader and not counted: C1." in lines
    assert not [line for line in lines if line.startswith("C1,")]
    assert "1 solid mass" in text and "1 cyst:" in text
    assert "onaylandı" in "".join(reading_notes(findings.lesions, Language.of("tr")))


def test_table_has_the_state_and_no_row_for_what_was_rejected(case, tmp_path):
    findings = corrected_case(case)
    write_measurements(tmp_path / "table.csv", findings)
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file) if row["id"]}
    assert "C1" not in rows
    assert (rows["C2"]["state"], rows["C2"]["reader_name"], rows["C2"]["was"]) == ("changed", "upper one", "M1")
    assert rows["M2"]["state"] == "confirmed" and rows["S1"]["state"] == "found"


def test_measure_keeps_marks_of_a_correction_before(case, tmp_path):
    volume, labels, original = case
    sitk.WriteImage(volume.to_image(), str(tmp_path / "image.nii.gz"))
    result_of(volume, labels, confirmed(original, "M2")).write(tmp_path / "network")
    drawn = labels.copy()
    drawn[labels == 4] = 1
    write_nifti(tmp_path / "mine.nii.gz", volume, drawn)
    image, network = str(tmp_path / "image.nii.gz"), str(tmp_path / "network")
    command = ["measure", image, str(tmp_path / "mine.nii.gz"), "--findings", network, "--progress", "none"]
    run = CliRunner().invoke(app, [*command, "-o", str(tmp_path / "first")])
    assert run.exit_code == 0 and "Rejected by the reader and not counted: C1." in run.output
    first = Result.read(tmp_path / "first")
    assert states(first.findings)["M2"] == "confirmed"
    marked = named(first.findings, "M1", "watch")
    (tmp_path / "first" / "findings.json").write_text(marked.to_json(), encoding="utf-8")
    run = CliRunner().invoke(app, [*command, "-o", str(tmp_path / "second"), "--last", str(tmp_path / "first")])
    assert run.exit_code == 0, run.output
    second = Findings.read(tmp_path / "second" / "findings.json")
    assert second.to_json() == marked.to_json()
    with pytest.raises(InputError, match="--findings"):
        measure(tmp_path / "image.nii.gz", tmp_path / "mine.nii.gz", last=tmp_path / "first")


def test_clicks_keep_marks(case):
    volume, labels, original = case
    result = result_of(volume, labels, confirmed(original, "M2"))
    x, y, z = (float(n) for n in volume.to_lps(np.array((18.0, 30.0, 20.0))))
    refined, _voxels = refine(result, [PlacedClick((x, y, z), adds=False, structure=BY_KEY["cyst"])])
    assert states(refined.findings)["M2"] == "confirmed"
    assert [each.finding.id for each in refined.findings.rejected] + [
        each.id for each in refined.findings.lesions if each.reading.state == "changed"
    ] == ["C1"]
