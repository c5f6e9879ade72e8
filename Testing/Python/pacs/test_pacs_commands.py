"""`kidneyseg pull`, `push` and `watch` as a user starts them, against a real Orthanc; once with the real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from io import BytesIO

import pydicom
import pypdf
import pytest
from dicom_writing import write_ct
from orthanc_server import PASSWORD, OrthancServer, free_port
from test_pacs_archive import folder_of, uid_of
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.pacs.archive import Query
from KidneySegLib.pacs.connection import open_archive
from KidneySegLib.pacs.dimse.commitment import Commitment, CommitmentAnswer
from KidneySegLib.pacs.watching.work_queue import WorkQueue


@pytest.fixture
def start(orthanc: OrthancServer, tmp_path):
    """Starts a command in a process of its own, with the file of servers and the password in the environment."""
    servers = orthanc.servers_file(tmp_path / "servers.toml")
    environment = {**os.environ, "KIDNEYSEG_SERVERS": str(servers), "KIDNEYSEG_ORTHANC_PASSWORD": PASSWORD}
    environment.pop("KIDNEYSEG_DEBUG", None)

    def begin(*arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "KidneySegLib", *map(str, arguments)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return begin


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def test_push_and_pull(orthanc, start, tmp_path):
    orthanc.clear()
    files = write_ct(tmp_path / "ct", 4, AccessionNumber="TELLING-1")
    code, out, err = finish(start("push", tmp_path / "ct", "--server", "orthanc"))
    assert (code, out, err) == (0, "Stored 4 files. Storage commitment: committed (4 of 4).\n", "")
    arguments = ["--server", "orthanc", "--accession", "TELLING-1", "-o", tmp_path / "out"]
    code, out, err = finish(start("pull", *arguments))
    assert (code, out, err) == (0, f"Study 1 of 1: 4 images in {folder_of(files[0])}\n", "")
    assert len(list((tmp_path / "out" / folder_of(files[0])).iterdir())) == 4


def test_errors_have_a_code_and_a_sentence_without_what_was_asked_for(orthanc, start, tmp_path):
    code, out, err = finish(start("pull", "--server", "orthanc", "--patient", "TELLING-2", "-o", tmp_path / "out"))
    assert (code, out) == (3, "") and "nothing that matches" in err and "TELLING" not in err
    (tmp_path / "away.toml").write_text(f'[away]\nhost = "127.0.0.1"\nport = {free_port()}\n')
    arguments = [
        "--server",
        "away",
        "--servers",
        tmp_path / "away.toml",
        "--patient",
        "TELLING-2",
        "-o",
        tmp_path / "o",
    ]
    code, out, err = finish(start("pull", *arguments))
    assert (code, out) == (7, "") and "cannot be reached" in err and "TELLING" not in err


def test_a_commitment_that_is_refused_is_not_done(orthanc, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "KidneySegLib.pacs.transfer.push.request_commitment", lambda *_: Commitment(CommitmentAnswer.REFUSED, 1)
    )
    write_ct(tmp_path / "ct", 2)
    servers = orthanc.servers_file(tmp_path / "servers.toml")
    environment = {"KIDNEYSEG_SERVERS": str(servers), "KIDNEYSEG_ORTHANC_PASSWORD": PASSWORD}
    result = CliRunner().invoke(app, ["push", str(tmp_path / "ct"), "--server", "orthanc"], env=environment)
    assert "Stored 2 files. Storage commitment: refused (1 of 2)." in result.stdout
    assert result.exception.exit_code == 8 and "does not answer for all" in str(result.exception)


def test_a_watch_that_ends_with_failed_studies_says_so(orthanc, start, tmp_path):
    orthanc.clear()
    orthanc.send(*write_ct(tmp_path / "ct", 4))
    orthanc.wait_until_stable()
    watch = ["watch", "--server", "orthanc", "--work", tmp_path / "work", "--once"]
    code, _, err = finish(start(*watch, "--model", tmp_path / "nowhere"))
    assert code == 8 and ": failed at segmenting, time 1, next try in " in err
    assert err.endswith("kidneyseg: 1 study failed. 'kidneyseg watch --list' says why.\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_watch_stops_cleanly(orthanc, start, tmp_path, number, code):
    process = start("watch", "--server", "orthanc", "--work", tmp_path / "work", "--new-only")
    deadline = time.monotonic() + 30
    while not (tmp_path / "work" / "queue.sqlite").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    assert finish(process) == (code, "", "kidneyseg: Stopped. What was begun goes on at the next start.\n")


def test_a_watch_of_new_studies_leaves_those_that_were_there(orthanc, start, tmp_path):
    orthanc.clear()
    orthanc.send(*write_ct(tmp_path / "ct", 3))
    orthanc.wait_until_stable()
    work = tmp_path / "work"
    assert finish(start("watch", "--server", "orthanc", "--work", work, "--once", "--new-only")) == (0, "", "")
    with closing(WorkQueue(work)) as queue:
        assert queue.jobs() == [] and queue.last_change() == orthanc.get("changes?last")["Last"]
    assert work.stat().st_mode & 0o077 == 0 and (work / "queue.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.timeout(240)
def test_the_phantom_gets_segmentation_measurements_and_report(orthanc, start, tmp_path):
    """The real engine: from a C-STORE to results that are found, retrieved, and refer to the images."""
    from KidneySegLib.sample.write import write_sample

    orthanc.clear()
    write_sample(tmp_path / "sample", slices=50, spacing=5.0)
    for file in (tmp_path / "sample" / "series").iterdir():
        dataset = pydicom.dcmread(file)
        dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 144", "Иванова^Анна"
        dataset.PatientID = "TELLING-3"
        dataset.save_as(file)
    code, _, err = finish(start("push", tmp_path / "sample" / "series", "--server", "orthanc", "--via", "dimse"))
    assert code == 0, err
    orthanc.wait_until_stable()
    watch = ["watch", "--server", "orthanc", "--work", tmp_path / "work", "--once"]
    code, _, err = finish(start(*watch, "--identified", "--keep"))
    assert code == 0 and ": done, 50 images, 4 objects sent (retrieving " in err, err
    kept = [path for path in (tmp_path / "work").rglob("results/*") if path.suffix != ".dcm" and path.stem != "report"]
    assert len(kept) >= 5
    told = err.encode() + b"".join(bytes(path) + path.read_bytes() for path in kept)
    assert b"TELLING" not in told and "Иванова".encode() not in told
    images = set(orthanc.instances("CT"))
    series = open_archive(orthanc.peer()).find_series(
        Query(study_uid=uid_of(next((tmp_path / "sample" / "series").iterdir()), "StudyInstanceUID"))
    )
    assert sorted(item.modality for item in series if item.modality != "CT") == ["DOC", "SEG", "SR", "SR"]
    for item in series:
        if item.modality == "CT":
            continue
        code, _, err = finish(start("pull", "--server", "orthanc", "--series", item.series_uid, "-o", tmp_path / "out"))
        assert code == 0, err
        (file,) = (tmp_path / "out" / item.folder_name).iterdir()
        dataset = pydicom.dcmread(file)
        if item.modality == "SEG":
            assert {str(s.SegmentLabel) for s in dataset.SegmentSequence} >= {"Right kidney", "Left kidney"}
        if item.modality == "DOC":
            text = pypdf.PdfReader(BytesIO(dataset.EncapsulatedDocument)).pages[0].extract_text()
            assert "name cannot be printed in this font; patient ID TELLING-3" in text
        else:
            assert images & {str(e.value) for e in dataset.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
    code, _, err = finish(start("watch", "--server", "orthanc", "--work", tmp_path / "work", "--once"))
    assert (code, "done" in err) == (0, False)
    assert [len(orthanc.instances(modality)) for modality in ("SEG", "SR", "DOC")] == [1, 2, 1]
