"""``kidneyseg evaluate``: a task against references, for volumes and slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from KidneySegLib.errors import BundleError, InputError, OutputError
from KidneySegLib.structures import Numbering

if TYPE_CHECKING:
    from KidneySegLib.evaluation.evaluate import CaseResult
    from KidneySegLib.evaluation.found import Finder
    from KidneySegLib.evaluation.page.claim import Study
    from KidneySegLib.evaluation.tables import ScoreTable

_PROGRESS = ("case", "Dice", "IoU", "seconds")
# Slices in the side-by-side picture, from the worst to the best.
_SHOWN = 8


def evaluate(
    exams: Annotated[
        list[Path],
        typer.Argument(
            help="ct: folders with image.nii.gz and, if kidneys are in view, mask.nii.gz; or folders of these. "
            "ct-slice: folders with slices.json; ultrasound: folders with frames.json"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables, pictures and results")],
    task: Annotated[str, typer.Option(help="Task that the references belong to; see 'kidneyseg models'")] = "ct",
    model: Annotated[str | None, typer.Option(help="Name or folder of a bundle; default: the shipped one")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Draw every missed and every false lesion and stone of volumes")
    ] = False,
    found: Annotated[
        Path | None,
        typer.Option(help="Folder of results or label maps, called after the exams: they are compared, nothing is run"),
    ] = None,
    numbering: Annotated[Numbering, typer.Option(help="Numbering of the labels in the label maps of --found")] = (
        Numbering.KIDNEYSEG
    ),
    page: Annotated[
        bool, typer.Option("--page", help="Write evaluation.html, and the papers' tables as CSV, Markdown and LaTeX")
    ] = False,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Output of an earlier evaluation with --page to compare with on the page; repeatable"),
    ] = None,
    guard: Annotated[
        Path | None,
        typer.Option(
            help="Output of the evaluation (--page) of the model in use: one that is worse on them is refused"
        ),
    ] = None,
    training: Annotated[
        Path | None, typer.Option(help="Run folder of the training: the page then has its seconds")
    ] = None,
) -> None:
    """Compares what a task finds in exams with references, or what is there already, and prints Markdown tables.

    Of all cases Dice and IoU, mean ± sd; of volumes also per kidney (as an organ: together with its masses, cysts and
    stones), per class, and lesion by lesion.
    """

    def line(*cells: str) -> None:
        typer.echo(f"| {' | '.join(cells)} |")

    line(*_PROGRESS)
    line(*("---" for _ in _PROGRESS))

    def tell(case: CaseResult) -> None:
        values = ("", "") if case.overlap is None else (f"{case.overlap.dice:.3f}", f"{case.overlap.iou:.3f}")
        line(case.name, *values, "" if case.seconds is None else f"{case.seconds:.1f}")

    if (against or training) and not page:
        raise InputError("--against and --training are for the page. Add --page.")
    finder = None
    if found is not None:
        from KidneySegLib.evaluation.found import stored

        finder = stored(found, task, numbering)
    results, tables = evaluate_exams(
        exams, output, task=task, model=model, device=device, pictures=pictures, tell=tell, finder=finder
    )
    for table in tables:
        typer.echo(f"\n{table.markdown()}", nl=False)
    if page:
        from KidneySegLib.training.fitting.record import read_record

        seconds = None if training is None else read_record(training).seconds
        study = _study(task, None if found else model, found, results, device)
        path = _write_page(output, results, study, against or [], seconds)
        typer.echo(f"\nThe page is {path}.")
    if guard is not None:
        from KidneySegLib.evaluation.page.comparison import losses

        worse = losses(results, guard)
        if worse:
            raise BundleError(f"The model is worse than the one in use: {'; '.join(worse)} (mean Dice). Keep that one.")
        typer.echo("\nThe model is not worse than the one in use.")


def _study(task: str, model: str | None, found: Path | None, results: Sequence[CaseResult], device: str) -> Study:
    from KidneySegLib.bundles.catalogue import find_bundle
    from KidneySegLib.evaluation.page.claim import Study
    from KidneySegLib.inference.device import choose_device

    name, ran_on = "given label maps", ""
    if found is None:
        bundle = find_bundle(model, task)
        name, ran_on = f"{bundle.name} {bundle.version} ({bundle.sha256[:12]})", choose_device(device).name
    return Study(task, name, len(results), len({result.patient for result in results}), ran_on)


def _write_page(
    output: Path, results: Sequence[CaseResult], study: Study, others: Sequence[Path], seconds: float | None
) -> Path:
    from KidneySegLib.evaluation.page.page import write_page

    try:
        return write_page(output, results, study, others=others, training_seconds=seconds)
    except OSError as error:
        raise OutputError("The page could not be written. Check that the disk has space left.") from error


def evaluate_exams(
    exams: Sequence[Path],
    output: Path,
    *,
    task: str = "ct",
    model: str | None = None,
    device: str = "auto",
    pictures: bool = False,
    tell: Callable[[CaseResult], None] = lambda _: None,
    finder: Finder | None = None,
) -> tuple[list[CaseResult], list[ScoreTable]]:
    """Runs a task on exams with references and compares what it found.

    Args:
        exams: folders; what they hold is for the task to say (see ``evaluation.cases``).
        output: receives the results in one folder per case, the tables as CSV, ``evaluation.md``, ``boxes.png`` and
            ``comparison.png``.
        task: by name.
        model: bundle by name or folder; None takes the shipped one.
        device: see ``inference.device.choose_device``.
        pictures: whether to draw every missed and every false lesion into ``output/pictures``.
        tell: called after each case.
        finder: gives what was found already; see ``evaluation.found.stored``.

    Returns:
        The results, and the tables for reading.

    Raises:
        InputError: no exam was found, two have the same name, or one cannot be used.
        BundleError: the model cannot be used.
        ResourceError: device or memory do not suffice.
        OutputError: the results cannot be written.
    """
    from KidneySegLib.commands.evaluation_pictures import write_pictures
    from KidneySegLib.evaluation.cases import find_cases
    from KidneySegLib.evaluation.evaluate import evaluate as run
    from KidneySegLib.evaluation.frames import frame_files, frame_pages
    from KidneySegLib.evaluation.overlap_tables import overlap_files, overlap_pages
    from KidneySegLib.evaluation.tables import make_tables, write_tables
    from KidneySegLib.evaluation.volumes import Evaluation

    results: list[CaseResult] = []
    cases = find_cases(task, exams)
    for case, found, reference in run(task, cases, model=model, device=device, output=output, finder=finder):
        if pictures and case.exam is not None and reference is not None:
            volume, lesions = found.exam.volume, case.exam.lesions
            write_pictures(output / "pictures", volume, found.labels, reference, lesions)
        results.append(case)
        tell(case)
    frames = [case.frame for case in results if case.frame is not None]
    pages, files = overlap_pages(results) + frame_pages(frames), overlap_files(results) + frame_files(frames)
    volumes = tuple(case.exam for case in results if case.exam is not None)
    if volumes:
        for tables, more in zip((pages, files), make_tables(Evaluation(volumes)), strict=True):
            tables += more
    try:
        write_tables(output, pages, files)
        _draw(output, results)
    except OSError as error:
        raise OutputError("The tables could not be written. Check that the disk has space left.") from error
    return results, pages


def _draw(output: Path, results: Sequence[CaseResult]) -> None:
    """Draws box plots of the overlap, and outlines from the worst to the best case."""
    import numpy as np

    from KidneySegLib.evaluation.outline_pictures import draw_boxes, draw_comparison

    scored = [(case.overlap, case.picture) for case in results if case.overlap and case.picture]
    if scored:
        scored.sort(key=lambda pair: pair[0].dice)
        draw_boxes([[overlap for overlap, _ in scored]], output / "boxes.png", name="all cases")
        chosen = np.unique(np.linspace(0, len(scored) - 1, _SHOWN).round().astype(int))
        draw_comparison([scored[n][1] for n in chosen], output / "comparison.png")
