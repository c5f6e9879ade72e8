"""A folder before a result, a report or DICOM files are written into it: what must not be touched, what must go."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from KidneySegLib.errors import OutputError
from KidneySegLib.result_files.marks import mark_of
from KidneySegLib.result_files.names import DICOM_FILES, FINDINGS, REPORT_FILES, RESULT_FILES


def check_folder(folder: Path, names: Iterable[str], identity: str | None = None) -> None:
    """Refuses a folder in which something of somebody else would be replaced, or two results would be mixed.

    Args:
        folder: where files are to be written; need not exist.
        names: of the files.
        identity: of the result that they are made from; None for a result itself, which replaces an earlier one.

    Raises:
        OutputError: a file of such a name is not ours, or the folder holds another result.
    """
    if not folder.is_dir():
        return
    try:
        held = mark_of(folder / FINDINGS) if (folder / FINDINGS).is_file() else None
        if identity is not None and held and held != identity:
            raise OutputError(
                "The output folder holds another result, beside which these files would be taken for its own. Choose "
                "another folder."
            )
        for name in names:
            if not _is_replaceable(folder / name, of_result=held is not None and name in RESULT_FILES):
                raise OutputError(
                    "The output folder holds a '{name}' that KidneySeg did not write. Choose another folder, or "
                    "move that file.",
                    name=name,
                )
    except OSError as error:
        raise OutputError("The output folder cannot be read. Choose another folder.") from error


def remove_earlier(folder: Path, identity: str | None = None) -> None:
    """Removes report and DICOM files of earlier results; files of others stay, whatever their names.

    Args:
        folder: a folder that is being written to.
        identity: of the result whose files stay; None removes all of ours.

    Raises:
        OSError: a file cannot be removed.
    """
    is_result = (folder / FINDINGS).is_file()
    for name in (*REPORT_FILES, *DICOM_FILES):
        path = folder / name
        mark = mark_of(path) if path.is_file() else None
        # without a mark it is of an older version: it belongs to the result that it lies beside, or to an unknown one
        if mark is None or (identity is not None and (mark == identity or (not mark and is_result))):
            continue
        path.unlink()


def put_in_place(
    partial: Path, folder: Path, names: Sequence[str], identity: str | None = None, *, linked: bool = False
) -> None:
    """Moves finished files to their folder; what was made of an earlier result goes first.

    Args:
        partial: a hidden folder with the files.
        folder: where they belong; it is made of ``partial`` if it does not exist.
        names: of all files of this kind: those that were not made anew go, since they would not belong to the others.
        identity: of the result that they are made from; None for a result itself. Then the old ``findings.json`` goes
            before all else; the new one is the last name.
        linked: whether the files refer to each other: then all old ones go before the first new one comes.

    Raises:
        OSError: a file cannot be moved or removed.
    """
    if not folder.exists():
        partial.rename(folder)
        return
    first = names if linked else [FINDINGS] if identity is None else []
    for name in first:
        (folder / name).unlink(missing_ok=True)
    remove_earlier(folder, identity)
    for name in names:
        if (partial / name).exists():
            os.replace(partial / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def _is_replaceable(path: Path, *, of_result: bool) -> bool:
    """Whether a file may be replaced: there is none, or it is ours, possibly corrected by a reader since.

    Args:
        path: the file.
        of_result: whether it is a file of the complete result in the folder.
    """
    if not path.exists() and not path.is_symlink():
        return True
    return path.is_file() and (of_result or mark_of(path) is not None)
