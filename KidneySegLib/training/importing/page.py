"""The data-set page: one HTML file that says what was imported, what was refused and why. It loads nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from KidneySegLib.errors import OutputError
from KidneySegLib.evaluation.tables import Cell, ScoreTable
from KidneySegLib.resources import rendered
from KidneySegLib.structures import STRUCTURES
from KidneySegLib.training.importing.importing import Imported
from KidneySegLib.training.importing.summary import CaseSummary

_SPREAD = (0, 50, 100)  # percentiles


def write_page(imported: Imported, path: Path) -> None:
    """Writes the page.

    Raises:
        OutputError: it cannot be written.
    """
    cases = imported.cases
    tables = [_faults(imported), *([_grids(cases), _structures(cases)] if cases else [])]
    patients = len({case.patient for case in cases})
    try:
        path.write_text(rendered("dataset.html.jinja", imported=imported, patients=patients, tables=tables), "utf-8")
    except OSError as error:
        raise OutputError("The data-set page could not be written. Check the space on the disk.") from error


def _faults(imported: Imported) -> ScoreTable:
    rows: list[tuple[Cell, ...]] = [(f.case or "the data set", f.code, f.sentence) for f in imported.faults]
    note = "These cases are not trained on." if rows else "None was found."
    return ScoreTable("faults", "Faults", note, ("case", "code", "what is wrong"), rows)


def _grids(cases: Sequence[CaseSummary]) -> ScoreTable:
    rows: list[tuple[Cell, ...]] = []
    for axis, values in zip("ijk", np.array([case.spacing for case in cases]).T, strict=True):
        rows.append((f"spacing along {axis}, mm", *(f"{value:.3g}" for value in np.percentile(values, _SPREAD))))
    for axis, sizes in zip("kji", np.array([case.shape for case in cases]).T, strict=True):
        rows.append((f"voxels along {axis}", *(f"{value:.0f}" for value in np.percentile(sizes, _SPREAD))))
    return ScoreTable("grids", "Grids", "", ("", "least", "median", "most"), rows)


def _structures(cases: Sequence[CaseSummary]) -> ScoreTable:
    rows: list[tuple[Cell, ...]] = []
    for structure in STRUCTURES:
        volumes = [case.millilitres[structure.key] for case in cases if structure.key in case.millilitres]
        if volumes:
            hu = [case.hu[structure.key] for case in cases if structure.key in case.hu]
            spread = [f"{value:.3g}" for value in np.percentile(volumes, _SPREAD)]
            rows.append((structure.name, len(volumes), *spread, f"{np.mean(hu):.0f} ± {np.std(hu):.0f}"))
    header = ("structure", "cases", "least ml", "median ml", "most ml", "mean HU ± sd over cases")
    return ScoreTable("structures", "Structures", "", header, rows)
