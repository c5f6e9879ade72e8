"""Watching a real Orthanc: results come back once, whatever is killed in between, and the log tells nobody's name."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pydicom
import pytest
from dicom_writing import write_ct
from orthanc_server import PASSWORD, OrthancServer
from watch_cases import Watch, write_results

from KidneySegLib.errors import InputError, KidneySegError, NetworkError, OutputError
from KidneySegLib.flags import Flag, flags_from_json
from KidneySegLib.pacs.archive import Query
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.transfer.pull import pull_matching
from KidneySegLib.pacs.watching.engine_process import CHOICE
from KidneySegLib.pacs.watching.work_queue import State


def arrive(orthanc: OrthancServer, folder: Path, count: int = 4, **attributes: object) -> None:
    orthanc.send(*write_ct(folder, count, **attributes))
    orthanc.wait_until_stable()


def results(orthanc: OrthancServer) -> list[int]:
    return [len(orthanc.instances("SR")), len(orthanc.instances("DOC"))]


def test_results_of_a_study_come_back_can_be_retrieved_and_trigger_nothing(orthanc, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    arrive(orthanc, tmp_path / "ct", 5)
    watch = Watch(orthanc.peer(), tmp_path / "work")
    (job,) = [job for job in watch.once() if job.state is State.DONE]
    assert (watch.runs, results(orthanc)) == (1, [1, 1])
    for modality in ("SR", "DOC"):
        series = open_archive(orthanc.peer()).find_series(Query(patient_id="SECRET-ID"))
        (item,) = [item for item in series if item.modality == modality]
        pull_matching(open_archive(orthanc.peer()), Query(series_uid=item.series_uid), tmp_path / "out")
        (file,) = (tmp_path / "out" / item.folder_name).iterdir()
        assert pydicom.dcmread(file).SOPInstanceUID == orthanc.instances(modality)[0]
    assert not list((tmp_path / "work").glob("study-*"))
    orthanc.wait_until_stable()
    watch.once()
    assert watch.queue.last_change() == orthanc.get("changes?last")["Last"], "its own results were seen"
    assert (watch.runs, results(orthanc)) == (1, [1, 1]) and not watch.queue.due(watch.clock)
    line = next(record.getMessage() for record in caplog.records if "done" in record.getMessage())
    assert line.startswith(f"study {job.id}: done, 5 images, 2 objects sent (retrieving ")


def test_a_better_series_that_arrives_late_is_done_and_a_worse_one_is_not(orthanc, tmp_path):
    arrive(orthanc, tmp_path / "lung", 5, ConvolutionKernel="LUNG")
    watch = Watch(orthanc.peer(), tmp_path / "work")
    watch.once()
    arrive(orthanc, tmp_path / "soft", 5, SeriesNumber=3)
    watch.once()
    assert (watch.runs, results(orthanc)) == (2, [2, 2])
    arrive(orthanc, tmp_path / "few", 3, SeriesNumber=4)
    watch.once()
    assert (watch.runs, results(orthanc)) == (2, [2, 2])


def test_a_study_that_grows_while_it_is_segmented_is_done_again_and_others_have_their_turn(orthanc, tmp_path):
    files = write_ct(tmp_path / "ct", 8)
    rest = [*files[5:], *write_ct(tmp_path / "other", 4, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4")]

    def arriving(images: Path, results: Path) -> None:
        write_results(images, results)
        orthanc.send(*rest)
        rest.clear()

    orthanc.send(*files[:5])
    orthanc.wait_until_stable()
    watch = Watch(orthanc.peer(), tmp_path / "work", arriving)
    watch.once()
    assert (watch.runs, results(orthanc)) == (1, [1, 1])
    orthanc.wait_until_stable()
    watch.clock += 60
    jobs = watch.once()
    assert [(job.state, job.result.split()[-1]) for job in jobs] == [(State.DONE, "8"), (State.DONE, "4")]
    assert (watch.runs, results(orthanc)) == (3, [3, 3])


def test_studies_that_cannot_be_used_are_refused_once(orthanc, tmp_path, caplog):
    def refuse(images: Path, results: Path) -> None:
        raise InputError("The series has gaps.")

    caplog.set_level(logging.INFO)
    studies = {
        "1.2.1": {"Modality": "MR"},
        "1.2.2": {"BodyPartExamined": "HEAD", "StudyDescription": "CT brain"},
        "1.2.3": {},
    }
    for uid, attributes in studies.items():
        orthanc.send(*write_ct(tmp_path / uid, StudyInstanceUID=uid, **attributes))
    orthanc.wait_until_stable()
    watch = Watch(orthanc.peer(), tmp_path / "work", refuse)
    for _ in range(3):
        watch.once()
    said = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert watch.runs == 1 and len(said) == 3
    for words in ("holds MR", "without kidneys", "The series has gaps."):
        assert sum(words in line for line in said) == 1


def test_the_log_and_the_folder_names_tell_nothing_of_the_patient(orthanc, tmp_path, caplog):
    def crash(images: Path, results: Path) -> None:
        raise ValueError("Secret^Patient")

    caplog.set_level(logging.DEBUG)
    orthanc.send(*write_ct(tmp_path / "ct", 4, PatientName="Telling^Name", AccessionNumber="TELLING-7"))
    orthanc.wait_until_stable()
    watch = Watch(orthanc.peer(), tmp_path / "work", crash)
    watch.once()
    with pytest.raises(NetworkError) as refusal:
        open_archive(orthanc.peer(password="x")).find_series(Query(accession_number="TELLING-7"))
    said = caplog.text + str(refusal.value) + repr(Query(patient_id="SECRET-ID"))
    said += " ".join(path.name for path in (tmp_path / "work").glob("*"))
    assert "unexpected error (ValueError)" in said
    uid = str(pydicom.dcmread(tmp_path / "ct" / "image000.dcm").StudyInstanceUID)
    assert not [word for word in ("telling", "secret", uid) if word in said.lower()]


def test_a_server_killed_before_the_study_is_stable_loses_nothing(orthanc, tmp_path):
    orthanc.send(*write_ct(tmp_path / "ct"))
    watch = Watch(orthanc.peer(), tmp_path / "work")
    watch.once()
    assert watch.runs == 0, "the study is still arriving"
    orthanc.kill()
    orthanc.start()
    watch.clock += 60
    watch.once()
    assert (watch.runs, results(orthanc)) == (1, [1, 1])


@pytest.mark.parametrize("way", list(Way))
def test_a_server_killed_during_segmentation_gets_its_results_when_it_is_back(orthanc, tmp_path, way):
    def kill_server(images: Path, results: Path) -> None:
        orthanc.kill()
        write_results(images, results)

    arrive(orthanc, tmp_path / "ct")
    peer = orthanc.peer() if way is Way.DICOMWEB else orthanc.peer(dicomweb="")
    watch = Watch(peer, tmp_path / "work", kill_server)
    watch.once()
    assert not watch.watcher.look(), "the server is away"
    orthanc.start()
    assert watch.watcher.look()
    assert (watch.runs, results(orthanc)) == (1, [1, 1])


def test_a_study_deleted_meanwhile_is_not_brought_back(orthanc, tmp_path):
    def delete(images: Path, results: Path) -> None:
        orthanc.clear()
        write_results(images, results)

    arrive(orthanc, tmp_path / "ct")
    watch = Watch(orthanc.peer(), tmp_path / "work", delete)
    watch.once()
    assert orthanc.get("studies") == []


@pytest.mark.parametrize(("hold", "reached"), [("hold-engine", "engine-started"), ("hold-sending", "sent-one")])
def test_a_watcher_killed_in_the_middle_goes_on_and_sends_each_result_once(orthanc, tmp_path, hold, reached):
    arrive(orthanc, tmp_path / "ct")
    gate = tmp_path / "gate"
    gate.mkdir()
    (gate / hold).touch()
    servers = orthanc.servers_file(tmp_path / "servers.toml")
    command = [
        sys.executable,
        str(Path(__file__).with_name("watch_cases.py")),
        str(servers),
        str(tmp_path / "work"),
        gate,
    ]
    environment = {**os.environ, "KIDNEYSEG_ORTHANC_PASSWORD": PASSWORD}
    child = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 30
    while not (gate / reached).exists():
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.02)
    with pytest.raises(OutputError, match="another watcher"):
        Watch(orthanc.peer(), tmp_path / "work")
    child.kill()
    child.wait()
    first = orthanc.instances("SR")
    (gate / hold).unlink()
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert results(orthanc) == [1, 1]
    if reached == "sent-one":
        assert orthanc.instances("SR") == first, "what was sent before is the same object"
    assert not list((tmp_path / "work").glob("study-*"))


def test_the_engine_is_told_which_series_was_chosen_and_why_also_after_a_crash(orthanc, tmp_path):
    arrive(orthanc, tmp_path / "lung", 5, ConvolutionKernel="LUNG", SeriesNumber=3)
    arrive(orthanc, tmp_path / "soft", 5)
    told: list[list[Flag]] = []

    def crash_once(images: Path, results: Path) -> None:
        told.append(flags_from_json((images.parent / CHOICE).read_text(encoding="utf-8")))
        if len(told) == 1:
            raise KidneySegError("The engine crashed.")
        write_results(images, results)

    watch = Watch(orthanc.peer(), tmp_path / "work", crash_once)
    watch.once()
    watch.clock += 3600
    watch.once()
    assert len(told) == 2 and told[0] == told[1]
    (flag,) = told[0]
    assert flag.code == "series_left_out" and flag.message.startswith("Of several series, series 2")
    assert "its kernel is one for soft tissue" in flag.message


def test_a_single_series_gives_the_engine_nothing_to_say(orthanc, tmp_path):
    told = []

    def engine(images: Path, results: Path) -> None:
        told.append(flags_from_json((images.parent / CHOICE).read_text(encoding="utf-8")))
        write_results(images, results)

    arrive(orthanc, tmp_path / "ct")
    Watch(orthanc.peer(), tmp_path / "work", engine).once()
    assert told == [[]]
