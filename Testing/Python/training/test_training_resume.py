"""A killed run ends like one that was not; two processes learn what one does; nothing piles up."""

import csv
import gc
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from slice_cases import RECIPE as SLICE_RECIPE
from slice_cases import write_folder
from training_cases import RECIPE, write_exams

from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.metrics import Overlap
from KidneySegLib.training.cases import training_exams, validation_exams
from KidneySegLib.training.fitting import trainer as module
from KidneySegLib.training.fitting.curves import read_curves
from KidneySegLib.training.fitting.epochs import RunClock, duration, tensorboard_writer
from KidneySegLib.training.fitting.processes import own_share
from KidneySegLib.training.fitting.record import read_record
from KidneySegLib.training.fitting.trainer import Trainer
from KidneySegLib.training.recipe import read_recipe

ROOT = Path(__file__).resolve().parents[3]
SHORT = RECIPE.replace("steps_per_epoch = 20", 'steps_per_epoch = 4\nprecision = "float32"')
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
# writes the state after every step and says so: the parent kills it at a step that it chooses
CHILD = """
import sys, time
from pathlib import Path
import torch
from KidneySegLib.training.cases import training_exams, validation_exams
from KidneySegLib.training.fitting import trainer
from KidneySegLib.training.recipe import read_recipe
torch.set_num_threads(1)
trainer.CHECKPOINT_SECONDS = -1
data = Path(sys.argv[1])
recipe = read_recipe(data / "recipe.toml")
run = trainer.Trainer(recipe, data / "killed", torch.device("cpu"))
exams = training_exams(recipe, data, data / "cache"), validation_exams(recipe, data, data / "cache")
def tell(stage, share, message):
    print("step", run.learner.step, flush=True)
    if run.learner.step == 6:
        time.sleep(600)
run.run(*exams, progress=tell)
"""


@pytest.fixture
def data(tmp_path):
    write_exams(tmp_path)
    (tmp_path / "recipe.toml").write_text(SHORT)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


def train(data, run, **options):
    recipe = read_recipe(data / "recipe.toml")
    trainer = Trainer(recipe, data / run, torch.device("cpu"))
    exams = training_exams(recipe, data, data / "cache"), validation_exams(recipe, data, data / "cache")
    return trainer, trainer.run(*exams, **options)


def weights(trainer):
    return [*trainer.learner.network.parameters(), *trainer.learner.average.parameters()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_ends_like_one_that_was_not(data):
    whole, _ = train(data, "whole")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(data)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    for line in child.stdout:
        if line.split() == ["step", "6"]:  # within the second epoch
            child.send_signal(signal.SIGKILL)
            break
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    state = torch.load(data / "killed/checkpoint.pt", weights_only=True)
    assert state["step"] == 5  # what was learnt after the last checkpoint is lost, and learnt again
    resumed, finished = train(data, "killed")
    assert finished and resumed.learner.step == 8
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    for name in ("curves.csv", "validation.csv"):
        assert (data / "killed" / name).read_text() == (data / "whole" / name).read_text()
    best = [torch.load(data / run / "best.pt", weights_only=True) for run in ("whole", "killed")]
    assert all(torch.equal(best[0][name], best[1][name]) for name in best[0])


@pytest.mark.parametrize("fault", ["another network", "cut"])
def test_a_run_that_cannot_be_continued_is_one_sentence(data, fault):
    recipe, run = read_recipe(data / "recipe.toml"), data / "run"
    Trainer(recipe, run, torch.device("cpu")).learner.save()
    Trainer(recipe, run, torch.device("cpu"))
    if fault == "cut":
        (run / "checkpoint.pt").write_bytes((run / "checkpoint.pt").read_bytes()[:3000])
    else:
        (data / "other.toml").write_text(SHORT.replace("filters = [4, 8, 8]", "filters = [4, 8, 16]"))
        recipe = read_recipe(data / "other.toml")
    with pytest.raises(InputError, match="another network or optimiser, or its checkpoint is damaged"):
        Trainer(recipe, run, torch.device("cpu"))


def test_a_run_stops_when_no_epoch_gets_better(data, monkeypatch):
    (data / "recipe.toml").write_text(SHORT.replace("epochs = 2", "epochs = 9\nstop_after = 2"))
    monkeypatch.setattr(module, "summary", lambda scores, plan: Overlap(0.5, 0.4, 0.3))
    trainer, finished = train(data, "run")
    assert finished and trainer.epoch == 3  # the first was the best, two more were waited for
    record = read_record(data / "run")
    assert record.stopped_early and record.epoch == 3 and record.exams == record.patients == 1 and record.seconds > 0
    again, finished = train(data, "run")
    assert finished and again.epoch == 3


def test_progress_tells_the_time_that_is_left(data):
    told = []
    train(data, "run", progress=lambda stage, share, message: told.append((share, message)))
    assert told[-1][0] == 1.0 and "0 s left" in told[-1][1]
    assert told[0][1].startswith("Epoch 1 of 2, loss ") and sorted(told, key=lambda t: t[0]) == told
    assert duration(7_400) == "2 h 3 min" and duration(float("inf")) == "unknown time"
    assert RunClock(100.0, 0, 10).seconds >= 100


def test_nothing_piles_up_over_epochs(data):
    """Objects are counted after each epoch, not seconds or bytes of a machine."""
    (data / "recipe.toml").write_text(SHORT.replace("epochs = 2", "epochs = 5"))
    counts = []

    def count(epoch, values):
        gc.collect()
        counts.append(sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects()))

    trainer, _ = train(data, "run", writer=count)
    assert len(counts) == 5 and counts[1] == counts[4]
    assert trainer.learner.losses == []


