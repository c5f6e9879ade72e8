"""``kidneyseg data``: what networks are trained on."""

from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.commands.import_data import import_data
from KidneySegLib.errors import InputError

app = typer.Typer(name="data", help="Data to train on.", no_args_is_help=True)
app.command("import")(import_data)


@app.command("from-corrections")
def from_corrections(
    cases: Annotated[
        list[Path], typer.Argument(help="Corrected cases that the Slicer module exported, or folders of these")
    ],
    data: Annotated[Path, typer.Option(help="Data folder; the cases go into 'corrections' in it")],
    validation: Annotated[
        list[Path] | None,
        typer.Option(help="Exams that must never be trained on: a case with such an image is refused; repeatable"),
    ] = None,
) -> None:
    """Gathers corrected cases to train on, after checking each."""
    from KidneySegLib.datasets.corrections import gather

    gathered = gather(cases, data, validation or [])
    for name in gathered:
        typer.echo(name)
    typer.echo(f"{len(gathered)} corrected cases.")
    typer.echo(f"Next: kidneyseg train RECIPE --data {data} --corrections --start BUNDLE --output RUN")


@app.command("next")
def next_case(
    exams: Annotated[
        list[Path], typer.Argument(help="Unlabelled exams (what 'kidneyseg segment' takes), or their result folders")
    ],
    task: Annotated[str, typer.Option(help="Task that is run on the exams; see 'kidneyseg models'")] = "ct",
    model: Annotated[str | None, typer.Option(help="Name or folder of a bundle; default: the shipped one")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")] = "auto",
) -> None:
    """Names the exam that is worth labelling next: where most of what was outlined is expected to be wrong."""
    from KidneySegLib.evaluation.uncertainty import expected_error
    from KidneySegLib.result_files.names import FINDINGS
    from KidneySegLib.result_files.result import Result
    from KidneySegLib.tasks.run import run

    errors = {}
    for exam in exams:
        if not exam.exists():
            raise InputError(f"'{exam.name}' does not exist. Give exams or result folders.")
        stored = (exam / FINDINGS).is_file()
        errors[exam] = expected_error(Result.read(exam) if stored else run(task, exam, model=model, device=device))
    typer.echo("| exam | expected error |\n|---|---|")
    ranked = sorted(errors, key=lambda exam: -errors[exam])
    for exam in ranked:
        typer.echo(f"| {exam} | {errors[exam]:.3f} |")
    typer.echo(f"\nNext: {ranked[0]}")
