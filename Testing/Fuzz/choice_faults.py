"""Folders with several series: the right one must be read, whatever number, thickness and type the others have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from Fuzz.case import Case, Family
from Fuzz.truth import ANYWHERE, ORIGIN, field, write
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

ORIGINAL = ["ORIGINAL", "PRIMARY", "AXIAL"]
TOLD = ("series_left_out", "only_ct_volume")
COMPUTED = ("computed_images",)
# The right series is thick and has a high number; the others are thin, have more images and come first.
COUNT = 11
RIGHT = {"SeriesNumber": 9, "SliceThickness": 10, "count": COUNT, "spacing": 10.0}
OTHER = {"SeriesNumber": 2, "SliceThickness": 1, "count": 14, "spacing": 8.0}
Build = Callable[[Path, np.random.Generator], Path]


def derived() -> list[Case]:
    """Returns cases in which something was computed from the scan: beside the original, and alone."""
    family = Family("derived series")
    for name, others in _DERIVED.items():
        family.add(f"{name} beside the original", folder({}, others), True, flags=TOLD, slices=COUNT, truth=ANYWHERE)
    for name in ("MIP", "MinIP", "GE projection", "3D rendering", "curved reformat", "MIP by the description"):
        family.add(f"only {name}", folder(_DERIVED[name]), False, "projections")
    for name in (
        "iodine in HU",
        "Philips iodine",
        "GE material density",
        "effective Z",
        "perfusion map",
        "subtraction",
    ):
        family.add(f"only {name}", folder(_DERIVED[name]), False, "computed map")
    for name in ("virtual non-contrast", "Siemens monoenergetic", "calcium suppressed"):
        family.add(f"only {name}", folder(_DERIVED[name]), True, flags=COMPUTED, truth=ANYWHERE)
    family.add("only averaged slabs", folder(_DERIVED["averaged slabs"]), True, slices=14, truth=ANYWHERE)
    family.add(
        "a monoenergetic series before a virtual one",
        folder(_DERIVED["Siemens monoenergetic"], _DERIVED["virtual non-contrast"]),
        True,
        flags=COMPUTED,
        slices=14,
        truth=ANYWHERE,
    )
    family.add("the energy nearest to 70 keV", folder(_mono(70), _mono(40), _mono(190)), True, flags=COMPUTED)
    family.add("MIP images inside the series", _mip_inside, True, flags=TOLD, slices=COUNT, truth=ANYWHERE)
    family.add("dual-energy mixture", folder(_MIXED, _DERIVED["iodine in HU"]), True, flags=TOLD, truth=ANYWHERE)
    return family.cases


def which() -> list[Case]:
    """Returns cases of parts of the body, kernels, phases, patients and exams."""
    family = Family("which series")
    for name, (right, other) in _WHICH.items():
        family.add(name, folder({**RIGHT, **right}, other), True, flags=TOLD, slices=COUNT, truth=ANYWHERE)
    for name in _TRUNKS:
        keyword = "BodyPartExamined" if name.isascii() else "ProtocolName"
        family.add(f"trunk called {name}", folder({**RIGHT, keyword: name}), True, slices=COUNT, truth=ANYWHERE)
    for name in _TRUNKS:
        both = {"BodyPartExamined": "HEAD", "SeriesDescription": name}
        family.add(
            f"header says head, description {name}", folder({**RIGHT, **both}), True, slices=COUNT, truth=ANYWHERE
        )
    family.add(
        "head by body part alone", folder({**RIGHT, "BodyPartExamined": "HEAD"}), True, slices=COUNT, truth=ANYWHERE
    )
    for part, study in (
        ("HEAD", "CT brain plain"),
        ("", "Kopf nativ"),
        ("KNEE", "Rodilla izquierda"),
        ("", "Boyun BT"),
    ):
        agreed = {"BodyPartExamined": part, "StudyDescription": study, "ProtocolName": study}
        family.add(f"surely no kidneys: {study}", folder({**RIGHT, **agreed}), False, "without kidneys")
    for name, others in _OTHER_PATIENTS.items():
        family.add(f"two patients: {name}", folder({}, others), False, "2 patients")
    for name, others in _SAME_PATIENT.items():
        family.add(f"one patient: {name}", folder({}, others), True, flags=TOLD, truth=ANYWHERE)
    family.add("two days", folder({}, {"StudyDate": "20010204", "StudyInstanceUID": "1.2.9"}), False, "2 days")
    family.add(
        "two studies of one day", folder({}, {**_THICK, "StudyInstanceUID": "1.2.9"}), True, flags=("several_studies",)
    )
    family.add(
        "MR of another patient", folder({}, {"Modality": "MR", "PatientID": "P9"}), True, flags=("other_patient",)
    )
    family.add("one series, two patients", _two_in_one_series, False, "2 patients")
    for name, text in _HOSTILE.items():
        words = {
            "SeriesDescription": text,
            "StudyDescription": text,
            "ProtocolName": text,
            "ImageType": ["ORIGINAL", text],
        }
        family.add(
            f"hostile words: {name}", folder({**words, "SeriesNumber": 1}, {**_THICK, **words}), True, flags=TOLD
        )
    return family.cases


def folder(*series: dict[str, Any]) -> Build:
    """Returns what writes series, the first of which is the right one: only its values are true."""

    def build(path: Path, _: np.random.Generator) -> Path:
        for number, attributes in enumerate(series):
            values = {"ImageType": ORIGINAL, **(RIGHT if number == 0 else OTHER), **attributes}
            _write(path / f"s{number}", values, shift=80.0 * number)
        return path

    return build


def _write(path: Path, values: dict[str, Any], shift: float = 0.0) -> list[Path]:
    count, spacing = values.pop("count"), values.pop("spacing")
    positions = [np.array([*ORIGIN[:2], ORIGIN[2] + spacing * n]) for n in range(count)]
    same = {
        "StudyInstanceUID": "1.2.3",
        "FrameOfReferenceUID": "1.2.4",
        "SpecificCharacterSet": "ISO_IR 192",
        "shape": (4, 5),
    }
    with quiet_pydicom():  # hostile words are no valid values
        return write(path, positions, field=lambda points: field(points) + shift, **{**same, **values})


def _typed(*words: str, **attributes: Any) -> dict[str, Any]:
    return {**OTHER, "ImageType": ["DERIVED", "SECONDARY", "AXIAL", *words], **attributes}


def _described(text: str) -> dict[str, Any]:
    return _typed(SeriesDescription=text)


def _mono(energy: int) -> dict[str, Any]:
    return _described(f"MonoE {energy} keV[HU]")


def _mip_inside(path: Path, _: np.random.Generator) -> Path:
    _write(path / "a", {"ImageType": ORIGINAL, **RIGHT, "SeriesInstanceUID": "1.2.5"})
    _write(path / "b", {**_typed("MIP"), **OTHER, "SeriesNumber": 9, "SeriesInstanceUID": "1.2.5"}, shift=80.0)
    return path


def _two_in_one_series(path: Path, _: np.random.Generator) -> Path:
    for number, patient in enumerate(("P1", "P2")):
        values = {**RIGHT, "SeriesInstanceUID": "1.2.5", "PatientID": patient, "PatientName": f"Secret^{patient}"}
        _write(path / str(number), values)
    return path


_THICK = {**RIGHT, "SliceThickness": 20, "SeriesNumber": 3}
_MIXED = {**RIGHT, "ImageType": ["DERIVED", "PRIMARY", "AXIAL", "CT_SOM7 SPI DUAL", "MIX"]}
_DERIVED: dict[str, dict[str, Any]] = {
    "MIP": _typed("MIP"),
    "MIP marked MAX_IP": _typed("MAX_IP"),
    "Siemens MIP": _typed("CT_SOM7 MIP"),
    "MinIP": _typed("MINIP"),
    "enhanced MAXIMUM": {**OTHER, "ImageType": ["DERIVED", "PRIMARY", "VOLUME", "MAXIMUM"]},
    "thick MIP slices": _typed("MIP", SliceThickness=20),
    "MIP by the description": _described("AX MIP 10x2"),
    "MIP with a number": _described("CAP MIP8/2"),
    "thick overlapping slabs without a word": {**OTHER, "SliceThickness": 20},
    "averaged slabs": {**OTHER, "ImageType": ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"]},
    "axial MPR": {**OTHER, "ImageType": ["DERIVED", "SECONDARY", "MPR"]},
    "coronal MPR": {**OTHER, "ImageType": ["DERIVED", "SECONDARY", "MPR"], "orientation": (1, 0, 0, 0, 0, -1)},
    "coronal reconstruction called original": {**OTHER, "orientation": (1, 0, 0, 0, 0, -1)},
    "sagittal reconstruction": {**OTHER, "orientation": (0, 1, 0, 0, 0, -1)},
    "curved reformat": {**OTHER, "ImageType": ["DERIVED", "SECONDARY", "CPR"]},
    "3D rendering": _typed("VRT"),
    "GE projection": {**OTHER, "ImageType": ["DERIVED", "SECONDARY", "PROJECTION IMAGE"]},
    "iodine in HU": _typed("MAT_SPECIFIC", "IODINE", RescaleType="HU"),
    "iodine in mg/ml": _typed("MAT_SPECIFIC", "IODINE", RescaleType="MGML"),
    "water map": _typed("MAT_SPECIFIC", "WATER"),
    "fat fraction": _typed("MAT_FRACTIONAL", "FAT"),
    "effective Z": _typed("EFF_ATOMIC_NUM"),
    "electron density": _typed("ELECTRON_DENSITY"),
    "Philips iodine": _described("Iodine Density[mg/ml]"),
    "Philips iodine no water": _described("Iodine no Water[mg/ml*]"),
    "Philips Z effective": _described("Z Effective"),
    "GE material density": _described("Iodine(Water)"),
    "GE MD water": _described("Water(Iodine) ABD"),
    "Siemens rho/Z": _described("DE RhoZ"),
    "Canon iodine map": _described("Iodine Map Fusion"),
    "iodine map in Turkish": _described("İyot haritası"),
    "iodine map in Spanish": _described("Mapa de yodo"),
    "iodine map in German": _described("Jodkarte"),
    "uric acid": _described("Uric Acid Pair[HU*]"),
    "virtual non-contrast": _typed("MAT_REMOVED", SeriesDescription="VNC[HU]"),
    "GE virtual unenhanced": _described("VUE"),
    "Siemens virtual non-contrast": _typed("DE_VNC"),
    "virtual non-contrast in Turkish": _described("Sanal kontrastsız"),
    "VNC that claims to be original": {**OTHER, "SeriesDescription": "VNC 1.0"},
    "calcium suppressed": _described("Calcium Suppression Index 50[HU*]"),
    "Siemens monoenergetic": {**OTHER, "ImageType": ["DERIVED", "PRIMARY", "AXIAL", "DE_MONO"]},
    "VMI": {**OTHER, "ImageType": ["DERIVED", "PRIMARY", "AXIAL", "VMI"]},
    "GE monochromatic": _described("MONO 70 keV"),
    "perfusion map": _described("Perfusion MTT"),
    "subtraction": _typed("SUBTRACTION"),
    "subtraction by the description": _described("Arteriell-nativ Subtraktion"),
    "plain derived images": _typed(),
    "dose report": _typed(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", SeriesDescription="Dose Report"),
    "Siemens protocol page": {**OTHER, "count": 1, "ImageType": ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]},
    "screen save": _typed("SCREEN SAVE"),
    "scout": {**OTHER, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    "topogram": {**OTHER, "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 TOP"]},
    "derivation code of a MIP": _typed(DerivationDescription="maximum intensity projection of the volume"),
}
_WHICH: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "abdomen before chest": ({"BodyPartExamined": "ABDOMEN"}, {"BodyPartExamined": "CHEST"}),
    "abdomen before chest, by the descriptions": (
        {"BodyPartExamined": "CHEST", "SeriesDescription": "Abdomen venös 5.0"},
        {"BodyPartExamined": "CHEST", "SeriesDescription": "Thorax 1.0"},
    ),
    "trunk before lungs": ({"SeriesDescription": "TAP 5mm"}, {"SeriesDescription": "LUNG 1mm"}),
    "abdomen before brain": ({"SeriesDescription": "Üst batın"}, {"SeriesDescription": "Beyin BT"}),
    "abdomen before pelvis": ({"SeriesDescription": "Riñones"}, {"SeriesDescription": "Pelvis ósea"}),
    "abdomen before neck": ({"ProtocolName": "Polytrauma Abdomen"}, {"ProtocolName": "HWS"}),
    "abdomen before the lumbar spine": ({"SeriesDescription": "Abdomen"}, {"SeriesDescription": "LWS 1.0"}),
    "kidneys before legs": ({"SeriesDescription": "Böbrek"}, {"SeriesDescription": "Diz"}),
    "PET/CT's CT before its lungs": ({"SeriesDescription": "CT WB 5.0"}, {"SeriesDescription": "Lung HRCT"}),
    "long before short": ({}, {"count": 9, "spacing": 3.0}),
    "soft kernel before bone": ({"ConvolutionKernel": "B30f"}, {"ConvolutionKernel": "B70f"}),
    "soft kernel before lung": ({"ConvolutionKernel": "STANDARD"}, {"ConvolutionKernel": "LUNG"}),
    "soft kernel before edge of Canon": ({"ConvolutionKernel": "FC08"}, {"ConvolutionKernel": "FC52"}),
    "bone by the description": (
        {"ConvolutionKernel": None, "SeriesDescription": "Abd"},
        {"ConvolutionKernel": None, "SeriesDescription": "Abd Knochen"},
    ),
    "nephrographic before excretory": (
        {"SeriesDescription": "Nephrographic"},
        {"SeriesDescription": "Excretory", "SliceThickness": 10, "count": COUNT, "spacing": 10.0},
    ),
    "portal before arterial": (
        {"SeriesDescription": "Abd portal"},
        {"SeriesDescription": "Abd arteriell", "SliceThickness": 10, "count": COUNT, "spacing": 10.0},
    ),
    "portal before non-contrast in Spanish": (
        {"SeriesDescription": "Fase venosa"},
        {"SeriesDescription": "Sin contraste", "SliceThickness": 10, "count": COUNT, "spacing": 10.0},
    ),
}
_TRUNKS = (
    "NECKCHESTABDPELV", "NECKCHESTABDOMEN", "CHESTABDPELVIS", "SKULL BASE TO MID THIGH", "neck to pelvis", "TAP", "CAP",
    "WHOLEBODY", "PET/CT WB", "Polytrauma", "Politravma", "Ganzkörper", "Hals bis Becken", "Cuello a pelvis",
    "Base de cráneo a muslo", "Toraks-Batın-Pelvis", "Tüm vücut", "Thorax-Abdomen", "Vertex to feet",
    "TC tórax abdomen",
)  # fmt: skip
_OTHER_PATIENTS: dict[str, dict[str, Any]] = {
    "number": {"PatientID": "P2"},
    "number, one study": {"PatientID": "P2", "PatientName": "Secret^Other"},
    "names without numbers": {"PatientID": None, "PatientName": "Secret^Somebody"},
    "an empty number": {"PatientID": "", "PatientName": "Secret^Twin"},
}
_SAME_PATIENT: dict[str, dict[str, Any]] = {
    "spelling of the name": {**_THICK, "PatientName": "SECRET^PATIENT^^"},
    "corrected name": {**_THICK, "PatientName": "Secret^Patientin"},
    "number with spaces": {**_THICK, "PatientID": " SECRET-ID "},
    "no number": {**_THICK, "PatientID": None},
}
_HOSTILE = {
    "escape codes": "\x1b[31mSECRET\x07",
    "lines": "SECRET\nkidneyseg: done\r",
    "braces and percents": "{0} %s %n SECRET",
    "a name with a part of the body": "SECRET^HANS ABDOMEN",
    "a long text": "SECRET " * 40,
    "no letters": "\x00\x01\x02",
}
