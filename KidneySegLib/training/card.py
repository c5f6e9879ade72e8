"""The card of a bundle, filled from its runs; what only people know is asked for."""

from collections.abc import Sequence

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.training.fitting.epochs import duration
from KidneySegLib.training.fitting.record import RunRecord

_ASKED = "**To be filled in:**"


def card(bundle: Bundle, runs: Sequence[RunRecord], *, last: bool) -> str:
    """Returns the card as Markdown.

    Args:
        bundle: as it was written.
        runs: those of its runs that left a record.
        last: whether the weights are those of the last step; else those that validated best.
    """
    stages = [
        f"| {stage.name} | {stage.network.architecture} | {' × '.join(map(str, stage.patch))} | "
        f"{' × '.join(f'{s:g}' for s in stage.spacing)} | {', '.join(stage.network.outputs)} | "
        f"{stage.ensemble.members if stage.ensemble else 1} |"
        for stage in bundle.stages
    ]
    trained = [
        f"| {run.recipe} | {run.exams} | {run.patients} | {run.validation_exams} | {run.epoch} of {run.epochs}"
        f"{' (stopped early)' if run.stopped_early else ''} | {run.best:.3f} | {duration(run.seconds)} | "
        f"{run.processes} × {run.device} |"
        for run in runs
    ]
    lines = [
        f"# {bundle.name} {bundle.version}",
        "",
        f"{bundle.title}. Task `{bundle.task}`. Licence of the weights: {bundle.licence}. Research use, not a medical",
        "device.",
        "",
        "## Networks",
        "",
        "| stage | network | patch (k, j, i) | grid, mm | outputs | members |",
        "|---|---|---|---|---|---|",
        *stages,
        "",
        "## Training",
        "",
        f"Weights: {'those of the last step' if last else 'those that validated best'}, averaged over steps.",
        "",
    ]
    if trained:
        head = "| recipe | exams | patients | validation exams | epochs | best validation Dice | time | device |"
        lines += [head, "|---|---|---|---|---|---|---|---|", *trained, ""]
    lines += [
        f"{_ASKED} where the data are from, their licences, who drew the labels.",
        "",
        "## Results",
        "",
        f"{_ASKED} the tables of `kidneyseg evaluate --page` on exams that no recipe names.",
        "",
        "## Limits",
        "",
        f"{_ASKED} for which exams the networks were not tried, and where they are known to fail.",
        "",
    ]
    return "\n".join(lines)
