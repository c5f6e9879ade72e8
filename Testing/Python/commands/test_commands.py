"""The command line as front ends use it: a child process, its output, its exit code and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bundle_cases import made_bundle

from KidneySegLib.bundles.bundle import write_bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.commands.app import main
from KidneySegLib.findings import Findings
from KidneySegLib.flags import Flag, flags_as_json
from KidneySegLib.networks.factory import build_network, parameters
from KidneySegLib.result_files.names import RESULT_FILES

ROOT = Path(__file__).resolve().parents[3]
PLAN = NetworkPlan("unet3d", (4, 8, 8), ("kidney",))


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A folder with one untrained bundle: the way through the engine matters here, not what it finds."""
    folder = tmp_path_factory.mktemp("models")
    stages = tuple(
        StagePlan(name, PLAN, (spacing,) * 3, (-160.0, 340.0), (32, 32, 32))
        for name, spacing in (("locator", 8.0), ("kidney", 6.0))
    )
    bundle = made_bundle(folder / "tiny", *stages)
    write_bundle(bundle, {stage.name: parameters(build_network(stage.network)) for stage in stages})
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    rng = np.random.default_rng(0)
    picture = sitk.GetImageFromArray(rng.normal(0, 300, (30, 80, 80)).astype(np.int16))
    picture.SetSpacing((4.0, 4.0, 5.0))
    path = tmp_path_factory.mktemp("image") / "scan.nii.gz"
    sitk.WriteImage(picture, str(path))
    return path


def start(models: Path, *arguments: object) -> subprocess.Popen:
    environment = {**os.environ, "KIDNEYSEG_MODELS": str(models)}
    environment.pop("KIDNEYSEG_DEBUG", None)
    command = [sys.executable, "-m", "KidneySegLib", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(models: Path, *arguments: object) -> tuple[int, str, str]:
    process = start(models, *arguments)
    out, err = process.communicate(timeout=280)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("language", "progress", "complaint"),
    [
        ("es", "Leyendo las imágenes", "Todos los vóxeles de la imagen tienen el mismo valor"),
        ("tr", "Görüntüler okunuyor", "Görüntünün tüm vokselleri aynı değerde"),
        ("de", "Reading the images", "All voxels of the image have the same value"),
    ],
)
def test_progress_and_errors_are_in_the_language_that_the_environment_names(
    models, tmp_path, monkeypatch, language, progress, complaint
):
    sitk.WriteImage(sitk.GetImageFromArray(np.full((30, 40, 40), 7, np.int16)), str(tmp_path / "grey.nii.gz"))
    monkeypatch.setenv("KIDNEYSEG_LANGUAGE", language)
    code, out, err = run(models, "segment", tmp_path / "grey.nii.gz", "-o", tmp_path / "out", "--progress", "json")
    assert code == 3 and err.startswith(f"kidneyseg: {complaint}")
    assert json.loads(out.splitlines()[0])["message"] == progress


def test_json_progress_rises_to_one_and_all_files_are_there(models, image, tmp_path):
    output = tmp_path / "out"
    code, out, err = run(models, "segment", image, "-o", output, "--model", "tiny", "--progress", "json")
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert all(set(line) == {"stage", "fraction", "message"} for line in lines)
    fractions = [line["fraction"] for line in lines]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert sorted(p.name for p in output.iterdir()) == sorted(RESULT_FILES)
    findings = json.loads((output / "findings.json").read_text())
    assert findings["provenance"]["bundles"][0]["name"] == "tiny"
    assert set(findings["provenance"]["seconds"]) >= {"read", "load", "locate", "kidneys", "measure"}
    labels = sitk.ReadImage(str(output / "labels.nii.gz"))
    scan = sitk.ReadImage(str(image))
    assert labels.GetSize() == scan.GetSize()
    assert np.allclose(labels.GetSpacing(), scan.GetSpacing()) and np.allclose(labels.GetOrigin(), scan.GetOrigin())


