"""A DICOM segmentation lies where the label map lies, voxel by voxel, whatever the geometry of the series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from highdicom.seg import segread
from interchange_cases import GEOMETRIES, Case, frames_of, make_case, masks_on, read
from result_cases import result_of

from KidneySegLib.errors import GeometryError
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.volume import AxisOrder, Volume

# label of each segment by its name, and the sign of x (mm LPS) on its side
NAMES = {
    "Right kidney": (1, -1),
    "Left kidney": (2, 1),
    "Solid mass left": (3, 1),
    "Cyst left": (4, 1),
    "Stone right": (5, -1),
    "Stone left": (5, 1),
}


@pytest.fixture(scope="module", params=list(GEOMETRIES))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("case"), request.param)


@pytest.fixture(scope="module")
def axial(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("axial"))


def expected_masks(case: Case) -> dict[str, np.ndarray]:
    x = case.volume.to_lps(np.stack(np.indices(case.labels.shape), axis=-1))[..., 0]
    return {name: (case.labels == label) & (np.sign(x) == side) for name, (label, side) in NAMES.items()}


def test_segments_lie_on_their_voxels_and_sides(case: Case, tmp_path: Path) -> None:
    path, *_ = write_dicom_results(tmp_path, case.result, case.series)
    segmentation = read(path)
    masks = masks_on(case.volume, segmentation)
    named = {str(item.SegmentLabel): masks[int(item.SegmentNumber)] for item in segmentation.SegmentSequence}
    expected = expected_masks(case)
    assert set(named) == set(expected)
    for name, mask in expected.items():
        assert mask.any() and np.array_equal(named[name], mask), name


@pytest.mark.parametrize("labelmap", [False, True])
def test_highdicom_reads_the_same_volume(case: Case, tmp_path: Path, labelmap: bool) -> None:
    path, *_ = write_dicom_results(tmp_path, case.result, case.series, labelmap=labelmap, per_lesion=True)
    segmentation = segread(path)
    found = segmentation.get_volume(combine_segments=True)
    grid = Volume(np.asarray(found.array), found.affine[:, [2, 1, 0, 3]])
    kji = case.volume.to_kji(grid.to_lps(np.argwhere(grid.voxels)))
    assert np.abs(kji - np.rint(kji)).max() < 0.05
    labels = np.zeros(case.labels.shape, np.uint8)
    values = {int(d.SegmentNumber): d.segment_label for d in segmentation.SegmentSequence}
    structure = {"kidney": 0, "mass": 3, "Cyst": 4, "Stone": 5}
    of_number = np.zeros(max(values) + 1, np.uint8)
    for number, name in values.items():
        if name != "Background":
            of_number[number] = next(v for word, v in structure.items() if word in name) or NAMES[name][0]
    labels[tuple(np.rint(kji).astype(int).T)] = of_number[grid.voxels[grid.voxels > 0]]
    assert np.array_equal(labels, case.labels)
    assert set(of_number) - {0} == {1, 2, 3, 4, 5}


def test_each_frame_refers_to_the_image_that_it_lies_on(case: Case, tmp_path: Path) -> None:
    path, *_ = write_dicom_results(tmp_path, case.result, case.series)
    segmentation = read(path)
    source = case.findings.provenance.input.source
    places = {}
    for file in case.series.iterdir():
        image = read(file)
        groups = image.get("PerFrameFunctionalGroupsSequence")
        for number, item in enumerate(groups or [image], start=1):
            place = item.PlanePositionSequence[0] if groups else item
            places[str(image.SOPInstanceUID), number if groups else 0] = np.array(place.ImagePositionPatient, float)
    assert {str(item.ReferencedSOPInstanceUID) for item in segmentation.SourceImageSequence} == {u for u, _ in places}
    without = []
    for _, _, item in frames_of(segmentation):
        position = np.array(item.PlanePositionSequence[0].ImagePositionPatient, float)
        derivation = item.DerivationImageSequence
        if not derivation:
            without.append(position[2])
            continue
        (reference,) = derivation[0].SourceImageSequence
        place = places[str(reference.ReferencedSOPInstanceUID), int(reference.get("ReferencedFrameNumber", 0))]
        if reference.SpatialLocationsPreserved == "YES":
            assert np.abs(place - position).max() < 0.1
        else:  # a straightened slice: the image's plane, but moved within it
            assert source["resampled"] and abs(place[2] - position[2]) < 1e-3
    if not source["resampled"]:
        assert len(set(without)) == source["sop_instance_uids"].count("")


@pytest.mark.parametrize(
    "order", [AxisOrder((0, 2, 1), (True, False, True)), AxisOrder((2, 0, 1), (False, True, True))]
)
def test_the_order_of_the_label_maps_axes_does_not_matter(axial: Case, tmp_path: Path, order: AxisOrder) -> None:
    volume, labels = axial.volume.reordered(order), np.ascontiguousarray(order.apply(axial.labels))
    straight, *_ = write_dicom_results(tmp_path / "a", axial.result, axial.series)
    turned, *_ = write_dicom_results(tmp_path / "b", result_of(volume, labels, axial.findings), axial.series)
    one, other = read(straight), read(turned)
    assert one.PixelData == other.PixelData
    for (_, _, a), (_, _, b) in zip(frames_of(one), frames_of(other), strict=True):
        assert a.PlanePositionSequence[0] == b.PlanePositionSequence[0]


def moved(volume: Volume, by: tuple[float, float, float]) -> Volume:
    matrix = np.array(volume.ijk_to_lps)
    matrix[:3, 3] += by
    return Volume(volume.voxels, matrix)


@pytest.mark.parametrize("by", [(4.2, 0, 0), (0, 0, 5.0), (0, 1.0, 0)])
def test_a_label_map_beside_the_series_is_refused(case: Case, tmp_path: Path, by: tuple[float, float, float]) -> None:
    with pytest.raises(GeometryError, match="does not lie on the slices of this series"):
        write_dicom_results(tmp_path, result_of(moved(case.volume, by), case.labels, case.findings), case.series)
    assert not any(tmp_path.iterdir())


def test_a_label_map_on_another_grid_is_refused(axial: Case, tmp_path: Path) -> None:
    matrix = np.array(axial.volume.ijk_to_lps)
    matrix[:3, :3] *= 1.1
    for volume, labels in (
        (Volume(axial.volume.voxels, matrix), axial.labels),
        (axial.volume.crop((slice(0, 20), slice(None), slice(None))), axial.labels[:20]),
    ):
        with pytest.raises(GeometryError, match="does not lie on the slices of this series"):
            write_dicom_results(tmp_path, result_of(volume, labels, axial.findings), axial.series)


def test_labels_of_another_shape_than_the_volume_are_refused(axial: Case, tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="does not fit"):
        result_of(axial.volume, axial.labels[1:], axial.findings)
