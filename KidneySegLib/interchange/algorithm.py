"""What made a result, in DICOM's words: equipment, algorithm, series."""

from typing import Any

from pydicom.uid import generate_uid

from KidneySegLib import __version__
from KidneySegLib.findings import Findings

NAME = "KidneySeg"
# PS3.3 C.12.1.1: not of a quality that patient care may rest on.
QUALIFICATION = "RESEARCH"
STATEMENT = "Research use only. Not a medical device."
LONG_STRING = 64


def equipment() -> dict[str, Any]:
    """Returns the attributes of the Enhanced General Equipment module (PS3.3 C.7.5.2), as highdicom names them.

    The serial number must be there; a program has none.
    """
    return {
        "manufacturer": NAME,
        "manufacturer_model_name": NAME,
        "software_versions": __version__,
        "device_serial_number": "none",
    }


def title(findings: Findings) -> str:
    """Returns name and version of the program and of the models, in at most 64 characters."""
    bundles = [f"{bundle.name} {bundle.version}" for bundle in findings.provenance.bundles]
    return ", ".join([f"{NAME} {findings.provenance.kidneyseg_version}", *bundles])[:LONG_STRING]


def parameters(findings: Findings) -> dict[str, str]:
    """Returns the models with their checksums."""
    bundles = findings.provenance.bundles
    return {f"{bundle.name} {bundle.version}": f"sha256:{bundle.sha256}" for bundle in bundles}


def new_series(number: int, description: str) -> dict[str, Any]:
    """Returns fresh identifiers and the description of a series with one instance, as highdicom names them."""
    return {
        "series_instance_uid": str(generate_uid(prefix=None)),
        "series_number": number,
        "sop_instance_uid": str(generate_uid(prefix=None)),
        "instance_number": 1,
        "series_description": description,
        "content_qualification": QUALIFICATION,
    }