def test_flags_of_an_earlier_step_stand_in_the_result(models, image, tmp_path):
    flag = Flag.of("several_studies", count=2)
    (tmp_path / "choice.json").write_text(flags_as_json([flag]))
    arguments = ("segment", image, "--model", "tiny", "--progress", "none", "--flags", tmp_path / "choice.json")
    assert run(models, *arguments, "-o", tmp_path / "out")[0] == 0
    assert Findings.from_json((tmp_path / "out" / "findings.json").read_text()).flags[0] == flag
    for content in ("{}", "[1]", '[{"code": "a"}]', "no JSON"):
        (tmp_path / "choice.json").write_text(content)
        code, _, err = run(models, *arguments, "-o", tmp_path / "none")
        assert code == 3 and "--flags" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["segment", "nowhere", "-o", "out", "--model", "tiny"], 3, "does not exist"),
        (["segment", "IMAGE", "-o", "out", "--model", "none"], 4, "no model bundle"),
        (["segment", "IMAGE", "-o", "out", "--model", "tiny", "--device", "abacus"], 5, "Use auto, cpu"),
        (["segment", "IMAGE", "-o", "IMAGE", "--model", "tiny"], 6, "Choose another name"),
        (["segment", "IMAGE"], 2, "output"),
        (["train", "no-recipe", "--data", ".", "-o", "out"], 3, "recipe"),
        (["evaluate", ".", "-o", "out"], 3, "image.nii.gz"),
    ],
)
def test_what_goes_wrong_is_said_in_one_sentence(models, image, tmp_path, monkeypatch, arguments, code, word):
    monkeypatch.chdir(tmp_path)
    found, out, err = run(models, *(image if a == "IMAGE" else a for a in arguments))
    assert found == code, err
    assert word in err
    assert "Traceback" not in err + out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_and_leaves_nothing(models, image, tmp_path, number, code):
    process = start(models, "segment", image, "-o", tmp_path / "out", "--model", "tiny", "--progress", "json")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["stage"] == "locate":
            process.send_signal(number)
            break
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Stopped" in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["segment", "sample"])
def test_a_run_whose_progress_nobody_reads_stops_and_leaves_nothing(models, image, tmp_path, command):
    what = (image, "-o", tmp_path / "out", "--model", "tiny") if command == "segment" else (tmp_path,)
    process = start(models, command, *what, "--progress", "json")
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["fraction"] == 0
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 130
    assert "nobody reads the progress" in err and len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_models_lists_verifies_and_reports_damage(models, tmp_path):
    code, out, _ = run(models, "models")
    assert "tiny: ct, version 0.1" in out and "verified" in out
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "bundle.json").write_text("{}")
    code, out, _ = run(tmp_path, "models")
    assert code == 4 and "broken: NOT USABLE" in out


def test_version_is_printed(models):
    from KidneySegLib import __version__

    assert run(models, "--version")[:2] == (0, f"{__version__}\n")


def test_training_without_its_packages_says_what_to_install(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "sys.modules['monai'] = None\n"  # an import of it now raises ModuleNotFoundError
        "from KidneySegLib.commands.app import main\n"
        "sys.argv = ['kidneyseg', 'train', 'ct-kidney', *sys.argv[1:]]\n"
        "main()\n"
    )
    folders = ["--data", str(tmp_path), "--output", str(tmp_path / "run")]
    run = subprocess.run([sys.executable, "-c", script, *folders], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.strip().endswith("pip install -e '.[train]'")


LONG = 300 * "a"


@pytest.mark.parametrize(
    "arguments",
    [
        ("segment", f"{LONG}.png", "--task", "ultrasound", "--output", "out"),
        ("measure", LONG, "labels.nii.gz", "--output", "out"),
        ("report", LONG, "--image", "scan.nii.gz"),
        ("sample", LONG, "--progress", "none"),
    ],
)
def test_a_name_that_is_too_long_is_one_sentence(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kidneyseg", *arguments])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert end.value.code in (3, 6) and ("longer than" in said or "too long" in said) and "unexpected" not in said
