"""A table of an evaluation as LaTeX, for a paper's source."""

from KidneySegLib.evaluation.tables import ScoreTable

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "<": r"$<$",
    ">": r"$>$",
    "²": r"$^2$",
}


def latex(table: ScoreTable) -> str:
    """Returns a ``table`` environment with caption and label; its rules are LaTeX's own, no package is needed."""
    rows = [table.header, *(table.cells(row) for row in table.rows)]
    lines = [" & ".join(map(escaped, row)) + r" \\" for row in rows]
    return "\n".join(
        (
            r"\begin{table}",
            rf"\caption{{{escaped(f'{table.title}. {table.note}')}}}",
            rf"\label{{tab:{table.name.replace('_', '-')}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
            r"\hline",
            lines[0],
            r"\hline",
            *lines[1:],
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
            "",
        )
    )


def escaped(text: str) -> str:
    """Returns a text in which no character means anything to LaTeX."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)
