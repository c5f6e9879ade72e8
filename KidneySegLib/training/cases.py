"""Reads the labelled exams that a recipe names. A task plugs in its data set by one function in ``READERS``."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from KidneySegLib.datasets.exams import prepare_exam
from KidneySegLib.datasets.frames import load_frames
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.datasets.slices import load_slices
from KidneySegLib.errors import InputError
from KidneySegLib.inference.body_box import body_box
from KidneySegLib.training.frame_sources import further_frames
from KidneySegLib.training.importing.case import imported_patients
from KidneySegLib.training.recipe import Recipe
from KidneySegLib.training.synthesis.real_textures import real_textures
from KidneySegLib.training.synthesis.shapes import ShapeLibrary, read_shapes

# Takes a folder of the recipe, the recipe, a folder for prepared files, and whether as many exams as possible are
# wanted (to train on), not a sample of alike ones (to validate on).
Reader = Callable[[Path, Recipe, Path, bool], list[LabelledExam]]


def _volume(folder: Path, recipe: Recipe, cache: Path, many: bool) -> list[LabelledExam]:
    exam = prepare_exam(folder, recipe.stage.spacing, cache)
    if recipe.stage.body_hu is None:
        return [exam]
    box = body_box(exam.hu, recipe.stage.body_hu)
    return [exam.within((box[0].start, box[1].start, box[2].start), (box[0].stop, box[1].stop, box[2].stop))]


def _slices(folder: Path, recipe: Recipe, cache: Path, many: bool) -> list[LabelledExam]:
    options = recipe.data.slices
    if options is None:
        raise InputError("The recipe does not say how slices are taken. Add the table [data.slices].")
    return load_slices(
        folder,
        recipe.stage.spacing[1],
        distance_mm=options.distance_mm if many else options.validation_distance_mm,
        pixel_mm=options.pixel_mm,
        window=recipe.stage.window,
    )


def _frames(folder: Path, recipe: Recipe, cache: Path, many: bool) -> list[LabelledExam]:
    return load_frames(folder, recipe.stage)


READERS: dict[str, Reader] = {"ct": _volume, "ct-slice": _slices, "ultrasound": _frames}


def training_exams(recipe: Recipe, data: Path, cache: Path) -> list[LabelledExam]:
    """Reads the exams that a recipe trains on, and makes those that it adds; see ``_read``."""
    exams = _read(recipe, data, recipe.data.train, cache, many=True)
    if recipe.data.frames is not None:
        exams += further_frames(recipe.data.frames, recipe.stage, data, cache, exams)
    return exams


def validation_exams(recipe: Recipe, data: Path, cache: Path) -> list[LabelledExam]:
    """Reads the exams that a recipe chooses its weights on; see ``_read``."""
    return _read(recipe, data, recipe.data.validation, cache, many=False)


def exams_for_folds(recipe: Recipe, data: Path, cache: Path) -> tuple[list[LabelledExam], list[LabelledExam]]:
    """Reads what a recipe trains on, for folds; see ``_read``.

    Returns:
        What is split and scored (a sample of those that show the organ), and what a fold learns from.
    """
    learnt = _read(recipe, data, recipe.data.train, cache, many=True)
    scored = learnt if recipe.data.slices is None else _read(recipe, data, recipe.data.train, cache, many=False)
    return [exam for exam in scored if exam.organ.any()], learnt


def shape_library(recipe: Recipe, data: Path, cache: Path, exams: Sequence[LabelledExam]) -> ShapeLibrary | None:
    """Reads the shapes that a recipe paints lesions with, and takes textures from ``exams``; None if it names none.

    Raises:
        InputError: the folder of shapes holds no label map.
    """
    lesions = recipe.augmentation.lesions
    if lesions is None or not lesions.shapes:
        return None
    return replace(read_shapes(data / lesions.shapes, cache), textures=real_textures(exams))


def _read(recipe: Recipe, data: Path, names: Sequence[str], cache: Path, *, many: bool) -> list[LabelledExam]:
    """Reads the exams of folders below ``data``.

    Raises:
        InputError: the data folder does not exist, something in it cannot be read, or no reader has the recipe's task.
    """
    if not data.is_dir():
        raise InputError("The data folder does not exist. Give the folder that holds the recipe's exams.")
    if recipe.task not in READERS:
        raise InputError(f"No data set is known for the task '{recipe.task}'. Known ones: {', '.join(READERS)}.")
    exams, known = [], imported_patients(data)
    for name in matching(data, names):
        found = READERS[recipe.task](data / name, recipe, cache, many)
        patient = recipe.data.patients.get(name, known.get(name))
        exams += found if patient is None else [replace(exam, patient=patient) for exam in found]
    return exams


def matching(data: Path, names: Sequence[str]) -> list[str]:
    """Returns the folders of ``data`` that names and patterns stand for, each once.

    Raises:
        InputError: a pattern leads out of the data folder, or none of them fits anything.
    """
    found: dict[str, None] = {}
    for name in names:
        if "*" not in name:
            found[name] = None
            continue
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise InputError("A recipe's exams lie below the data folder: its patterns must not lead out of it.")
        for folder in sorted(data.glob(name)):
            if folder.is_dir():
                found[folder.relative_to(data).as_posix()] = None
    if names and not found:
        raise InputError(
            f"The data folder holds none of the exams that the recipe names ({', '.join(names)}). 'kidneyseg data "
            "import' writes them there."
        )
    return list(found)
