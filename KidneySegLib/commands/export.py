"""``kidneyseg export``: trained stages become a bundle."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from KidneySegLib.errors import BundleError, InputError

if TYPE_CHECKING:
    import torch

    from KidneySegLib.bundles.plan import StagePlan
    from KidneySegLib.bundles.rules import Rules
    from KidneySegLib.training.fitting.record import RunRecord


def export(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="RECIPE=RUN-FOLDER for each stage, in the order they run; several runs of a stage make an ensemble, "
            "and so does the folder of a cross-validation, or of the members of an ensemble"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the bundle; its name is the bundle's")],
    version: Annotated[str, typer.Option(help="Version of the weights")],
    licence: Annotated[str, typer.Option(help="Licence of the weights, from the data's")],
    title: Annotated[str, typer.Option(help="Title, one line; default: that of the task's shipped bundle")] = "",
    base: Annotated[str, typer.Option(help="Bundle whose other stages and rules are taken over; they come first")] = "",
    rules: Annotated[
        Path | None,
        typer.Option(help="TOML file with rules, one table per stage, in place of those of the base or shipped bundle"),
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="The averaged weights of the last step, not the best ones")
    ] = False,
) -> None:
    """Packs the weights of one run per stage into a model bundle; without a card, one is filled from the runs.

    The bundle is for the recipes' task.
    """
    import torch

    from KidneySegLib.bundles.bundle import Bundle, write_bundle
    from KidneySegLib.bundles.catalogue import find_bundle
    from KidneySegLib.bundles.header import CARD
    from KidneySegLib.networks.factory import build_network, parameters
    from KidneySegLib.training.card import card
    from KidneySegLib.training.fitting.record import RECORD, read_record
    from KidneySegLib.training.importing.case import safe_name
    from KidneySegLib.training.recipe import find_recipe, read_recipe

    stages: dict[str, StagePlan] = {}
    members: dict[str, list[dict[str, torch.Tensor]]] = {}
    recipes: dict[str, str] = {}
    read_runs: list[RunRecord] = []
    tasks: set[str] = set()
    for run, recipe, separator, folder in [part for each in runs for part in _parts(each)]:
        file = Path(folder) / ("checkpoint.pt" if last else "best.pt")
        if not separator or not file.is_file():
            raise InputError(f"'{run}' is not RECIPE=RUN-FOLDER with a file {file.name} in the folder.")
        declared = read_recipe(find_recipe(recipe))
        stage = declared.stage
        tasks.add(declared.task)
        if len(tasks) > 1:
            raise InputError(f"The recipes are for different tasks ({', '.join(sorted(tasks))}): a bundle has one.")
        recipes[safe_name(stage.name)] = find_recipe(recipe).read_text(encoding="utf-8")
        network = build_network(stage.network)
        state = torch.load(file, map_location="cpu", weights_only=True)
        network.load_state_dict(state["average"] if last else state)
        if stages.setdefault(stage.name, stage) != stage:
            raise InputError(f"The runs of the stage '{stage.name}' have different plans: they make no ensemble.")
        members.setdefault(stage.name, []).append(parameters(network))
        if (Path(folder) / RECORD).is_file():
            read_runs.append(read_record(Path(folder)))
    (task,) = tasks
    trained = {name: stage.with_members(members[name]) for name, stage in stages.items()}
    if base:
        old = find_bundle(base, task)
        values = old.weights()
        trained = {stage.name: (stage, values[stage.name]) for stage in old.stages} | trained
    plans = tuple(stage for stage, _ in trained.values())
    judged = _rules(task, set(trained), base, rules)
    bundle = Bundle(output, output.name, version, title or _title(task), task, licence, plans, judged, sha256="")
    written = write_bundle(bundle, {name: values for name, (_, values) in trained.items()})
    for name, text in recipes.items():
        (output / f"recipe-{name}.toml").write_text(text, encoding="utf-8")
    if not written.card:
        (output / CARD).write_text(card(written, read_runs, last=last), encoding="utf-8")
    typer.echo(f"Wrote {written.name} {written.version}, sha256 {written.sha256[:12]}.")


def _parts(run: str) -> list[tuple[str, str, str, str]]:
    """Returns the argument, its recipe, "=" and the folder of the run, or of each fold or member in that folder."""
    recipe, separator, folder = run.partition("=")
    inside = [path for kind in ("fold", "member") for path in Path(folder).glob(f"{kind}-*") if path.is_dir()]
    inside.sort(key=lambda path: (len(path.name), path.name))
    return [(run, recipe, separator, str(path)) for path in inside] or [(run, recipe, separator, folder)]


def _title(task: str) -> str:
    from KidneySegLib.bundles.catalogue import find_bundle

    try:
        return find_bundle(None, task).title
    except BundleError:
        return task


def _rules(task: str, stages: set[str], base: str, file: Path | None) -> Rules:
    """Returns the rules of the base or the shipped bundle for these stages, with those of the file in their place.

    Raises:
        InputError: the file cannot be read, or rules are missing or unknown.
        BundleError: the base cannot be used.
    """
    from KidneySegLib.bundles.catalogue import find_bundle
    from KidneySegLib.bundles.declaration import read_declaration
    from KidneySegLib.bundles.rules import rules_of

    try:
        groups: dict[str, Any] = vars(find_bundle(base or None, task).rules.of_stages(stages))
    except BundleError:
        if base:
            raise
        groups = {}  # the first bundle for a task
    groups = {name: group for name, group in groups.items() if group is not None}
    try:
        own = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
        rules = read_declaration(rules_of(task), groups | own)
        rules.check(stages)
    except (OSError, ValueError) as error:
        raise InputError(f"The rules do not fit ({error}). Give those that are missing with --rules FILE.") from error
    return rules
