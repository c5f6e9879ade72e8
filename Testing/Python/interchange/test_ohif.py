"""OHIF, the web viewer, shows our results: segments with names and colours in place, diameters as measurements.

One window serves all tests, since a browser without a graphics card is slow; each opens another series in it.
"""

from __future__ import annotations

import base64
import colorsys
import io
from collections.abc import Iterator

import numpy as np
import pytest
from interchange_cases import Case, make_case, read
from ohif_viewer import Viewer, opened, require_ohif
from PIL import Image

from KidneySegLib.findings import KidneyFinding, LesionFinding, StoneFinding
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.structures import BY_LABEL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

LINES = """() => Array.from(document.querySelectorAll('.svg-layer line'), line =>
    ['x1', 'y1', 'x2', 'y2'].map(name => Number(line.getAttribute(name))))"""
ANNOTATIONS = """tool => cornerstoneTools.annotation.state.getAllAnnotations()
    .filter(a => a.metadata.toolName === tool)
    .map(a => ({label: a.data.label, image: a.metadata.referencedImageId, points: a.data.handles.points}))"""
SEGMENTS = """() => services.segmentationService.getSegmentations().flatMap(s =>
    Object.values(s.segments).map(segment => ({number: segment.segmentIndex, label: segment.label})))"""
SLICES = """() => services.segmentationService.getSegmentations().flatMap(s =>
    s.representationData.Labelmap.imageIds.map(id => {
        const image = cornerstone.cache.getImage(id), values = Uint8Array.from(image.voxelManager.getScalarData());
        let text = '';
        for (const value of values) text += String.fromCharCode(value);
        return {image: image.referencedImageId, size: [image.rows, image.columns], values: btoa(text)};
    }))"""
SHOWN = "() => cornerstone.getEnabledElements()[0].viewport.getCurrentImageId()"
TO_CANVAS = "points => points.map(p => Array.from(cornerstone.getEnabledElements()[0].viewport.worldToCanvas(p)))"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    require_ohif()
    return make_case(tmp_path_factory.mktemp("case"), "square pixels")


