#!/usr/bin/env python
"""Records what the engine says about the exams of a data folder, by its command line alone.

    python Testing/Golden/record.py OUT --data ../shared/data [--only NAME ...] [--engine CHECKOUT]

Each exam is segmented, reported in three languages, corrected (always in the same way), measured again and compared
with its first result; a DICOM exam is exported as SEG, SR and PDF as well. An exam that OUT already holds is left out,
so a stopped recording goes on where it was. Run `compare.py` on two recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from Golden.command_line import CommandLine, commit_of  # noqa: E402
from Golden.correction import correct_file  # noqa: E402
from Golden.decoding import decode_folder  # noqa: E402
from Golden.dicom_decoding import UidNames, decode_series  # noqa: E402
from Golden.exams import SAMPLE_SLICE, Exam, is_chosen, list_exams, middle_image  # noqa: E402
from Golden.recording import ABOUT, Record, has_record, write_record  # noqa: E402

# folders of results in the order in which their files are read
FOLDERS = ("segment", "es", "tr", "measured", "changes", "labelmap", "identified")


def main() -> None:
    """Records the chosen exams, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, metavar="OUT", help="folder of the recording")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ct, ct_slices and dicom")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="exams (C2) or groups (validation)")
    parser.add_argument("--engine", type=Path, default=HERE.parents[2], help="checkout that is run; default: this one")
    options = parser.parse_args()
    exams = [exam for exam in list_exams(options.data.resolve()) if is_chosen(exam.name, options.only)]
    if not exams:
        sys.exit(f"No exam is called {' or '.join(options.only)}.")
    engine = options.engine.resolve()
    _check_commit(options.output, commit_of(engine))
    for exam in exams:
        folder = options.output / exam.name
        if has_record(folder):
            continue
        start = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="kidneyseg-golden-") as scratch:
            write_record(folder, record_exam(exam, CommandLine(engine, Path(scratch))))
        print(f"{exam.name}: {time.perf_counter() - start:.0f} s", flush=True)


def _check_commit(recording: Path, commit: str) -> None:
    """Notes the engine's commit in the recording, or ends where it holds exams of another commit."""
    about = recording / ABOUT
    if not about.exists():
        recording.mkdir(parents=True, exist_ok=True)
        about.write_text(json.dumps({"commit": commit}) + "\n", encoding="utf-8")
    earlier = json.loads(about.read_text(encoding="utf-8"))["commit"]
    if earlier != commit:
        sys.exit(f"{recording} was recorded with commit {earlier}, the engine is at {commit}. Choose another folder.")


def record_exam(exam: Exam, engine: CommandLine) -> Record:
    """Runs all commands on one exam in the engine's working folder and returns what came of it."""
    data: dict[str, Any] = {}
    uids = UidNames()
    source = exam.source or _make_sample(exam, engine, uids, data)
    if exam.is_dicom:
        uids.learn(source)
    _run_commands(exam, source, engine)
    voxels: dict[str, np.ndarray] = {}
    for name in FOLDERS:
        folder = engine.folder / name
        if folder.is_dir():
            data[name], arrays = decode_folder(folder, uids)
            voxels |= {f"{name}/{file}": array for file, array in arrays.items()}
    return Record({"commands": engine.said, **data}, voxels)


def _make_sample(exam: Exam, engine: CommandLine, uids: UidNames, data: dict[str, Any]) -> Path:
    """Lets the command line make the sample and returns its series, or the image in the middle of it."""
    folder = engine.folder / "sample"
    engine.run("sample", "sample", folder, "--progress", "none")
    uids.learn(folder / "series")
    data["sample"] = {"truth": json.loads((folder / "truth.json").read_text(encoding="utf-8"))}
    data["sample"]["series"] = decode_series(folder / "series", uids)
    return middle_image(folder / "series") if exam.name == SAMPLE_SLICE else folder / "series"


def _run_commands(exam: Exam, source: Path, engine: CommandLine) -> None:
    """Leaves the results in folders beside each other, named as in FOLDERS."""
    segment, es, tr, measured, changes, labelmap, identified = (engine.folder / name for name in FOLDERS)
    quiet = ("--progress", "none")
    run = ("segment", source, "-o", segment, "--report", "--device", "cpu", *quiet, *exam.options)
    # images without identifiers are segmented, but cannot be exported
    has_dicom = exam.is_dicom and engine.run("segment", *run, "--dicom")
    if not has_dicom and not engine.run("segment without DICOM" if exam.is_dicom else "segment", *run):
        return
    for language in (es, tr):
        engine.run(language.name, "report", segment, "--image", source, "--language", language.name, "-o", language)
    corrected = engine.folder / "corrected.nii.gz"
    correct_file(segment / "labels.nii.gz", corrected)
    if engine.run("measured", "measure", source, corrected, "--findings", segment, "-o", measured, *quiet):
        prior = ("--prior", segment, "--days", "200")
        engine.run("changes", "report", measured, "--image", source, *prior, "-o", changes)
        if has_dicom:
            pdf = ("--pdf", changes / "report.pdf") if changes.is_dir() else ()
            engine.run("per lesion", "dicom", measured, "--source", source, "--per-lesion", *pdf)
    if has_dicom and source.is_dir():
        engine.run("labelmap", "dicom", segment, "--source", source, "--labelmap", "-o", labelmap)
        named = ("--identified", "--header", "A hospital", "-o", identified)
        engine.run("identified", "report", segment, "--image", source, *named)
        # the file that Slicer edits is read back; what it says is kept, the same files are not kept again
        slicer = segment / "segmentation.seg.nrrd"
        engine.run("from Slicer", "measure", source, slicer, "-o", engine.folder / "from_slicer", *quiet)


if __name__ == "__main__":
    main()
