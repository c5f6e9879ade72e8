"""Runs cases in a process of its own, so that a hang, a crash of a decoder or a hunger for memory ends a case only."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import re
import resource
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from Fuzz.case import Case, Leak, Outcome, Result
from Fuzz.truth import FOLDER, SECRETS, disagreement
from KidneySegLib.errors import KidneySegError
from KidneySegLib.readers.input import read_input

TIME_LIMIT = 60.0  # seconds a case; reading takes a tenth of one, on a busy machine many times that
MEMORY_LIMIT = 2 << 30  # bytes beyond what the process holds at its start; the true series has 8 kB
NOBODY = 65534
# What the children would otherwise load one by one
LOADED_ONCE = (
    "anyascii",
    "dicomanonymizer.dicomfields_selector",
    "dicomweb_client.api",
    "gdcm",
    "openjpeg",
    "pydicom.pixels.utils",
    "scipy.ndimage",
    "scipy.spatial.transform",
    "SimpleITK",
)
LONGEST_SENTENCE = 450


def run_cases(cases: Iterable[Case], seed: int) -> Iterator[Result]:
    """Runs cases one after the other and yields how each ended."""
    for module in LOADED_ONCE:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        for number, case in enumerate(cases):
            yield _run(case, seed, Path(scratch) / str(number))


def _run(case: Case, seed: int, folder: Path) -> Result:
    # forked for each case: cases hold functions, which no pipe carries, and none may leave traces for the next
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, case, folder, seed), daemon=True)
    start = time.perf_counter()
    process.start()
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(TIME_LIMIT) else (Outcome.HANG, f"no end after {TIME_LIMIT:.0f} s")
    except EOFError:
        process.join()
        answer = (Outcome.CRASH, f"exit code {process.exitcode}")
    process.kill()
    process.join()
    shutil.rmtree(folder, ignore_errors=True)
    return Result(case.name, case.family, *answer, time.perf_counter() - start)


def _child(connection: Connection, case: Case, folder: Path, seed: int) -> None:
    # a forked process waits for ever for the threads of its parent's OpenMP pool, which forking does not copy
    torch.set_num_threads(1)
    try:
        answer = judge(case, folder / FOLDER, seed)
    except BaseException:
        answer = Outcome.CRASH, f"the case itself is wrong: {traceback.format_exc()[-600:]}"
    connection.send(answer)
    connection.close()


def judge(case: Case, folder: Path, seed: int) -> tuple[Outcome, str]:
    """Makes a case's files, reads them as the engine does, and says how it ended."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng([seed, *case.name.encode()])
    path = case.build(folder, generator)
    with tempfile.TemporaryFile() as printed:
        with _streams_to(printed.fileno()), _limited_memory(), _rights(case.unprivileged):
            outcome, detail = _read(case, path)
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    # decoders remark on damaged streams on the error stream; no such remark may name a patient or a place
    if SECRETS.search(output) or "Warning" in output:
        return Outcome.LEAK, f"printed: {output.strip()[:300]}"
    return outcome, detail


def _read(case: Case, path: Path) -> tuple[Outcome, str]:
    expected = case.expected
    try:
        acquisition = (case.reader or read_input)(path)
        if acquisition is None:
            return (Outcome.UNEXPECTED if expected.read is False else Outcome.RIGHT), "accepted"
    except AssertionError as error:
        return Outcome.WRONG, str(error)
    except KidneySegError as error:
        if expected.exit_code not in (None, error.exit_code):
            return Outcome.UNEXPECTED, f"exit code {error.exit_code}: {error}"
        return _judge_sentence(str(error), expected.read is not True, expected.words)
    except Leak as leak:
        return Outcome.LEAK, str(leak)
    except BaseException:
        return Outcome.TRACEBACK, traceback.format_exc()[-900:]
    gc.collect()
    sentences = [flag.message for flag in acquisition.flags]
    if any(SECRETS.search(sentence) for sentence in sentences):
        return Outcome.LEAK, " ".join(sentences)
    wrong = disagreement(acquisition, expected.truth, expected.tolerance)
    codes = [flag.code for flag in acquisition.flags if flag.code != "not_hounsfield"]
    size = acquisition.stored.voxels.shape
    told = f"{size}, flags: {', '.join(codes) or 'none'}"
    if wrong:
        return Outcome.WRONG, f"{wrong}; {told}"
    if expected.read is False:
        return Outcome.UNEXPECTED, f"read, but should have been refused; {told}"
    if expected.slices is not None and size[0] != expected.slices:
        return Outcome.UNEXPECTED, f"{expected.slices} slices expected; {told}"
    if expected.flags and not set(expected.flags) & set(codes):
        return Outcome.UNEXPECTED, f"no flag {' or '.join(expected.flags)}; {told}"
    return (Outcome.FLAGGED if codes else Outcome.RIGHT), told


def _judge_sentence(sentence: str, allowed: bool, words: str) -> tuple[Outcome, str]:
    if SECRETS.search(sentence):
        return Outcome.LEAK, sentence
    if not allowed or not re.search(words, sentence):
        return Outcome.UNEXPECTED, f"refused: {sentence}"
    clear = sentence.endswith(".") and "\n" not in sentence and len(sentence) <= LONGEST_SENTENCE
    return (Outcome.REFUSED if clear else Outcome.UNEXPECTED), sentence


@contextmanager
def _streams_to(handle: int) -> Iterator[None]:
    """Sends what Python and C libraries print into a file."""
    kept = [os.dup(1), os.dup(2)]
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    try:
        yield
    finally:
        for number, old in enumerate(kept, start=1):
            os.dup2(old, number)
            os.close(old)


@contextmanager
def _limited_memory() -> Iterator[None]:
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY_LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def _rights(unprivileged: bool) -> Iterator[None]:
    """Gives up the administrator's rights for a while, who may read what nobody may."""
    if not unprivileged or os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