@pytest.fixture(scope="module")
def viewer(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    scratch = tmp_path_factory.mktemp("ohif")
    result = case.result, case.series
    files = write_dicom_results(scratch / "results", *result, per_lesion=True)
    images = sorted(case.series.iterdir())
    with opened([*images, *files], str(read(images[0]).StudyInstanceUID), scratch) as viewer:
        yield viewer
        assert not viewer.faults


def findings_of(case: Case) -> list[KidneyFinding | LesionFinding | StoneFinding]:
    return [*case.findings.kidneys, *case.findings.lesions, *case.findings.stones]


def axes_of(finding: KidneyFinding | LesionFinding | StoneFinding) -> list[tuple[float, float, float]]:
    m = finding.measures
    return [
        m.axial_start_lps_mm,
        m.axial_end_lps_mm,
        m.perpendicular_start_lps_mm,
        m.perpendicular_end_lps_mm,
    ]


def slice_at(case: Case, height: float) -> str:
    """UID of the image at a height in mm."""
    heights = {str(i.SOPInstanceUID): float(i.ImagePositionPatient[2]) for i in map(read, case.series.iterdir())}
    return min(heights, key=lambda uid: abs(heights[uid] - height))


def assert_drawn(viewer: Viewer, points: list[tuple[float, float, float]]) -> None:
    """Both axes are lines of the window, end to end."""
    drawn = np.array(viewer.ask(LINES))
    start, end, left, right = np.array(viewer.ask(TO_CANVAS, points))
    for line in (np.concatenate([start, end]), np.concatenate([left, right])):
        assert len(drawn) and np.abs(drawn - line).max(axis=1).min() < 1


def test_the_report_of_measurements_shows_both_axes_in_their_slice(case: Case, viewer: Viewer) -> None:
    viewer.open("KidneySeg measurements")
    viewer.wait("document.querySelectorAll('.svg-layer line').length >= 2")
    first = findings_of(case)[0]
    assert slice_at(case, first.measures.axial_start_lps_mm[2]) in viewer.ask(SHOWN)
    assert_drawn(viewer, axes_of(first))
    previews = {tuple(np.round(a["points"][0], 2)) for a in viewer.ask(ANNOTATIONS, "DICOMSRDisplay")}
    assert previews == {tuple(np.round(axes_of(finding)[0], 2)) for finding in findings_of(case)}


def test_diameters_become_measurements_with_names_at_the_right_ends(case: Case, viewer: Viewer) -> None:
    viewer.open("KidneySeg diameters for viewers")
    viewer.confirm()
    viewer.wait(f"services.measurementService.getMeasurements().length >= {len(findings_of(case))}")
    found = viewer.ask(ANNOTATIONS, "Bidirectional")
    names = ["Right kidney", "Left kidney", "M1 Solid mass left", "C1 Cyst left", "C2 Cyst left"]
    assert [a["label"] for a in found] == [*names, "S1 Stone right", "S2 Stone left"]
    for annotation, finding in zip(found, findings_of(case), strict=True):
        np.testing.assert_allclose(annotation["points"], axes_of(finding), atol=2e-3)
        assert slice_at(case, finding.measures.axial_start_lps_mm[2]) in annotation["image"]
    shown = [
        m["primary"] for m in viewer.ask("() => services.measurementService.getMeasurements().map(m => m.displayText)")
    ]
    for (length, width), finding in zip(shown, findings_of(case), strict=True):
        assert float(length.split()[1]) == pytest.approx(finding.measures.axial_diameter_mm, abs=0.06)
        assert float(width.split()[1]) == pytest.approx(finding.measures.perpendicular_mm, abs=0.06)


def test_segments_have_names_and_lie_on_their_voxels(case: Case, viewer: Viewer) -> None:
    viewer.open("KidneySeg segmentation")
    viewer.confirm()
    viewer.wait("services.segmentationService.getSegmentations().length")
    segments = {s["number"]: s["label"] for s in viewer.ask(SEGMENTS)}
    names = ["Right kidney", "Left kidney", "M1 Solid mass left", "C1 Cyst left", "C2 Cyst left"]
    assert list(segments.values()) == [*names, "S1 Stone right", "S2 Stone left"]
    slices = {str(image.SOPInstanceUID): k for k, image in enumerate(_ascending(case))}
    seen = np.zeros_like(case.labels)
    structures = [0, 1, 2, 3, 4, 4, 5, 5]  # label of each segment's structure
    for entry in viewer.ask(SLICES):
        values = np.frombuffer(base64.b64decode(entry["values"]), np.uint8).reshape(entry["size"])
        (k,) = [k for uid, k in slices.items() if uid in entry["image"]]
        seen[k] = np.maximum(seen[k], np.take(structures, values))
    assert np.array_equal(seen, case.labels)


def test_segments_are_seen_in_their_colours(case: Case, viewer: Viewer) -> None:
    mass = case.findings.lesions[0]
    uid = slice_at(case, mass.measures.centroid_lps_mm[2])
    viewer.ask(
        """uid => { const view = cornerstone.getEnabledElements()[0].viewport;
            return view.setImageIdIndex(view.getImageIds().findIndex(id => id.includes(uid))); }""",
        uid,
    )
    viewer.page.wait_for_timeout(3000)
    inside, outside = viewer.ask(TO_CANVAS, [mass.measures.centroid_lps_mm, (0, -60, mass.measures.centroid_lps_mm[2])])
    box = viewer.page.locator(".cornerstone-viewport-element canvas").first.bounding_box()
    picture = np.array(Image.open(io.BytesIO(viewer.page.screenshot())).convert("RGB"), float)
    coloured, grey = (picture[round(box["y"] + y), round(box["x"] + x)] for x, y in (inside, outside))
    hue = colorsys.rgb_to_hsv(*(coloured / 255))[0]
    assert hue == pytest.approx(colorsys.rgb_to_hsv(*(np.array(BY_LABEL[3].colour) / 255))[0], abs=0.05)
    assert np.ptp(coloured) > 30 and np.ptp(grey) < 10


def _ascending(case: Case) -> list:
    return sorted(map(read, case.series.iterdir()), key=lambda image: float(image.ImagePositionPatient[2]))
