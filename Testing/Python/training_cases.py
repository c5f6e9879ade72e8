"""A made exam and a short recipe for tests of training."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

RECIPE = """
task = "ct"
[stage]
name = "kidney"
spacing = [4.0, 4.0, 4.0]
window = [-160.0, 340.0]
patch = [16, 16, 16]
network = { architecture = "unet3d", filters = [4, 8, 8], outputs = ["kidney"] }
[data]
train = ["train/one"]
validation = ["validation/two"]
[optimiser]
learning_rate = 1e-2
[schedule]
epochs = 2
steps_per_epoch = 20
warm_up = 3
average = 0.9
[sampling]
on_kidney = 1.0
jitter_mm = [5.0, 5.0, 5.0]
mirror = "left"
[augmentation.spatial]
[augmentation.contrast]
[augmentation.kernel]
[augmentation.noise]
[augmentation.field_of_view]
[validation]
boxes = true
[folds]
count = 2
"""


def write_exams(folder: Path) -> None:
    """Writes the exams that ``RECIPE`` names: two ellipsoids of 35 HU in fat, 3 x 3 x 4 mm."""
    for name in ("train/one", "validation/two"):
        exam = folder / name
        exam.mkdir(parents=True)
        k, j, i = np.meshgrid(*map(np.arange, (16, 40, 60)), indexing="ij")
        labels = np.zeros(k.shape, np.uint8)
        for value, column in ((1, 15), (2, 45)):
            labels[((k - 8) / 5) ** 2 + ((j - 20) / 7) ** 2 + ((i - column) / 7) ** 2 < 1] = value
        image = np.where(labels > 0, 35, -100).astype(np.int16)
        for file, array in (("image", image), ("mask", labels)):
            picture = sitk.GetImageFromArray(array)
            picture.SetSpacing((3.0, 3.0, 4.0))
            sitk.WriteImage(picture, str(exam / f"{file}.nii.gz"))
