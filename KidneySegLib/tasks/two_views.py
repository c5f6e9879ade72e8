"""Two ultrasound views of one kidney: the transverse one adds the volume to the result of the longitudinal one."""

from dataclasses import replace
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.measuring.ultrasound.ellipsoid import with_volume
from KidneySegLib.progress import Progress
from KidneySegLib.result_files.folder import check_folder
from KidneySegLib.result_files.names import FINDINGS, RESULT_FILES
from KidneySegLib.result_files.result import Result
from KidneySegLib.structures import UNSIDED_KIDNEY
from KidneySegLib.tasks import run as runs
from KidneySegLib.tasks.registry import task_of
from KidneySegLib.tasks.task import Task

# Folder of the transverse view's own result, inside that of the longitudinal one.
TRANSVERSE = "transverse"


def check_transverse(task: Task, transverse: Path, output: Path) -> None:
    """Checks, before the work, that a second view can be used.

    Args:
        task: by which the first view is segmented.
        transverse: an image, or a result folder.
        output: result folder of the first view.

    Raises:
        InputError: the task has no views, or there is no such file or folder.
        OutputError: the second view's own result would replace files that KidneySeg did not write.
    """
    if UNSIDED_KIDNEY not in task.structures:
        raise InputError("--transverse gives a second ultrasound view: add --task ultrasound, or leave it out.")
    if not transverse.exists():
        raise InputError("The transverse view does not exist. Check the path that --transverse gives.")
    if not is_result(transverse):
        check_folder(output / TRANSVERSE, RESULT_FILES)


def add_transverse(
    result: Result, transverse: Path, *, device: str, model: str | None, progress: Progress
) -> tuple[Result, Result | None]:
    """Returns the result of a longitudinal view with its volume, and that of the transverse view if it was made now.

    Args:
        result: of the longitudinal view.
        transverse: the transverse image, which must state its pixel size, or its result folder.
        device: as for ``run``.
        model: as for ``run``.
        progress: as for ``run``.

    Raises:
        InputError: as ``run``, ``Result.read`` and ``with_volume``.
    """
    if is_result(transverse):
        across, made = Result.read(transverse), None
    else:
        across = made = runs.run(task_of(result.findings), transverse, device=device, model=model, progress=progress)
    return replace(result, findings=with_volume(result.findings, across.findings)), made


def is_result(path: Path) -> bool:
    """Whether a path is a result folder."""
    return (path / FINDINGS).is_file()
