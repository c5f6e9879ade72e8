"""``kidneyseg evaluate --task ct-slice``: the 2D pipeline on folders of slices with reference masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from KidneySegLib.errors import InputError, OutputError


def evaluate_slices(folders: Sequence[Path], output: Path, *, model: str | None = None, device: str = "auto") -> None:
    """Runs the 2D pipeline on all slices and prints the paper's table; writes it with a list, boxes and pictures.

    Args:
        folders: each with ``slices.json``, ``images``, ``kidneys`` and ``stones`` (see ``training.slices``).
        output: for ``slices.md``, ``slices.csv``, ``boxes.png`` and ``comparison.png``.
        model: bundle by name or folder; None takes the shipped one.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        InputError: a folder is no folder of slices, or a file is missing.
        BundleError: the model cannot be used.
        OutputError: the files cannot be written.
    """
    from KidneySegLib.bundles.catalogue import find_bundle
    from KidneySegLib.bundles.rules import CtSliceRules
    from KidneySegLib.datasets.slices import LIST
    from KidneySegLib.evaluation.slices import evaluate_folder, write_evaluation
    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.segmentation.load import load_predictors, rules_for
    from KidneySegLib.segmentation.slices.pipeline import STAGE

    missing = [folder for folder in folders if not (folder / LIST).is_file()]
    if missing:
        raise InputError(f"Each folder of slices needs {LIST} beside images, kidneys and stones.")
    bundle = find_bundle(model, "ct-slice")
    rules = rules_for(bundle, CtSliceRules).slice
    predictor = load_predictors(bundle, choose_device(device), [STAGE])[STAGE]
    results = [result for folder in folders for result in evaluate_folder(folder, predictor, rules)]
    try:
        text = write_evaluation(output, results)
    except OSError as error:
        raise OutputError("The evaluation could not be written. Choose another output folder.") from error
    typer.echo(text)
