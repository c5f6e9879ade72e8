"""The data-set page: one HTML file that says what was imported, what was refused and why. It loads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np

from KidneySegLib.errors import OutputError
from KidneySegLib.structures import STRUCTURES
from KidneySegLib.training.importing.importing import Imported
from KidneySegLib.training.importing.summary import CaseSummary

_STYLE = (
    "body{font:15px/1.4 sans-serif;margin:2em auto;max-width:75em;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}"
    "th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}td.n{text-align:right}"
    "img{display:block;image-rendering:pixelated}"
)


def write_page(imported: Imported, path: Path) -> None:
    """Writes the page.

    Raises:
        OutputError: it cannot be written.
    """
    cases = imported.cases
    patients = len({case.patient for case in cases})
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Data set</title>",
        f"<style>{_STYLE}</style><h1>Data set</h1>",
        f"<p>Arranged as: {escape(imported.layout)}. {len(cases)} cases of {patients} patients were imported, "
        f"{len(imported.faults)} faults found.</p>",
        _faults(imported),
        _numbers(cases),
        _structures(cases),
        _cases(cases),
        "</html>\n",
    ]
    try:
        path.write_text("\n".join(part for part in parts if part), encoding="utf-8")
    except OSError as error:
        raise OutputError("The data-set page could not be written. Check the space on the disk.") from error


def _faults(imported: Imported) -> str:
    if not imported.faults:
        return "<h2>Faults</h2><p>None was found.</p>"
    rows = [(fault.case or "the data set", fault.code, fault.sentence) for fault in imported.faults]
    return "<h2>Faults</h2><p>These cases are not trained on.</p>" + _table(("case", "code", "what is wrong"), rows)


def _numbers(cases: tuple[CaseSummary, ...]) -> str:
    if not cases:
        return ""
    rows = []
    for axis, values in zip("ijk", np.array([case.spacing for case in cases]).T, strict=True):
        rows.append((f"spacing along {axis}, mm", *(f"{value:.3g}" for value in np.percentile(values, (0, 50, 100)))))
    for axis, sizes in zip("kji", np.array([case.shape for case in cases]).T, strict=True):
        rows.append((f"voxels along {axis}", *(f"{value:.0f}" for value in np.percentile(sizes, (0, 50, 100)))))
    return "<h2>Grids</h2>" + _table(("", "least", "median", "most"), rows)


def _structures(cases: tuple[CaseSummary, ...]) -> str:
    rows = []
    for structure in STRUCTURES:
        volumes = [case.millilitres[structure.key] for case in cases if structure.key in case.millilitres]
        if volumes:
            hu = [case.hu[structure.key] for case in cases if structure.key in case.hu]
            spread = [f"{value:.3g}" for value in np.percentile(volumes, (0, 50, 100))]
            rows.append((structure.name, str(len(volumes)), *spread, f"{np.mean(hu):.0f} ± {np.std(hu):.0f}"))
    header = ("structure", "cases", "least ml", "median ml", "most ml", "mean HU ± sd over cases")
    return "<h2>Structures</h2>" + _table(header, rows) if rows else ""


def _cases(cases: tuple[CaseSummary, ...]) -> str:
    if not cases:
        return ""
    rows = []
    for case in cases:
        volumes = "<br>".join(f"{escape(key)} {value:.3g} ml" for key, value in case.millilitres.items())
        picture = f"<img alt='slice' src='data:image/png;base64,{case.thumbnail}'>"
        grid = f"{' × '.join(map(str, case.shape[::-1]))}<br>{' × '.join(f'{mm:.3g}' for mm in case.spacing)} mm"
        cells = (escape(case.name), escape(case.patient), escape(case.place), grid, volumes, picture)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("case", "patient", "folder", "grid (i, j, k)", "labels", "slice"))
    return f"<h2>Cases</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
