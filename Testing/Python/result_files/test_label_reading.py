"""Label maps of other programs and readers: segments by what the reader sees, layers, padding, other numberings."""

from __future__ import annotations

from pathlib import Path

import nrrd
import numpy as np
import pytest
from reporting_cases import phantom

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.result_files.labels.files import write_nifti, write_segmentation
from KidneySegLib.result_files.labels.reading import read_labels
from KidneySegLib.result_files.labels.segment_names import structure_of_name, structure_of_segment
from KidneySegLib.result_files.labels.terminology import terminology_entry
from KidneySegLib.structures import BY_KEY, Numbering
from KidneySegLib.volume import Volume

RIGHT, LEFT, CYST = (terminology_entry(BY_KEY[key]) for key in ("kidney_right", "kidney_left", "cyst"))
LIVER = RIGHT.replace("64033007^Kidney~SCT^24028007^Right", "10200004^Liver~^^")
TISSUE = RIGHT.replace("64033007^Kidney~SCT^24028007^Right", "85756007^Tissue~^^")
OLD_LEFT = RIGHT.replace("SCT^64033007^Kidney~SCT^24028007^Right", "SRT^T-71000^Kidney~SRT^G-A101^Left")


def changed(path: Path, layers: np.ndarray | None = None, drop: tuple[str, ...] = (), **fields: str) -> Path:
    """Writes a segmentation file again, with other header fields or other layers ``(k, j, i)`` each."""
    data, header = nrrd.read(str(path))
    for key in [key for key in header if key.endswith(drop or ("\0",))]:
        del header[key]
    header.update(fields)
    if layers is not None:
        data = layers.transpose(0, 3, 2, 1)
        header["space directions"] = np.vstack([np.full(3, np.nan), header["space directions"]])
        header["kinds"] = ["list", "domain", "domain", "domain"]
    for key in ("dimension", "sizes", "type"):
        header.pop(key, None)
    nrrd.write(str(path), np.asarray(data, np.uint8), header)
    return path


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Volume, np.ndarray]:
    """A segmentation file with kidneys, mass and stone, its image and labels."""
    volume, labels = phantom()
    write_segmentation(tmp_path / "a.seg.nrrd", volume, labels, "test")
    return tmp_path / "a.seg.nrrd", volume, labels


def exchanged(labels: np.ndarray) -> np.ndarray:
    return np.choose(labels, (0, 2, 1, 3, 4, 5)).astype(np.uint8)


@pytest.mark.parametrize(
    "fields",
    [
        {"Segment0_Name": "Left kidney", "Segment1_Name": "Right kidney"},
        {"Segment0_Tags": f"TerminologyEntry:{LEFT}|", "Segment1_Tags": f"TerminologyEntry:{RIGHT}|"},
        {
            "Segment0_Name": "kidney, left",
            "Segment1_Name": "kidney right",
            "Segment0_Tags": f"TerminologyEntry:{LEFT}|",
            "Segment1_Tags": f"TerminologyEntry:{RIGHT}|",
        },
        {"Segment0_Tags": f"TerminologyEntry:{OLD_LEFT}|", "Segment1_Name": "right_kidney"},
    ],
    ids=["names", "terminology", "both", "codes of before 2019"],
)
def test_the_sides_are_those_that_the_reader_gave(case, fields) -> None:
    path, volume, labels = case
    np.testing.assert_array_equal(read_labels(changed(path, **fields), volume).labels, exchanged(labels))


@pytest.mark.parametrize(
    ("identifier", "name", "entry", "key"),
    [
        ("kidney_right", "Right kidney", RIGHT, "kidney_right"),
        ("kidney_right", "Segment_1", TISSUE, "kidney_right"),
        ("kidney_right", "Right kidney", LIVER, None),
        ("Segment_1", "Cyst", TISSUE, "cyst"),
        ("Segment_1", "Cyst", "", "cyst"),
        ("Segment_1", "Hígado", RIGHT, "kidney_right"),
        ("Segment_1", "Liver", "", None),
        ("Segment_1", "Liver cyst", TISSUE, None),
        ("Segment_1", "Right renal artery", "", None),
        ("Segment_1", "Cyst", LIVER, "cyst"),
        ("mass", "Cyst_2", terminology_entry(BY_KEY["mass"]), "cyst"),
        ("mass", "Solid mass", CYST, "cyst"),
        ("Segment_1", "", "", None),
        ("Segment_1", "x", "~~~~", None),
    ],
)
def test_which_structure_a_segment_is(identifier: str, name: str, entry: str, key: str | None) -> None:
    structure = structure_of_segment(identifier, name, entry)
    assert (structure.key if structure else None) == key


