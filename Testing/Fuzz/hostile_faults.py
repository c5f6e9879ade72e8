"""Identifiers that are paths, patterns or no text at all: no file or folder of that name may be touched."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from strange_server import StrangeServer, page

from Fuzz.case import Case, Expected
from Fuzz.damage import put
from Fuzz.truth import write
from KidneySegLib.errors import KidneySegError
from KidneySegLib.pacs.archive import Query, RemoteSeries
from KidneySegLib.pacs.identifiers import is_uid
from KidneySegLib.pacs.listing import listed_series
from KidneySegLib.pacs.receiving import Receiver
from KidneySegLib.pacs.web.dicomweb import DicomWeb
from KidneySegLib.pacs.web.orthanc import Orthanc
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

UIDS = {
    "a folder above": "../precious",
    "two folders above": "../../precious",
    "this folder": ".",
    "the folder above": "..",
    "a hidden name": ".1.2",
    "an absolute path": "/tmp/precious",
    "a path behind a UID": "1.2/../../precious",
    "a path of Windows": "..\\precious",
    "a drive": "C:1.2",
    "the home folder": "~",
    "a variable": "$HOME",
    "any name": "*",
    "any file of a kind": "1.2.*",
    "a set of names": "[0-9]",
    "a line break": "1.2\n../precious",
    "an end of text": "1.2\0/../../precious",
    "digits of another script": "١.٢.٣",
    "a negative number": "-rf",
    "65 digits": "1" * 65,
    "a thousand digits": "1." * 500 + "1",
    "a lone surrogate": "1.2\udcff",
    "an address of another service": "1.2?x=1&y=2#",
    "percent signs": "%2e%2e%2fprecious",
    "a space": "1.2 3",
}
_KEYS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_ORTHANC_IDS = ("../system", "..", "", "0123", "x" * 44, "0123abcd-" * 5, None, 17, ["a"], {"a": 1})


def hostile_uids() -> list[Case]:
    """Returns the cases; their names are unique."""
    cases = []
    for name, uid in UIDS.items():
        sentence = Expected(False)
        for key in _KEYS[:2]:
            cases.append(_case(f"a web server lists {name} as {key}", partial(_listed, uid, key), sentence))
        for key in _KEYS:
            cases.append(_case(f"an image arrives with {name} as {key}", partial(_arrived, uid, key), sentence))
        build = partial(_series_named, uid.encode("utf-8", "surrogatepass"))
        cases.append(Case(f"the files of a series say {name}", "hostile identifiers", build, Expected(None)))
    for identifier in _ORTHANC_IDS:
        cases.append(_case(f"Orthanc names a study {identifier!r:.20}", partial(_changed, identifier), Expected(False)))
    return cases


def _case(name: str, reader: object, expected: Expected) -> Case:
    return Case(name, "hostile identifiers", lambda folder, _: write(folder)[0].parent, expected, reader=reader)


def _series_named(uid: bytes, folder: Path, _: np.random.Generator) -> Path:
    put(write(folder), "SeriesInstanceUID", uid)
    return folder


def _untouched(folder: Path) -> dict[str, int]:
    """Returns all that lies around the place of a case, which nothing may change."""
    return {str(path): path.stat().st_size for path in folder.parent.rglob("*")}


def _listed(uid: str, key: str, folder: Path) -> None:
    tags = {"StudyInstanceUID": "0020000D", "SeriesInstanceUID": "0020000E"}
    values = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", key: uid}
    entry = {tags[name]: {"vr": "UI", "Value": [value]} for name, value in values.items()}
    before = _untouched(folder)
    with StrangeServer(lambda method, path: page([entry])) as server:
        found = DicomWeb(server.peer()).find_series(Query(patient_id="1"))
    dataset = Dataset()
    with quiet_pydicom():
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = values["StudyInstanceUID"], values["SeriesInstanceUID"]
    assert not found and not listed_series("x", [dataset]), "it came in"
    assert _untouched(folder) == before
    RemoteSeries(values["StudyInstanceUID"], values["SeriesInstanceUID"], "CT", "", 1)


def _arrived(uid: str, key: str, folder: Path) -> None:
    image = Dataset()
    with quiet_pydicom():
        for name, value in {**dict(zip(_KEYS, ("1", "1.2", "1.2.3"), strict=True)), key: uid}.items():
            setattr(image, name, value)
    receiver = Receiver(folder / "a" / "b", "1", "1.2")
    before = _untouched(folder)
    try:
        receiver.take(b"image", image)
    finally:
        assert _untouched(folder) == before, "something was written"


def _changed(identifier: object, folder: Path) -> None:
    changes = {"Changes": [{"ChangeType": "NewStudy", "ID": identifier, "Seq": 1}], "Last": 1, "Done": True}
    with StrangeServer(lambda method, path: page(changes)) as server:
        found = [change.study_id for part in Orthanc(server.peer()).changes(0) for change in part]
        asked = [path for path in server.asked if not path.startswith("/changes")]
    assert found in ([], [""]) and not asked and not is_uid(str(identifier) + "/"), "it was asked for"
    raise KidneySegError("The change was passed over.")
