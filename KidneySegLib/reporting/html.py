"""The report as one self-contained HTML file: pictures inside, no scripts, made to be read aloud and to be printed."""

from __future__ import annotations

from base64 import b64encode

from KidneySegLib.reporting.content.content import Report
from KidneySegLib.resources import resource_folder

TEMPLATE = "report.html.jinja"


def html(report: Report) -> str:
    """Returns the report as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(resource_folder() / "Report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda data: b64encode(data).decode("ascii")
    return environment.get_template(TEMPLATE).render(report=report)
