"""``kidneyseg evaluate``: the whole engine against reference masks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from KidneySegLib.errors import InputError, OutputError

if TYPE_CHECKING:
    from KidneySegLib.evaluation.volumes import Evaluation, ExamResult


def evaluate(
    exams: Annotated[
        list[Path],
        typer.Argument(
            help="Folders with image.nii.gz and, if kidneys are in view, mask.nii.gz; or folders of these. ct-slice: "
            "folders with slices.json"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables and results")],
    task: Annotated[str, typer.Option(help="ct: the engine on exams; ct-slice: the 2D pipeline on slices")] = "ct",
    model: Annotated[str | None, typer.Option(help="Bundle by name or folder; default: the shipped one")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Draw every missed and every false lesion and stone")
    ] = False,
) -> None:
    """Runs the engine on exams with reference masks and prints the agreement as Markdown tables.

    Per kidney (as an organ: together with its masses, cysts and stones), per class, and lesion by lesion.
    """
    if task == "ct-slice":
        if pictures:
            raise InputError(
                "--pictures belongs to exams; --task ct-slice draws its comparison without it. Leave it out."
            )
        from KidneySegLib.commands.evaluate_slices import evaluate_slices

        evaluate_slices(exams, output, model=model, device=device)
        return
    from KidneySegLib.evaluation.tables import ORGAN_HEADER, ScoreTable, make_tables, organ_rows

    kidneys = ScoreTable("", "", "", (*ORGAN_HEADER, "seconds"), [])
    typer.echo(kidneys.lines(), nl=False)

    def tell(exam: ExamResult, seconds: float) -> None:
        for row in organ_rows(exam):
            typer.echo(f"| {' | '.join(kidneys.cells((*row, f'{seconds:.1f}')))} |")

    evaluation = evaluate_exams(exams, output, model=model, device=device, pictures=pictures, tell=tell)
    for table in make_tables(evaluation)[0][1:]:
        typer.echo(f"\n{table.markdown()}", nl=False)


def evaluate_exams(
    exams: Sequence[Path],
    output: Path,
    *,
    model: str | None = None,
    device: str = "auto",
    pictures: bool = False,
    tell: Callable[[ExamResult, float], None] = lambda exam, seconds: None,
) -> Evaluation:
    """Runs the engine on exams with reference masks and compares what it found.

    Args:
        exams: folders with ``image.nii.gz`` and, if kidneys are in view, ``mask.nii.gz``; or folders of these.
        output: receives the engine's results in one folder per exam, the tables as CSV and ``evaluation.md``.
        model: bundle by name or folder; None takes the shipped one.
        device: see ``segmentation.device.choose_device``.
        pictures: whether to draw every missed and every false lesion into ``output/pictures``.
        tell: called after each exam with its result and the seconds that it took.

    Raises:
        InputError: no exam was found, two have the same name, or one cannot be used.
        BundleError: the model cannot be used.
        ResourceError: device or memory do not suffice.
        OutputError: the results cannot be written.
    """
    from KidneySegLib.evaluation.tables import write_tables
    from KidneySegLib.evaluation.volumes import Evaluation

    results = []
    for folder in _exam_folders(exams):
        start = time.perf_counter()
        results.append(_evaluate_exam(folder, output, model, device, pictures))
        tell(results[-1], time.perf_counter() - start)
    evaluation = Evaluation(tuple(results))
    try:
        write_tables(output, evaluation)
    except OSError as error:
        raise OutputError("The tables could not be written. Check that the disk has space left.") from error
    return evaluation


def _exam_folders(paths: Sequence[Path]) -> list[Path]:
    """Takes exam folders, or folders of exam folders."""
    folders = []
    for path in paths:
        if (path / "image.nii.gz").is_file():
            folders.append(path)
        else:
            folders += sorted(p.parent for p in path.glob("*/image.nii.gz"))
    if not folders:
        raise InputError("No exam was found: a folder with image.nii.gz (and mask.nii.gz) is needed.")
    twice = [name for name, count in Counter(folder.name for folder in folders).items() if count > 1]
    if twice:
        raise InputError(f"Several exam folders are called '{twice[0]}'. Give each exam once, under a name of its own.")
    return folders


def _evaluate_exam(folder: Path, output: Path, model: str | None, device: str, pictures: bool) -> ExamResult:
    from KidneySegLib.commands.evaluation_pictures import write_pictures
    from KidneySegLib.datasets.exams import read_exam
    from KidneySegLib.evaluation.volumes import evaluate_labels
    from KidneySegLib.tasks.run import run

    result = run("ct", folder / "image.nii.gz", device=device, model=model)
    result.write(output / folder.name)
    image, labels = read_exam(folder)
    image, reference = image.canonical(), labels.canonical().voxels
    found = result.segmentation.labels
    evaluated = evaluate_labels(folder.name, image, found, reference)
    if pictures:
        write_pictures(output / "pictures", image, found, reference, evaluated.lesions)
    return evaluated