def test_a_name_against_its_terminology_is_refused() -> None:
    with pytest.raises(InputError, match="'Left kidney' has the terminology of another structure"):
        structure_of_segment("Segment_1", "Left kidney", RIGHT)
    with pytest.raises(InputError, match="another structure"):
        structure_of_segment("mass", "Left kidney", RIGHT)


@pytest.mark.parametrize(
    ("name", "key"),
    [("LEFT KIDNEY", "kidney_left"), ("kidney_left_1", "kidney_left"), ("renal tumour", "mass"), ("stone 3", "stone"),
     ("left renal cyst", "cyst"), ("kidney", None), ("left right kidney", None), ("cyst in mass", None), ("", None)],
)  # fmt: skip
def test_names(name: str, key: str | None) -> None:
    structure = structure_of_name(name)
    assert (structure.key if structure else None) == key


def layered(labels: np.ndarray) -> np.ndarray:
    """Kidneys in one layer, whole, and mass and stone in another."""
    kidneys = np.where(np.indices(labels.shape)[2] < labels.shape[2] // 2, 1, 2) * (labels > 0)
    return np.stack([kidneys, np.select([labels == 3, labels == 5], [1, 2])])


def test_layers_that_overlap_are_read(case) -> None:
    path, volume, labels = case
    more = {"Segment2_Layer": "1", "Segment2_LabelValue": "1", "Segment3_Layer": "1", "Segment3_LabelValue": "2"}
    drawing = read_labels(changed(path, layered(labels), **more), volume)
    np.testing.assert_array_equal(drawing.labels, labels)
    (flag,) = drawing.flags
    assert flag.code == "overlapping_segments" and f" {np.count_nonzero(labels > 2)} voxels" in flag.message


def test_a_layer_for_each_segment_as_slicer_4_has_them(case) -> None:
    path, volume, labels = case
    layers = np.stack([labels == label for label in (1, 2, 3, 5)])
    drawing = read_labels(changed(path, layers, drop=("_Layer", "_LabelValue")), volume)
    np.testing.assert_array_equal(drawing.labels, labels)
    assert drawing.flags == []


def test_kidneys_that_overlap_are_told(case) -> None:
    path, volume, labels = case
    layers = np.stack([labels == 1, (labels == 2) | (labels == 1) & (np.indices(labels.shape)[0] == 18)])
    fields = {"Segment0_Layer": "0", "Segment1_Layer": "1", "Segment1_LabelValue": "1"}
    drawing = read_labels(changed(path, layers, **fields), volume)
    assert {flag.code for flag in drawing.flags} == {"overlapping_segments", "overlapping_kidneys"}


def test_padding_is_accepted_and_voxels_outside_are_not(case, tmp_path: Path) -> None:
    path, volume, labels = case
    matrix = np.array(volume.ijk_to_lps)
    matrix[:3, 3] = volume.to_lps(np.array([-3, -3, -3]))
    padded = np.pad(labels, 3)
    write_segmentation(path, Volume(padded, matrix), padded, "test")
    np.testing.assert_array_equal(read_labels(path, volume).labels, labels)
    padded[0, 0, 0] = 4
    write_nifti(tmp_path / "b.nii.gz", Volume(padded, matrix), padded)
    with pytest.raises(GeometryError, match="outside the image"):
        read_labels(tmp_path / "b.nii.gz", volume)


def test_segments_without_a_voxel_are_ignored_and_strange_ones_are_not(case) -> None:
    path, volume, labels = case
    extra = {"Segment4_ID": "Segment_1", "Segment4_Name": "Segment_1", "Segment4_LabelValue": "9"}
    changed(path, **extra, Segment4_Layer="0")
    np.testing.assert_array_equal(read_labels(path, volume).labels, labels)
    changed(path, Segment4_LabelValue="3", Segment2_LabelValue="8")
    with pytest.raises(InputError, match="'Segment_1' is not a structure"):
        read_labels(path, volume)


@pytest.mark.parametrize(
    "fields",
    [
        {"Segment0_Layer": "7"},
        {"Segment0_Layer": "-1"},
        {"Segment0_LabelValue": "one"},
        {"Segmentx_ID": "kidney_left"},
        {"Segment0_LabelValue": "77"},
    ],
)
def test_damaged_headers_end_in_a_sentence(case, fields: dict[str, str]) -> None:
    path, volume, _ = case
    with pytest.raises(InputError, match="again in Slicer"):
        read_labels(changed(path, **fields), volume)


def test_numbers_of_totalsegmentator(case, tmp_path: Path) -> None:
    _, volume, labels = case
    numbers = np.choose(labels, (0, 2, 3, 0, 0, 0)).astype(np.uint8)
    numbers[labels == 3] = 23
    numbers[:3] = 51  # the heart
    write_nifti(tmp_path / "t.nii.gz", volume, numbers)
    soft = volume.like(np.where(numbers == 23, 10, volume.voxels).astype(np.int16))
    drawing = read_labels(tmp_path / "t.nii.gz", soft, Numbering.TOTALSEGMENTATOR)
    assert drawing.flags == []
    np.testing.assert_array_equal(drawing.labels, np.choose(numbers == 23, (np.choose(labels, (0, 1, 2, 0, 0, 0)), 4)))
    bone = volume.like(np.where(numbers == 23, 400, volume.voxels).astype(np.int16))
    drawing = read_labels(tmp_path / "t.nii.gz", bone, Numbering.TOTALSEGMENTATOR)
    assert [flag.code for flag in drawing.flags] == ["vertebrae_numbered_as_cysts"] and 4 not in drawing.labels
    with pytest.raises(InputError, match="holds 23, 51, which is not a structure.*--numbering"):
        read_labels(tmp_path / "t.nii.gz", volume)


@pytest.mark.parametrize("flip", [False, True])
def test_numbers_of_kits_get_their_sides_from_the_image(case, tmp_path: Path, flip: bool) -> None:
    _, volume, labels = case
    expected = np.where(labels == 5, 4, labels)
    numbers = np.choose(labels, (0, 1, 1, 2, 0, 3)).astype(np.uint8)
    image = volume
    if flip:  # the same patient, stored from left to right
        matrix = np.array(volume.ijk_to_lps)
        matrix[:3, 3] = volume.to_lps(np.array([0, 0, labels.shape[2] - 1]))
        matrix[:3, 0] *= -1
        numbers, expected = numbers[..., ::-1].copy(), expected[..., ::-1]
        image = Volume(volume.voxels[..., ::-1], matrix)
    write_nifti(tmp_path / "k.nii.gz", image, numbers)
    drawing = read_labels(tmp_path / "k.nii.gz", image, Numbering.KITS)
    np.testing.assert_array_equal(drawing.labels, expected)
    assert [flag.code for flag in drawing.flags] == ["sides_from_image"]


def test_a_fused_kidney_of_kits_is_divided(case, tmp_path: Path) -> None:
    _, volume, labels = case
    numbers = (labels > 0).astype(np.uint8)
    numbers[18:20, 33:36, 20:70] = 1
    write_nifti(tmp_path / "k.nii.gz", volume, numbers)
    drawn = read_labels(tmp_path / "k.nii.gz", volume, Numbering.KITS).labels
    middle = volume.to_lps((np.array(labels.shape) - 1) / 2)[0]
    for label, side in ((1, -1), (2, 1)):
        assert np.all(np.sign(volume.to_lps(np.argwhere(drawn == label))[:, 0] - middle) == side)


def test_images_and_numbers_for_segmentations_are_refused(case, tmp_path: Path) -> None:
    path, volume, labels = case
    with pytest.raises(InputError, match="Leave out --numbering"):
        read_labels(path, volume, Numbering.KITS)
    write_nifti(tmp_path / "n.nii.gz", volume, np.where(labels == 3, 9, labels).astype(np.uint8))
    with pytest.raises(InputError, match="none of TotalSegmentator|not a structure of KiTS"):
        read_labels(tmp_path / "n.nii.gz", volume, Numbering.KITS)
