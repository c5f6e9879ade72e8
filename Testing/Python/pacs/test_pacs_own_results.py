"""Results that the watch has sent: found again without its work folder, and replaced with a word."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pydicom
import pytest
from dicom_writing import write_ct
from orthanc_server import OrthancServer
from test_pacs_watch import arrive, results
from watch_cases import Watch

from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.connection import open_archive
from KidneySegLib.pacs.transfer.pull import pull_matching
from KidneySegLib.pacs.watching.own_results import (
    OwnResult,
    ResultSource,
    UidScope,
    give_identity,
    is_complete,
    own_results,
)
from KidneySegLib.pacs.watching.work_queue import State
from KidneySegLib.result_files.names import DICOM_FILES

SR = "measurements.sr.dcm"


def series(uid: str, modality: str, images: int | None = 1) -> RemoteSeries:
    return RemoteSeries("1.2", uid, modality, "", images)


def objects(orthanc: OrthancServer, tmp_path: Path, modality: str) -> list[pydicom.Dataset]:
    """All objects of a modality, oldest result first."""
    archive = open_archive(orthanc.peer())
    listed = archive.find_series(Query(patient_id="SECRET-ID"))
    folder = tmp_path / f"got-{modality}-{len(listed)}"
    for item in listed:
        if item.modality == modality:
            pull_matching(archive, Query(series_uid=item.series_uid), folder)
    read = [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]
    return sorted(read, key=lambda dataset: str(dataset.get("SeriesDescription", "")))


def test_identifiers_say_what_a_result_was_made_of() -> None:
    ct, other = series("1.2.3", "CT", 300), series("1.2.4", "CT", 20)
    source = ResultSource(ct.folder_name, 300)
    uids = {source.uid(kind, level) for kind in DICOM_FILES for level in UidScope}
    assert len(uids) == 2 * len(DICOM_FILES) and all(len(uid) <= 64 and pydicom.uid.UID(uid).is_valid for uid in uids)
    number = int(source.uid(SR, UidScope.SERIES).removeprefix("2.25."))
    assert (number >> 76 & 0xF, number >> 62 & 3, number < 2**128) == (8, 2, True)
    listed = [ct, other, series(source.uid(SR, UidScope.SERIES), "SR"), series("1.2.5", "SR"), series("2.25.77", "SEG")]
    assert own_results(listed) == [OwnResult("1.2", SR, source)]
    assert own_results([series(source.uid("other.dcm", UidScope.SERIES), "SR"), ct]) == []
    assert own_results([other, series(source.uid(SR, UidScope.SERIES), "SR")]) == [], "another series"


def test_two_files_of_one_kind_stay_two(tmp_path: Path) -> None:
    from watch_cases import write_results

    write_ct(tmp_path / "ct", 1)
    write_results(tmp_path / "ct", tmp_path / "out")
    second = pydicom.dcmread(tmp_path / "out" / SR)
    second.SOPInstanceUID, second.SeriesInstanceUID = "1.2.8", "1.2.9"
    second.ReferencedInstanceSequence = [pydicom.Dataset()]
    second.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID = pydicom.dcmread(
        tmp_path / "out" / SR
    ).SOPInstanceUID
    second.save_as(tmp_path / "out" / "viewer_diameters.sr.dcm")
    give_identity(tmp_path / "out", ResultSource("series-1", 3), [])
    first, second = (pydicom.dcmread(tmp_path / "out" / name) for name in (SR, "viewer_diameters.sr.dcm"))
    assert first.SeriesInstanceUID != second.SeriesInstanceUID and first.SOPInstanceUID != second.SOPInstanceUID
    assert second.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID


def test_a_result_is_complete_with_its_report() -> None:
    source = ResultSource("series-1", 5)
    half = [OwnResult("1.2", SR, source), OwnResult("1.2", "report.pdf.dcm", ResultSource("series-1", 4))]
    assert not is_complete(source, half) and is_complete(ResultSource("series-1", 4), half)


@pytest.mark.parametrize("count", [1, 2])
def test_a_watch_that_lost_its_folder_finds_its_results(
    orthanc: OrthancServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    """It segmented everything again and stored all results twice."""
    caplog.set_level(logging.INFO)
    for number in range(count):
        orthanc.send(*write_ct(tmp_path / f"ct{number}", 5 + number, SeriesNumber=number))
    orthanc.wait_until_stable()
    watch = Watch(orthanc.peer(), tmp_path / "work")
    watch.once()
    watch.queue.close()
    shutil.rmtree(tmp_path / "work")
    orthanc.wait_until_stable()
    again = Watch(orthanc.peer(), tmp_path / "work")
    (job,) = again.once()
    assert (again.runs, results(orthanc)) == (0, [1, 1])
    assert (job.state, job.outcome) == (State.DONE, "The server holds the results already.")
    assert job.result.endswith(f" {4 + count}")
    again.clock += 60
    again.once()
    assert again.runs == 0 and not again.queue.due(again.clock)


def test_a_result_that_was_sent_in_part_is_completed_and_nothing_twice(orthanc: OrthancServer, tmp_path: Path) -> None:
    arrive(orthanc, tmp_path / "ct", 5)
    watch = Watch(orthanc.peer(), tmp_path / "work")
    watch.once()
    (entry,) = [item for item in orthanc.get("series?expand") if item["MainDicomTags"]["Modality"] == "DOC"]
    orthanc.delete(f"series/{entry['ID']}")
    watch.queue.close()
    shutil.rmtree(tmp_path / "work")
    orthanc.wait_until_stable()
    again = Watch(orthanc.peer(), tmp_path / "work")
    again.once()
    assert (again.runs, results(orthanc)) == (1, [1, 1])


@pytest.mark.parametrize("lost", [False, True])
def test_results_of_late_slices_say_what_they_replace(orthanc: OrthancServer, tmp_path: Path, lost: bool) -> None:
    files = write_ct(tmp_path / "ct", 8)
    orthanc.send(*files[:5])
    orthanc.wait_until_stable()
    watch = Watch(orthanc.peer(), tmp_path / "work")
    watch.once()
    if lost:
        watch.queue.close()
        shutil.rmtree(tmp_path / "work")
        watch = Watch(orthanc.peer(), tmp_path / "work")
    orthanc.send(*files[5:])
    orthanc.wait_until_stable()
    watch.once()
    assert results(orthanc) == [2, 2]
    for modality in ("SR", "DOC"):
        first, second = objects(orthanc, tmp_path, modality)
        if "replaces" in first.get("SeriesDescription", ""):
            first, second = second, first
        assert "PredecessorDocumentsSequence" not in first and "replaces" not in first.get("SeriesDescription", "")
        assert second.SeriesDescription == "KidneySeg, replaces earlier"
        (study,) = second.PredecessorDocumentsSequence
        (place,) = study.ReferencedSeriesSequence
        (reference,) = place.ReferencedSOPSequence
        assert study.StudyInstanceUID == first.StudyInstanceUID and place.SeriesInstanceUID == first.SeriesInstanceUID
        assert reference.ReferencedSOPInstanceUID == first.SOPInstanceUID
        assert reference.ReferencedSOPClassUID == first.SOPClassUID
