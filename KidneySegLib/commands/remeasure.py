"""``kidneyseg remeasure``: for front ends, which show a result and let it be corrected."""

from pathlib import Path
from typing import Annotated

import typer


def remeasure(
    image: Annotated[Path, typer.Argument(help="The image as it was segmented")],
    labels: Annotated[Path, typer.Argument(help="Corrected label map, 8 bit, on its grid or a part of it")],
    network_labels: Annotated[Path, typer.Option("--network-labels", help="What the network drew, in the same way")],
    network: Annotated[Path, typer.Option("--network", help="Findings of the network's run")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the findings")],
    network_candidates: Annotated[
        Path | None, typer.Option("--network-candidates", help="Numbers of its candidates, in the same way")
    ] = None,
    last: Annotated[Path | None, typer.Option("--last", help="Findings of the correction before this one")] = None,
) -> None:
    """Measures a label map that is being corrected, and writes its findings only."""
    from KidneySegLib.publishing import complaints
    from KidneySegLib.tasks.remeasure import remeasure as measure_again

    findings = measure_again(image, labels, network_labels, network, network_candidates, last)
    with complaints():
        partial = output.with_name(f"{output.name}.partial")
        partial.write_text(findings.to_json(), encoding="utf-8")
        partial.replace(output)
