"""The right series is chosen from a mixed folder, the rest is named, and what is no CT is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, CORONAL, codes, even_positions, rotated, write_field
from pydicom.uid import generate_uid

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.flags import Severity
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.merit import is_sharp_kernel
from KidneySegLib.readers.dicom.finding.scan import scan
from KidneySegLib.readers.dicom.finding.series import Kind, group

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def write(folder: Path, number: int, count: int = 12, spacing: float = 2.0, **attributes: object) -> None:
    orientation = attributes.pop("orientation", AXIAL)
    write_field(
        folder / f"series{number}",
        even_positions((0, 0, 100), orientation, spacing, count),  # type: ignore[arg-type]
        orientation=orientation,  # type: ignore[arg-type]
        **{"SeriesNumber": number, "SliceThickness": spacing, **attributes},
    )


def test_localiser_and_dose_report_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, 1, count=2, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], orientation=CORONAL)
    write(tmp_path, 2)
    write(tmp_path, 501, count=1, SOPClassUID=SECONDARY_CAPTURE, ImageType=["DERIVED", "SECONDARY"])
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "empty").touch()
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 12
    assert codes(acquisition) == ["only_ct_volume"]
    flag = acquisition.flags[0]
    assert flag.severity is Severity.INFO
    assert flag.message == (
        "Of several series, series 2 (12 images, 2 mm) was read: it is the only CT volume. Left out: series 1 (2 "
        "images, localiser); series 501 (1 image, screen capture or dose report)."
    )


def test_a_copy_that_broke_off_is_left_aside(tmp_path: Path) -> None:
    """'pull' and 'watch' bring series into hidden folders first; after a crash one may still lie there."""
    write(tmp_path, 1)
    write(tmp_path / ".arrival-1", 2, count=40)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 12 and codes(acquisition) == []
    assert read_ct(tmp_path / ".arrival-1").stored.voxels.shape[0] == 40  # who asks for it gets it


def test_localiser_inside_the_series(tmp_path: Path) -> None:
    """Some scanners put the scout into the series itself."""
    write(tmp_path, 2, SeriesInstanceUID="1.2.3")
    write_field(
        tmp_path / "scout",
        [np.zeros(3)],
        orientation=CORONAL,
        shape=(30, 40),
        SeriesInstanceUID="1.2.3",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape == (12, 10, 12)
    assert "part 1 of series 2 (1 image, localiser)" in acquisition.flags[0].message


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"spacing": 2.0, "count": 12}, {"spacing": 5.0, "count": 5}),  # thinner
        ({"spacing": 5.0, "count": 60}, {"spacing": 1.0, "count": 40}),  # long enough for both kidneys
        ({"spacing": 5.0, "count": 60}, {"spacing": 1.0, "count": 290, "ConvolutionKernel": "B70f"}),  # soft kernel
        ({}, {"orientation": CORONAL, "count": 40}),
        ({}, {"count": 40, "BodyPartExamined": "HEAD"}),
        ({}, {"count": 40, "RescaleType": "MGML"}),
    ],
)
@pytest.mark.parametrize("better_first", [True, False])
def test_better_series(tmp_path: Path, better: dict[str, object], worse: dict[str, object], better_first: bool) -> None:
    numbers = (3, 4) if better_first else (4, 3)
    write(tmp_path, numbers[0], **better)  # type: ignore[arg-type]
    write(tmp_path, numbers[1], **worse)  # type: ignore[arg-type]
    message = read_ct(tmp_path).flags[0].message
    assert f"series, series {numbers[0]} (" in message and f"Left out: series {numbers[1]} (" in message


def test_equal_series_are_a_warning_and_can_be_named(tmp_path: Path) -> None:
    uid = generate_uid()
    write(tmp_path, 3)
    write(tmp_path, 4, SeriesInstanceUID=uid)
    chosen = read_ct(tmp_path)
    assert chosen.source.series_uid != uid
    assert chosen.flags[0].severity is Severity.WARNING
    named = read_ct(tmp_path, series_uid=uid)
    assert named.source.series_uid == uid and codes(named) == []
    with pytest.raises(InputError, match="No series of the folder has that name"):
        read_ct(tmp_path, series_uid="1.2.3.4")


@pytest.mark.parametrize("attribute", ["ConvolutionKernel", "FrameOfReferenceUID", "PixelSpacing"])
def test_what_cannot_be_in_one_volume_is_told_apart(tmp_path: Path, attribute: str) -> None:
    values = {
        "ConvolutionKernel": ("B30f", "B70f"),
        "FrameOfReferenceUID": ("1.2.9.1", "1.2.9.2"),
        "PixelSpacing": ([1.5, 0.75], [1.4, 0.7]),
    }[attribute]
    common = {"SeriesInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.9.1"}
    write(tmp_path, 5, **{**common, attribute: values[0]})  # type: ignore[arg-type]
    write(tmp_path / "more", 5, **{**common, attribute: values[1]})  # type: ignore[arg-type]
    parts = group(scan(tmp_path)[0])
    assert [(part.number, part.part, len(part.frames)) for part in parts] == [(5, 1, 12), (5, 2, 12)]
    assert read_ct(tmp_path).stored.voxels.shape[0] == 12


def test_two_orientations_in_one_series(tmp_path: Path) -> None:
    write(tmp_path, 5, SeriesInstanceUID="1.2.3", FrameOfReferenceUID="1.2.9")
    write(tmp_path / "more", 5, orientation=rotated((30, 0, 0)), SeriesInstanceUID="1.2.3", FrameOfReferenceUID="1.2.9")
    assert [len(part.frames) for part in group(scan(tmp_path)[0])] == [12, 12]


def test_find_series_describes_without_patient_data(tmp_path: Path) -> None:
    write(tmp_path, 1, count=2, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write(tmp_path, 2, count=30, spacing=2.5)
    write(tmp_path, 3, Modality="MR")
    series = group(scan(tmp_path)[0])
    assert [item.kind for item in series] == [Kind.LOCALISER, Kind.SLICES, Kind.SLICES]
    assert series[1].extent == pytest.approx(72.5) and series[1].spacing == pytest.approx(2.5)
    assert series[1].is_axial and len(series[1].files) == 30
    assert [item.label() for item in series] == [
        "series 1 (2 images, localiser)",
        "series 2 (30 images, 2.5 mm)",
        "series 3 (12 images, MR)",
    ]


@pytest.mark.parametrize(
    ("modality", "sentence"),
    [
        ("MR", r"The images are MR \(magnetic resonance\); a CT series is needed"),
        ("US", "ultrasound"),
        ("PT", "positron emission"),
    ],
)
def test_wrong_modality(tmp_path: Path, modality: str, sentence: str) -> None:
    write(tmp_path, 3, Modality=modality)
    with pytest.raises(InputError, match=sentence):
        read_ct(tmp_path)
    with pytest.raises(InputError, match=sentence):
        read_ct(tmp_path / "series3" / "image004.dcm")


def test_mixed_wrong_modalities(tmp_path: Path) -> None:
    write(tmp_path, 3, Modality="MR")
    write(tmp_path, 4, Modality="PT")
    with pytest.raises(InputError, match="The images are MR, PT; a CT series is needed"):
        read_ct(tmp_path)


def test_ct_is_taken_beside_pet(tmp_path: Path) -> None:
    write(tmp_path, 3, Modality="PT", count=40)
    write(tmp_path, 4)
    assert read_ct(tmp_path).source.modality == "CT"


def test_only_a_localiser(tmp_path: Path) -> None:
    write(tmp_path, 1, count=4, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    with pytest.raises(GeometryError, match="localiser"):
        read_ct(tmp_path)


def test_two_slices_are_too_few(tmp_path: Path) -> None:
    write(tmp_path, 1, count=2)
    with pytest.raises(GeometryError, match="only 2 slices; at least 3"):
        read_ct(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No DICOM image was found"):
        read_ct(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_ct(tmp_path / "missing")


def test_source_holds_what_matters_and_no_patient(tmp_path: Path) -> None:
    write(tmp_path, 4, ContrastBolusAgent="Iomeprol", ContrastBolusRoute="IV", BodyPartExamined="ABDOMEN")
    write(tmp_path, 5, count=3)
    acquisition = read_ct(tmp_path)
    source = acquisition.source
    assert (source.modality, source.kernel, source.kvp, source.contrast) == ("CT", "STANDARD", 120.0, True)
    assert (source.manufacturer, source.model, source.body_part) == ("Maker", "Model", "ABDOMEN")
    assert source.slice_thickness == 2.0 and len(set(source.sop_instance_uids)) == 12
    record = json.dumps([source.to_dict(), [flag.to_dict() for flag in acquisition.flags]])
    assert "secret" not in record.lower() and "20010203" not in record and str(tmp_path) not in record


def test_sop_instances_follow_k(tmp_path: Path) -> None:
    files = write_field(
        tmp_path, even_positions((0, 0, 100), AXIAL, 1.0, 5)[::-1], SOPInstanceUID=lambda n: f"1.2.3.{5 - n}"
    )
    assert len(files) == 5
    assert read_ct(tmp_path).source.sop_instance_uids == tuple(f"1.2.3.{k + 1}" for k in range(5))


@pytest.mark.parametrize(
    ("agent", "route", "expected"),
    [("Iohexol", None, True), ("", "IV", True), (None, None, None), ("NONE", None, False), ("Oral", "ORAL", None)],
)
def test_contrast_agent(tmp_path: Path, agent: str | None, route: str | None, expected: bool | None) -> None:
    write(tmp_path, 1, ContrastBolusAgent=agent, ContrastBolusRoute=route)
    assert read_ct(tmp_path).source.contrast is expected


def test_emptied_identifiers_are_flagged(tmp_path: Path) -> None:
    write(tmp_path, 1, SOPInstanceUID="", SeriesInstanceUID="", StudyInstanceUID="")
    acquisition = read_ct(tmp_path)
    assert codes(acquisition) == ["missing_uids"]


@pytest.mark.parametrize(
    ("kernel", "sharp"),
    [
        ("LUNG", True),
        ("BONEPLUS", True),
        ("B70f", True),
        ("Br64d\\3", True),
        ("I70f", True),
        ("FC51", True),
        ("YA", True),
        ("STANDARD", False),
        ("SOFT", False),
        ("B30f", False),
        ("Br38f\\3", False),
        ("I40f", False),
        ("FC08", False),
        ("B", False),
        ("", False),
    ],
)
def test_sharp_kernels(kernel: str, sharp: bool) -> None:
    assert is_sharp_kernel(kernel) is sharp
