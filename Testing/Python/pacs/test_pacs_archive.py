"""DICOMweb and DIMSE against a real Orthanc: search, retrieve, store, storage commitment."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_writing import write_ct
from orthanc_server import OrthancServer, free_port, make_certificate, require_orthanc
from pydicom.uid import JPEGLSLossless

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.pacs.archive import Query
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.dimse.archive import Dimse
from KidneySegLib.pacs.dimse.commitment import CommitmentAnswer, request_commitment
from KidneySegLib.pacs.identifiers import own_name
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.transfer.fetch import fetch_series
from KidneySegLib.pacs.transfer.outgoing import outgoing_files
from KidneySegLib.pacs.transfer.pull import pull_matching
from KidneySegLib.pacs.transfer.push import push_files
from KidneySegLib.pacs.web.dicomweb import DicomWeb

WAYS = [
    pytest.param(Way.DICOMWEB, "get", id="dicomweb"),
    pytest.param(Way.DIMSE, "get", id="c-get"),
    pytest.param(Way.DIMSE, "move", id="c-move"),
]


def uid_of(path: Path, keyword: str = "SeriesInstanceUID") -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True)[keyword].value)


def folder_of(path: Path) -> str:
    """The name of the folder into which the series of a file is brought."""
    return own_name("series", f"{uid_of(path, 'StudyInstanceUID')} {uid_of(path)}")


@pytest.mark.parametrize(("way", "retrieve"), WAYS)
def test_pull_brings_every_pixel_of_the_best_series(orthanc, tmp_path, way, retrieve):
    files = write_ct(tmp_path / "soft", 6)
    orthanc.send(*files, *write_ct(tmp_path / "lung", 6, ConvolutionKernel="LUNG", SeriesNumber=3))
    orthanc.send(*write_ct(tmp_path / "scout", 1, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    orthanc.send(*write_ct(tmp_path / "mr", 6, Modality="MR"))
    archive = open_archive(orthanc.peer(retrieve=retrieve), way)
    outcomes = pull_matching(archive, Query(patient_id="SECRET-ID", dates="20010101-20011231"), tmp_path / "out")
    said = f"Study 1 of 1: 6 images in {folder_of(files[0])}"
    (outcome,) = outcomes
    assert outcome.arrived and outcome.sentence.startswith(f"{said}. Of several series, series 2")
    assert "its kernel is one for soft tissue" in outcome.sentence
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name == folder_of(files[0]) and uid_of(files[0]) not in folder.name
    arrived = {uid_of(path, "SOPInstanceUID"): pydicom.dcmread(path) for path in folder.iterdir()}
    for file in files:
        sent = pydicom.dcmread(file)
        assert np.array_equal(arrived.pop(sent.SOPInstanceUID).pixel_array, sent.pixel_array)
    assert not arrived


@pytest.mark.parametrize(("way", "retrieve"), WAYS)
def test_compressed_images_go_to_and_fro_as_they_are(orthanc, tmp_path, way, retrieve):
    files = write_ct(tmp_path / "jls", 3, transfer_syntax=JPEGLSLossless)
    peer = orthanc.peer(retrieve=retrieve)
    count, _ = push_files(peer, [tmp_path / "jls"], way)
    assert count == 3
    pull_matching(open_archive(peer, way), Query(series_uid=uid_of(files[0])), tmp_path / "out")
    arrived = list((tmp_path / "out").rglob("*.dcm"))
    assert [pydicom.dcmread(path).file_meta.TransferSyntaxUID for path in arrived] == [JPEGLSLossless] * 3
    fragments = {uid_of(path, "SOPInstanceUID"): pydicom.dcmread(path).PixelData for path in arrived}
    assert all(fragments[uid_of(path, "SOPInstanceUID")] == pydicom.dcmread(path).PixelData for path in files)


@pytest.mark.parametrize("way", list(Way))
def test_files_that_are_stored_already_are_no_error(orthanc, tmp_path, way):
    write_ct(tmp_path / "ct", 3)
    for _ in range(2):
        count, commitment = push_files(orthanc.peer(), [tmp_path / "ct"], way)
        assert (count, commitment.answer, commitment.committed) == (3, CommitmentAnswer.COMMITTED, 3)
    assert len(orthanc.instances("CT")) == 3


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_dimse_does_not_pause_for_each_image(orthanc, tmp_path, monkeypatch, retrieve):
    """Delayed acknowledgements took 90 ms an image to store and 45 ms to bring.

    The system falls back to them, so both sides of a connection are told anew with every image not to wait.
    """
    hurried: Counter[int] = Counter()
    set_option = socket.socket.setsockopt

    def spy(connection: socket.socket, level: int, option: int, value: int) -> None:
        hurried[option] += level == socket.IPPROTO_TCP and value == 1
        set_option(connection, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", spy)
    options = [getattr(socket, name) for name in ("TCP_NODELAY", "TCP_QUICKACK") if hasattr(socket, name)]
    images = 20
    write_ct(tmp_path / "ct", images)
    peer = orthanc.peer(retrieve=retrieve)
    count, _ = push_files(peer, [tmp_path / "ct"], Way.DIMSE)
    assert count == images
    assert all(hurried[option] >= images for option in options), hurried
    hurried.clear()
    archive = open_archive(peer, Way.DIMSE)
    (series,) = archive.find_series(Query(patient_id="SECRET-ID"))
    assert fetch_series(archive, series, tmp_path).images == images
    assert all(hurried[option] >= images for option in options), hurried


def test_commitment_is_refused_for_what_was_never_sent(orthanc, tmp_path):
    write_ct(tmp_path / "sent", 3)
    write_ct(tmp_path / "kept", 2)
    push_files(orthanc.peer(), [tmp_path / "sent"], Way.DIMSE)
    commitment = request_commitment(orthanc.peer(), outgoing_files([tmp_path]))
    assert (commitment.answer, commitment.committed) == (CommitmentAnswer.REFUSED, 3)


def test_commitment_without_a_port_for_the_answer_says_so(orthanc, tmp_path):
    write_ct(tmp_path / "ct", 1)
    _, commitment = push_files(orthanc.peer(own_port=0, timeout=1.0), [tmp_path / "ct"], Way.DIMSE)
    assert commitment.answer is CommitmentAnswer.NO_ANSWER


@pytest.mark.parametrize("way", list(Way))
def test_holds_tells_what_is_there(orthanc, tmp_path, way):
    write_ct(tmp_path / "ct", 2)
    here, away = outgoing_files([tmp_path])
    orthanc.send(here.path)
    archive = open_archive(orthanc.peer(), way)
    assert archive.holds(here) and not archive.holds(away)


@pytest.mark.parametrize("way", list(Way))
def test_a_series_that_is_there_is_not_brought_again(orthanc, tmp_path, way):
    files = write_ct(tmp_path / "ct", 3)
    orthanc.send(*files)
    archive = open_archive(orthanc.peer(), way)
    query = Query(study_uid=uid_of(files[0], "StudyInstanceUID"))
    pull_matching(archive, query, tmp_path / "out")
    again = pull_matching(archive, query, tmp_path / "out")
    assert [outcome.sentence for outcome in again] == [f"Study 1 of 1: is there already in {folder_of(files[0])}"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [folder_of(files[0])]


@pytest.mark.parametrize(
    ("attributes", "word"),
    [
        ({"Modality": "MR"}, "MR"),
        ({"BodyPartExamined": "HEAD", "StudyDescription": "CT brain"}, "without kidneys"),
        ({"RescaleType": "MGML"}, "map"),
    ],
)
@pytest.mark.parametrize("way", list(Way))
def test_what_cannot_be_used_is_refused_and_leaves_nothing(orthanc, tmp_path, way, attributes, word):
    orthanc.send(*write_ct(tmp_path / "ct", 4, **attributes))
    archive = open_archive(orthanc.peer(), way)
    (outcome,) = pull_matching(archive, Query(patient_id="SECRET-ID"), tmp_path / "out")
    assert not outcome.arrived and word in outcome.sentence and "SECRET" not in outcome.sentence
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("way", list(Way))
def test_one_of_several_series_is_chosen_or_named(orthanc, tmp_path, way):
    trunk = write_ct(tmp_path / "a", 4, SeriesNumber=7, BodyPartExamined="NECKCHESTABDPELV", SeriesDescription="TAP")
    mip = write_ct(tmp_path / "b", 8, SeriesNumber=3, ImageType=["DERIVED", "SECONDARY", "AXIAL", "MIP"])
    orthanc.send(*trunk, *mip)
    archive, query = open_archive(orthanc.peer(), way), Query(patient_id="SECRET-ID")
    (best,) = pull_matching(archive, query, tmp_path / "best")
    assert best.sentence.startswith(f"Study 1 of 1: 4 images in {folder_of(trunk[0])}. Of several series, series 7 (")
    for name, files in {"3": mip, "series 7": trunk, "tap": trunk, uid_of(mip[0]): mip}.items():
        (named,) = pull_matching(archive, query, tmp_path / name, name)
        assert named.sentence == f"Study 1 of 1: {len(files)} images in {folder_of(files[0])}"
    for name in ("5", "nothing", "\x1b[31m"):
        (refused,) = pull_matching(archive, query, tmp_path / "none", name)
        assert not refused.arrived and "The study holds series 3, 7." in refused.sentence
        assert refused.sentence.isprintable() and "SECRET" not in refused.sentence


@pytest.mark.parametrize("way", list(Way))
def test_nothing_that_matches(orthanc, tmp_path, way):
    orthanc.send(*write_ct(tmp_path / "ct", 3))
    for query in (Query(patient_id="ANOTHER"), Query(series_uid="1.2.3"), Query(dates="19990101")):
        with pytest.raises(InputError, match="holds nothing that matches"):
            pull_matching(open_archive(orthanc.peer(), way), query, tmp_path / "out")


def test_echo_and_a_title_that_the_server_does_not_have(orthanc):
    Dimse(orthanc.peer()).echo()
    with pytest.raises(NetworkError, match="refuses the connection"):
        Dimse(orthanc.peer(aet="SOMEBODY")).echo()


def test_a_move_to_a_title_that_the_server_does_not_know_says_what_it_needs(orthanc, tmp_path):
    files = write_ct(tmp_path / "ct", 3)
    orthanc.send(*files)
    peer = orthanc.peer(retrieve="move", own_aet="STRANGER")
    with pytest.raises(NetworkError, match="STRANGER"):
        pull_matching(open_archive(peer, Way.DIMSE), Query(series_uid=uid_of(files[0])), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("way", list(Way))
def test_a_server_that_is_away_and_one_that_refuses(orthanc, way):
    nobody = free_port()
    away = orthanc.peer(dicomweb=f"http://127.0.0.1:{nobody}/dicom-web", port=nobody)
    with pytest.raises(NetworkError, match="cannot be reached"):
        open_archive(away, way).find_series(Query(patient_id="SECRET-ID"))
    if way is Way.DICOMWEB:
        with pytest.raises(NetworkError, match="credentials"):
            open_archive(orthanc.peer(password="wrong"), way).find_series(Query(patient_id="SECRET-ID"))


def test_certificates_are_verified_over_dimse(tmp_path):
    require_orthanc()
    server = OrthancServer(tmp_path / "orthanc", certificate=make_certificate(tmp_path))
    server.start()
    try:
        write_ct(tmp_path / "ct", 2)
        trusting = server.peer(tls=True, ca_bundle=str(server.certificate[0]), own_port=0, timeout=2.0)
        assert push_files(trusting, [tmp_path / "ct"], Way.DIMSE)[0] == 2
        for changes in ({"tls": True}, {"tls": False, "timeout": 1.0}):
            with pytest.raises(NetworkError, match="cannot be reached"):
                Dimse(server.peer(**changes)).echo()
    finally:
        server.kill()


class NothingFound(BaseHTTPRequestHandler):
    """Answers every search with an empty list."""

    def do_GET(self) -> None:  # noqa: N802
        self.send_response(200)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        pass


def test_certificates_are_verified_over_http(tmp_path):
    certificate, key = make_certificate(tmp_path)
    encryption = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    encryption.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), NothingFound) as server:
        server.socket = encryption.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"https://127.0.0.1:{server.server_port}/dicom-web"
        try:
            trusting = DicomWeb(Peer("x", dicomweb=address, ca_bundle=str(certificate)))
            assert trusting.find_series(Query(patient_id="SECRET-ID")) == []
            with pytest.raises(NetworkError, match="certificate"):
                DicomWeb(Peer("x", dicomweb=address)).find_series(Query(patient_id="SECRET-ID"))
        finally:
            server.shutdown()
    with pytest.raises(InputError, match="ca_bundle"):
        DicomWeb(Peer("x", dicomweb=address, ca_bundle="nowhere")).find_series(Query(patient_id="SECRET-ID"))


@pytest.mark.parametrize("dates", ["20240131-20230131", "20241301", "20240230-", "2024-01-31", "yesterday", "-"])
def test_dates_that_are_none_are_refused_before_a_server_is_asked(dates: str) -> None:
    with pytest.raises(InputError, match="form 20240131"):
        Query(dates=dates)


@pytest.mark.parametrize("dates", ["20240229", "20240131-20240131", "20240131-", "-20240131"])
def test_days_and_ranges_are_dates(dates: str) -> None:
    assert Query(dates=dates).study_keys() == {"StudyDate": dates}
