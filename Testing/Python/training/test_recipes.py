"""Recipes: what is shipped can be read, what is wrong is told, and every field that they declare is used."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from pydantic import BaseModel
from training_cases import RECIPE

import KidneySegLib
from KidneySegLib.errors import InputError
from KidneySegLib.resources import resource_folder
from KidneySegLib.training.recipe import Recipe, find_recipe, read_recipe

# those for ultrasound: see test_ultrasound_frames
SHIPPED = [path for path in sorted((resource_folder() / "Recipes").glob("*.toml")) if "ultrasound" not in path.stem]


def recipe_of(folder: Path, text: str) -> Recipe:
    (folder / "recipe.toml").write_text(text)
    return read_recipe(folder / "recipe.toml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_recipes_can_be_read(path):
    recipe = read_recipe(path)
    assert recipe.schedule.steps > 0
    if path.stem.startswith("p"):  # a paper's: see test_paper_recipes
        return
    assert recipe.task == ("ct-slice" if path.stem.startswith("ct-slice") else "ct")
    assert not any("lits0" in name or "validation" in name for name in recipe.data.train)
    assert recipe.validation.boxes == (recipe.sampling.mirror == "left")
    assert recipe.data.patients == {"ct/negative/lidc0314_chest": "lidc0314"}
    assert (recipe.stage.patch[0] == 1) == (recipe.data.slices is not None)


def test_the_recipe_for_slices_has_the_paper_s_settings():
    recipe = read_recipe(find_recipe("ct-slice"))
    assert recipe.schedule.epochs == 25 and recipe.stage.threshold == 0.65
    assert recipe.schedule.steps_per_epoch * recipe.schedule.batch == 800
    assert recipe.stage.network.outputs == ("kidney",) and recipe.stage.equalise is not None
    assert recipe.validation.largest_regions


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 2", "epochs = 2\ncolour = 1", r"schedule\.colour"),
        ("epochs = 2", "epochs = 0", r"schedule\.epochs"),
        ("epochs = 2", "", r"schedule\.epochs"),
        ('mirror = "left"', 'mirror = "up"', r"sampling\.mirror"),
        ('validation = ["validation/two"]', 'validation = ["train/one"]', "both train and validation"),
        ("[sampling]", "[sampling", "cannot be read"),
        ("[augmentation.kernel]", "[augmentation.kernel]\nsmooth = 1.5", r"augmentation\.kernel\.smooth"),
        ("[augmentation.kernel]", "[augmentation.kernels]", r"augmentation\.kernels"),
        ("[augmentation.contrast]", "[augmentation.contrast]\nphases = [0.5, 0.6]", "add up to 1"),
        ("[augmentation.noise]", "[augmentation.noise]\nmost_hu = nan", r"augmentation\.noise\.most_hu"),
        ('outputs = ["kidney"]', 'outputs = ["kidney", "liver"]', "liver"),
        ("patch = [16, 16, 16]", "patch = [16, 16, 15]", "multiples of 4"),
        ('outputs = ["kidney"]', 'outputs = ["kidney"], inputs = ["colour"]', "inputs must be some of image"),
        ('outputs = ["kidney"]', 'outputs = ["kidney"], inputs = ["zscore"]', "images whole"),
        ('task = "ct"', "", "task"),
    ],
)
def test_wrong_recipes_are_refused(tmp_path, old, new, message):
    assert old in RECIPE
    with pytest.raises(InputError, match=message):
        recipe_of(tmp_path, RECIPE.replace(old, new))


def test_a_recipe_can_be_shortened_and_leave_exams_out():
    recipe = read_recipe(find_recipe("ct-lesion"))
    less = recipe.changed(leave_out=["C1"], synthesis=False, epochs=10, start="one", folds=3)
    assert set(recipe.data.train) - set(less.data.train) == {"ct/train/C1"}
    assert less.start is not None and (less.start.bundle, less.start.stage) == ("one", "lesion")
    assert (less.schedule.epochs, less.schedule.steps_per_epoch, less.folds.count) == (10, 500, 3)
    augmentation = less.augmentation
    assert augmentation.lesions is augmentation.decoys is augmentation.hydronephrosis is None
    assert augmentation.contrast == recipe.augmentation.contrast
    assert recipe.changed() == recipe
    with pytest.raises(InputError, match="leave out"):
        recipe.changed(leave_out=["C9"])
    with pytest.raises(InputError, match="out of range"):
        recipe.changed(epochs=-1)


def test_the_members_of_an_ensemble_differ_in_their_random_numbers_alone(tmp_path):
    recipe = recipe_of(tmp_path, RECIPE.replace("patch = [16", "ensemble = { members = 3 }\npatch = [16"))
    seeds = [recipe.member(number).schedule.seed for number in range(recipe.members)]
    assert seeds == [0, 1, 2]
    assert recipe.member(2).augmentation == recipe.augmentation and recipe.member(2).members == 1


def declarations(model: type[BaseModel]) -> set[type[BaseModel]]:
    """The models below ``model``, as their fields are annotated."""
    found = {model}
    for field in model.model_fields.values():
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if inspect.isclass(part) and issubclass(part, BaseModel):
                found |= declarations(part)
    return found


def attributes_read(source: Path) -> set[str]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}


def test_every_field_of_a_recipe_is_read_where_its_table_is_known():
    """A kind of augmentation reads its own fields; the others are read by what works with whole recipes."""
    root = Path(KidneySegLib.__file__).parent
    users = [*(root / "training").glob("*.py"), *(root / "training" / "fitting").glob("*.py")]
    rooms = set().union(*(attributes_read(path) for path in (*users, root / "commands" / "train.py")))
    tables = declarations(Recipe)
    assert len(tables) > 20
    unread = []
    for table in tables:
        own = attributes_read(Path(inspect.getfile(table)))
        read = own if table.__module__.split(".")[2] in ("augmentation", "synthesis") else rooms
        if table.__name__ in ("Augmentation", "Spatial", "Masks", "Lesions"):
            read = rooms | own
        unread += [f"{table.__name__}.{name}" for name in table.model_fields if name not in read]
    assert unread == []
