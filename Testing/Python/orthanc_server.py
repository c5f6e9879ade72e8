"""A real Orthanc on free loopback ports with a scratch folder, for the tests of DICOM over the network."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from KidneySegLib.pacs.peers import Peer

PROGRAM = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
PLUGINS = [
    Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    Path("/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so"),
]
PASSWORD = "only-for-this-test"


def require_orthanc() -> Path:
    """Skips the test where Orthanc or its DICOMweb plug-in is missing; returns the plug-in."""
    plugin = next((path for path in PLUGINS if path.exists()), None)
    if PROGRAM is None or plugin is None:
        pytest.skip("Orthanc with its DICOMweb plug-in is not installed (Debian: orthanc, orthanc-dicomweb)")
    return plugin


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Returns a certificate for 127.0.0.1, signed by itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate of the test, is not installed")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@dataclass
class OrthancServer:
    """A server that can be started, killed and started again on the same folder and ports.

    With a certificate its DIMSE side is encrypted; its HTTP side never is (Debian's Orthanc 1.10 crashes on HTTPS).
    """

    folder: Path
    http_port: int = field(default_factory=free_port)
    dicom_port: int = field(default_factory=free_port)
    own_port: int = field(default_factory=free_port)
    certificate: tuple[Path, Path] | None = None
    process: subprocess.Popen | None = None

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def peer(self, **changes: object) -> Peer:
        settings = {
            "dicomweb": f"{self.rest}/dicom-web",
            "rest": self.rest,
            "username": "kidneyseg",
            "password": PASSWORD,
            "host": "127.0.0.1",
            "port": self.dicom_port,
            "aet": "ORTHANC",
            "own_aet": "KIDNEYSEG",
            "own_port": self.own_port,
            "timeout": 30.0,  # beside other tests, 10 s were not enough
        }
        return Peer("orthanc", **{**settings, **changes})

    def servers_file(self, path: Path) -> Path:
        """Writes the settings as a user would; the password is left to the environment."""
        lines = ["[orthanc]"]
        for key in ("dicomweb", "rest", "username", "host", "port", "aet", "own_aet", "own_port", "timeout"):
            lines.append(f"{key} = {json.dumps(getattr(self.peer(), key))}")
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self) -> None:
        plugin = require_orthanc()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "Name": "test",
            "StorageDirectory": str(self.folder / "db"),
            "IndexDirectory": str(self.folder / "db"),
            "Plugins": [str(plugin)],
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {"kidneyseg": PASSWORD},
            "DicomModalities": {"kidneyseg": ["KIDNEYSEG", "127.0.0.1", self.own_port]},
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowMove": True,
            "StableAge": 1,
            "DicomAssociationCloseDelay": 0,
            "HttpVerbose": False,
        }
        if self.certificate:
            settings |= {
                "DicomTlsEnabled": True,
                "DicomTlsCertificate": str(self.certificate[0]),
                "DicomTlsPrivateKey": str(self.certificate[1]),
                "DicomTlsTrustedCertificates": str(self.certificate[0]),
                "DicomTlsRemoteCertificateRequired": False,
            }
        configuration = self.folder / "orthanc.json"
        configuration.write_text(json.dumps(settings))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, str(configuration)], stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.get("system")
                return
            except requests.RequestException:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "Orthanc does not answer"
                time.sleep(0.05)

    def kill(self) -> None:
        """As a power failure does it."""
        self.process.kill()
        self.process.wait()

    def get(self, path: str) -> object:
        answer = requests.get(f"{self.rest}/{path}", auth=("kidneyseg", PASSWORD), timeout=30)
        answer.raise_for_status()
        return answer.json()

    def delete(self, path: str) -> None:
        requests.delete(f"{self.rest}/{path}", auth=("kidneyseg", PASSWORD), timeout=30).raise_for_status()

    def send(self, *files: Path) -> None:
        """Puts files into the server without the code under test."""
        with requests.Session() as session:
            session.auth = ("kidneyseg", PASSWORD)
            for file in files:
                session.post(f"{self.rest}/instances", data=file.read_bytes(), timeout=30).raise_for_status()

    def clear(self) -> None:
        with requests.Session() as session:
            session.auth = ("kidneyseg", PASSWORD)
            for study in session.get(f"{self.rest}/studies", timeout=30).json():
                session.delete(f"{self.rest}/studies/{study}", timeout=30).raise_for_status()

    def wait_until_stable(self) -> None:
        deadline = time.monotonic() + 20
        while not all(study["IsStable"] for study in self.get("studies?expand")):
            assert time.monotonic() < deadline, "no study becomes stable"
            time.sleep(0.1)

    def instances(self, modality: str) -> list[str]:
        """SOPInstanceUIDs of all instances of a modality."""
        series = [entry for entry in self.get("series?expand") if entry["MainDicomTags"].get("Modality") == modality]
        ids = [name for entry in series for name in entry["Instances"]]
        return [self.get(f"instances/{name}")["MainDicomTags"]["SOPInstanceUID"] for name in ids]
