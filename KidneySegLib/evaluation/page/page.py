"""Writes the page: one HTML file that needs no other, names no patient and runs no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from KidneySegLib import __version__
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.latex import latex
from KidneySegLib.evaluation.page.case_pictures import case_picture
from KidneySegLib.evaluation.page.claim import Study, claim_table
from KidneySegLib.evaluation.page.comparison import comparison_table
from KidneySegLib.evaluation.page.figures import figures
from KidneySegLib.evaluation.page.measures import case_table, measure_tables
from KidneySegLib.evaluation.page.papers import paper_tables
from KidneySegLib.evaluation.tables import Cell, ScoreTable
from KidneySegLib.resources import rendered

PAGE, NUMBERS = "evaluation.html", "case_numbers"
WORST = 5


@dataclass(frozen=True)
class WorstCase:
    """A case as the page shows it.

    Attributes:
        number: of the case; ``case_numbers.csv`` says which it is.
        dice: of all that was outlined.
        picture: PNG.
    """

    number: int
    dice: float
    picture: bytes


def write_page(
    folder: Path,
    results: Sequence[CaseResult],
    study: Study,
    *,
    others: Sequence[Path] = (),
    training_seconds: float | None = None,
) -> Path:
    """Writes ``evaluation.html``, and the tables of the papers as CSV, Markdown and LaTeX.

    Names of exams may be those of patients: the page has numbers, and ``case_numbers.csv`` beside it says
    whose they are.

    Args:
        folder: of the evaluation; it exists.
        results: of all cases, in the order of their numbers.
        study: what was evaluated.
        others: output folders of evaluations of other models to compare with.
        training_seconds: of the model's training, where it is known.

    Returns:
        The page.

    Raises:
        InputError: an evaluation to compare with cannot be used.
        OSError: the files cannot be written.
    """
    measures = measure_tables(results)
    if others:
        measures.append(comparison_table(results, others))
    papers = paper_tables(results, study.model, training_seconds)
    claim = claim_table(study)
    for table in (*measures, *papers, claim):
        _write_table(folder, table)
    case_table(results).write_csv(folder)
    numbers: list[tuple[Cell, ...]] = [(n, result.name) for n, result in enumerate(results, start=1)]
    ScoreTable(NUMBERS, "", "", ("number", "case"), numbers).write_csv(folder)
    page = folder / PAGE
    shown = {"tables": [*measures, *papers, claim], "figures": figures(results), "worst": _worst(results)}
    page.write_text(rendered("page.html.jinja", study=study, version=__version__, **shown), encoding="utf-8")
    return page


def _worst(results: Sequence[CaseResult]) -> list[WorstCase]:
    scored = [
        (result.overlap.dice, number, result.view)
        for number, result in enumerate(results, start=1)
        if result.overlap is not None and result.view is not None
    ]
    scored.sort(key=lambda one: one[:2])
    return [WorstCase(number, dice, case_picture(view)) for dice, number, view in scored[:WORST]]


def _write_table(folder: Path, table: ScoreTable) -> None:
    table.write_csv(folder)
    (folder / f"{table.name}.md").write_text(table.markdown(), encoding="utf-8")
    (folder / f"{table.name}.tex").write_text(latex(table), encoding="utf-8")
