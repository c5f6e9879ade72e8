"""Arrays and tensors without the bridge between NumPy and PyTorch, as with PyTorch 2.2 beside NumPy 2."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from KidneySegLib.inference.arrays import array_of, tensor_of

# PyTorch looks for NumPy once. If it finds none at that time, its bridge is as broken as that of 2.2 beside NumPy 2.
WITHOUT_BRIDGE = """
import sys
class NoNumPy:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "numpy":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoNumPy())
import torch
try:
    torch.zeros(1).numpy()
except RuntimeError as error:
    assert "umpy is not available" in str(error), error
else:
    raise AssertionError("the bridge is there")
del sys.meta_path[0], torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported
from pathlib import Path
import numpy as np
import test_segmentation_pipeline as cases
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.exam import Exam
from KidneySegLib.inference.device import choose_device
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.segmentation import load
from KidneySegLib.segmentation.pipeline import segment_ct
from KidneySegLib.tasks.ct import CT
device = choose_device("cpu")
slices = load.load_model(find_bundle("ct-slice", "ct-slice"), device, ("slice",))
cut, _ = scan_probabilities(np.full((1, 64, 64), 40, np.int16), (1.0,) * 3, slices.predictors["slice"], lambda _: None)
assert np.isfinite(cut).all()
def bright(bundle, device, needed):
    members = (cases.Bright(),)
    return {s.name: Predictor(s, members, torch.device("cpu"), torch.float32) for s in bundle.stages}
load.load_predictors = bright
volume = cases.body(cases.RIGHT, cases.LEFT)
bundle = cases.made_bundle(Path("."), *cases.STAGES)
found = segment_ct(Exam(volume).volume, load.load_model(bundle, device, CT.stages), lambda *_: None)
print(sorted(np.unique(found.labels).tolist()))
"""


def test_arrays_and_tensors_share_their_memory():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensor = tensor_of(array)
    tensor[1, 2] = 50
    assert array[1, 2] == 50
    back = array_of(tensor.t())
    assert back.shape == (3, 2) and back[2, 1] == 50
    assert array_of(torch.tensor([True, False])).dtype == bool


def test_networks_run_without_the_bridge(tmp_path: Path) -> None:
    folder = Path(__file__).parent
    paths = [str(folder), str(folder.parent), str(folder.parents[2])]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths}\n{WITHOUT_BRIDGE}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.strip() == "[0, 1, 2]"
