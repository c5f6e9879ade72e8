"""Pictures that Slicer's displayable managers draw without a screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]
pytestmark = pytest.mark.usefixtures("drawing")


@pytest.fixture
def kidney(host) -> Any:
    """A cube of 20 mm in the patient's left half, red, in a grey volume."""
    import slicer
    import slicer.util

    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[:3, 3] = (50.0, 50.0, -30.0)
    array = np.full((60, 100, 100), 100, np.int16)
    array[:, :, :10] = 0
    volume = slicer.util.addVolumeFromArray(array, affine, "CT")
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(200, 100)
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    mask = np.zeros(array.shape, np.uint8)
    mask[20:40, 40:60, 70:90] = 1
    identifier = node.GetSegmentation().AddEmptySegment("left", "left kidney", [1.0, 0.0, 0.0])
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, identifier, volume)
    slicer.util.setSliceViewerLayers(background=volume)
    return node


def red(picture: np.ndarray) -> np.ndarray:
    """Returns the (row, column) of the red pixels."""
    values = picture.astype(int)
    return np.argwhere(values[..., 0] > values[..., 1:].max(axis=-1) + 40)


def test_a_slice_shows_the_segment_on_the_patients_left(kidney, tmp_path: Path) -> None:
    from SlicerHost.pictures import slicePicture

    path = tmp_path / "slice.png"
    picture = slicePicture(path, "Red", offset=0.0, size=(300, 300))
    found = red(picture)
    # 20 of 100 mm in a picture of 300 pixels; the patient's left is on the picture's right
    assert np.ptp(found, axis=0) == pytest.approx([60, 60], abs=5)
    assert found[:, 1].mean() > 200
    assert np.array_equal(np.asarray(Image.open(path).convert("RGB")), picture)
    assert len(red(slicePicture(view="Red", offset=-25.0, size=(300, 300)))) == 0


def test_a_fill_lets_the_image_through(kidney) -> None:
    from SlicerHost.pictures import slicePicture

    kidney.GetDisplayNode().SetOpacity2DFill(0.25)
    picture = slicePicture(view="Red", offset=0.0, size=(300, 300)).astype(float)
    row, column = red(picture).mean(axis=0).round().astype(int)
    assert picture[row, column] == pytest.approx([127 + 0.25 * 128, 0.75 * 127, 0.75 * 127], abs=4)


def test_a_hidden_segment_is_not_drawn(kidney) -> None:
    from SlicerHost.pictures import slicePicture

    kidney.GetDisplayNode().SetSegmentVisibility("left", False)
    assert len(red(slicePicture(view="Red", offset=0.0))) == 0


def test_the_3d_view_shows_the_closed_surface(kidney) -> None:
    from SlicerHost.pictures import threeDPicture

    assert len(red(threeDPicture(size=(200, 200)))) == 0
    kidney.CreateClosedSurfaceRepresentation()
    found = red(threeDPicture(size=(200, 200)))
    assert len(found) > 5000
    assert found.mean(axis=0) == pytest.approx([100, 100], abs=8)


def test_an_empty_view_is_black(host) -> None:
    from SlicerHost.pictures import slicePicture

    assert slicePicture(view="Yellow", size=(50, 60)).shape == (60, 50, 3)
    assert slicePicture(view="Yellow").max() == 0