def test_two_processes_learn_what_one_does(data):
    # Slices, since of volumes a smaller batch may be trimmed further. The cross-entropy of a batch is the mean of its
    # halves'; a Dice of the whole batch is not.
    for name in ("train", "validation"):
        write_folder(data / name, patients=2)
    text = SLICE_RECIPE.replace("steps_per_epoch = 24", 'steps_per_epoch = 4\nprecision = "float32"')
    text = text.replace("epochs = 3", "epochs = 2").replace("[schedule]", "[loss]\ndice = 0.0\n[schedule]")
    (data / "recipe.toml").write_text(text)
    alone, _ = train(data, "alone")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "KidneySegLib", "train", str(data / "recipe.toml"), "--data", str(data)]
    command += ["-o", str(data / "together"), "--device", "cpu", "--threads", "1"]
    both = {**ENVIRONMENT, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    children = [
        subprocess.Popen(
            command,
            env={**both, "RANK": str(n), "LOCAL_RANK": str(n)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for n in range(2)
    ]
    try:
        outputs = [child.communicate()[0].decode() for child in children]
    finally:
        for child in children:
            child.kill()
    assert [child.returncode for child in children] == [0, 0], outputs
    assert "Epoch 2 of 2" in outputs[0] and "Epoch" not in outputs[1]
    assert read_record(data / "together").processes == 2
    state = torch.load(data / "together/checkpoint.pt", weights_only=True)
    # Adam makes rounding larger where a gradient is close to 0. A step moves a weight by up to 2e-2: gradients of one
    # half of the batch alone would show.
    for name, value in alone.learner.network.state_dict().items():
        assert torch.allclose(value, state["network"][name], atol=2e-3), name
    with (data / "together/curves.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(read_curves(data / "alone")) == 2


def test_a_batch_is_divided_evenly_or_not_at_all(monkeypatch):
    monkeypatch.setattr("KidneySegLib.training.fitting.processes.count", lambda: 2)
    monkeypatch.setattr("KidneySegLib.training.fitting.processes.rank", lambda: 1)
    assert own_share(1, 3, 4) == [6, 7, 10, 11]
    with pytest.raises(InputError, match="batch of 3"):
        own_share(0, 2, 3)


def test_tensorboard_has_the_numbers_of_the_epochs(data):
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    writer = tensorboard_writer(data)
    writer(1, {"Dice": 0.5, "loss": float("nan")})
    events = EventAccumulator(str(data / "tensorboard")).Reload()
    assert events.Tags()["scalars"] == ["Dice"]
    assert [(e.step, e.value) for e in events.Scalars("Dice")] == [(1, 0.5)]


def test_tensorboard_that_is_missing_is_told(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match="TensorBoard is not installed"):
        tensorboard_writer(data)
