import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.volume import Volume, read_image

ORIENTATIONS = [
    (permutation, signs)
    for permutation in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def oriented(permutation: tuple[int, ...], signs: tuple[int, ...], tilt: float = 0.0) -> Volume:
    """A small volume whose grid axes i, j, k run along the given signed patient axes, optionally oblique."""
    rng = np.random.default_rng(3)
    matrix = np.eye(4)
    for column, (axis, sign, spacing) in enumerate(zip(permutation, signs, (0.7, 0.9, 2.5), strict=True)):
        matrix[:3, column] = np.eye(3)[axis] * sign * spacing
    turn = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    matrix[:3, :3] = turn @ matrix[:3, :3]
    matrix[:3, 3] = (12.5, -40, 300)
    return Volume(rng.integers(-1000, 1000, (3, 4, 5)).astype(np.int16), matrix)


@pytest.mark.parametrize(("permutation", "signs"), ORIENTATIONS)
@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_canonical_keeps_every_voxel_in_its_place(permutation, signs, tilt):
    volume = oriented(permutation, signs, tilt)
    canonical = volume.canonical()
    assert np.all(np.diag(canonical.direction) > 0.9)
    for index in itertools.product(*map(range, volume.voxels.shape)):
        there = np.rint(canonical.to_kji(volume.to_lps(np.array(index)))).astype(int)
        assert canonical.voxels[tuple(there)] == volume.voxels[index]
    assert np.array_equal(volume.axis_order().invert(canonical.voxels), volume.voxels)


def test_points_go_there_and_back():
    volume = oriented((1, 0, 2), (-1, 1, -1), 0.2)
    points = np.random.default_rng(0).uniform(-50, 50, (7, 3))
    assert np.allclose(volume.to_lps(volume.to_kji(points)), points)
    assert np.allclose(volume.to_lps(np.zeros(3)), volume.origin)


def test_crop_moves_the_origin():
    volume = oriented((0, 1, 2), (1, 1, 1))
    part = volume.crop((slice(1, 3), slice(2, 4), slice(3, 5)))
    assert np.allclose(part.origin, volume.to_lps(np.array([1, 2, 3])))
    assert part.voxels[0, 0, 0] == volume.voxels[1, 2, 3]


def test_spacing_and_voxel_volume_of_a_sheared_grid():
    matrix = np.diag([1.0, 1.0, 3.0, 1.0])
    matrix[1, 2] = 1.0
    volume = Volume(np.zeros((2, 2, 2), np.int16), matrix)
    assert volume.is_sheared
    assert volume.voxel_volume == pytest.approx(3.0)
    assert volume.spacing == pytest.approx((1.0, 1.0, np.sqrt(10.0)))
    with pytest.raises(GeometryError, match="sheared"):
        volume.to_image()


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_image_files_round_trip(tmp_path, suffix):
    import SimpleITK as sitk

    volume = oriented((2, 0, 1), (1, -1, 1), 0.1)
    sitk.WriteImage(volume.to_image(), str(tmp_path / f"image{suffix}"))
    back = read_image(tmp_path / f"image{suffix}")
    assert np.array_equal(back.voxels, volume.voxels)
    assert np.allclose(back.ijk_to_lps, volume.ijk_to_lps, atol=1e-4)


def test_what_is_no_volume_is_refused(tmp_path):
    with pytest.raises(GeometryError):
        Volume(np.zeros((2, 2)), np.eye(4))
    with pytest.raises(GeometryError):
        Volume(np.zeros((2, 2, 2)), np.diag([1.0, 0.0, 1.0, 1.0]))
    with pytest.raises(InputError, match="does not exist"):
        read_image(tmp_path / "none.nrrd")
    (tmp_path / "bad.nrrd").write_bytes(b"not an image")
    with pytest.raises(InputError, match="cannot be read"):
        read_image(tmp_path / "bad.nrrd")


def test_itk_gets_names_of_plain_letters_where_the_folder_has_others(tmp_path, monkeypatch):
    """On Windows ITK opens no file whose name it is given in other letters."""
    folder = tmp_path / "Ünsal İş"
    folder.mkdir()
    volume = oriented((0, 1, 2), (1, 1, 1))
    monkeypatch.chdir(folder)
    sitk.WriteImage(volume.to_image(), "image.nrrd")
    names = []
    read = sitk.ReadImage
    monkeypatch.setattr(sitk, "ReadImage", lambda name: names.append(name) or read(name))
    assert np.array_equal(read_image(folder / "image.nrrd").voxels, volume.voxels)
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(read_image(folder / "image.nrrd").voxels, volume.voxels), "there is no better name"
    assert names == ["image.nrrd", str(folder / "image.nrrd")]
