"""The exam of a result as files, from which the engine measures corrections of it."""

from __future__ import annotations

import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from KidneySegWidgets.exam.inputVolume import placeOf, shifted, writeNrrd
from KidneySegWidgets.exam.viewImage import ViewImage, gridOf
from KidneySegWidgets.result.candidates import candidateNumbers
from KidneySegWidgets.result.correctedLabels import networkLabels
from KidneySegWidgets.result.drawnResult import preparedExam
from KidneySegWidgets.result.labelParts import LabelPart, drawnPart
from KidneySegWidgets.result.resultNodes import ResultNodes

_IMAGE, _NETWORK_LABELS, _NETWORK = "image.nrrd", "network.nrrd", "network.json"
_CANDIDATES = "candidates.nrrd"


@dataclass(frozen=True)
class MeasuringJob:
    """One call of the engine's command `remeasure`.

    Attributes:
        folder: where the files are.
        number: of the change that is measured.
        image: name of the file with the image.
        hasCandidates: whether the network left masses or cysts in doubt.
    """

    folder: Path
    number: int
    image: str = _IMAGE
    hasCandidates: bool = False

    @property
    def labels(self) -> str:
        return f"labels-{self.number}.nrrd"

    @property
    def last(self) -> str:
        return f"last-{self.number}.json"

    @property
    def output(self) -> str:
        return f"findings-{self.number}.json"

    def arguments(self) -> list[str]:
        """Returns what follows `python -m KidneySegLib`."""
        options = {"--network-labels": _NETWORK_LABELS, "--network": _NETWORK, "--last": self.last, "-o": self.output}
        if self.hasCandidates:
            options["--network-candidates"] = _CANDIDATES
        return ["remeasure", self.image, self.labels, *(word for option in options.items() for word in option)]

    def environment(self) -> dict[str, str]:
        """Returns nothing: it needs no more than every call."""
        return {}


class ExamFiles:
    """Image and network's labels are written once, in a thread; of a change only what is drawn is written.

    Files lie in Slicer's temporary folder, hold voxels without any name, and go with `remove`.
    """

    def __init__(self, result: ResultNodes) -> None:
        """Begins to write.

        Raises:
            RuntimeError: the volume was removed, or was changed since.
            OSError: the folder cannot be made.
        """
        prepared, original = preparedExam(result), result.networkFindings()
        view = None if original.in_patient else ViewImage.of(result.volume)
        self._result, self._state = result, _state(result)
        self._ijkToLps, self._number = prepared.ijkToLps if view is None else gridOf(original), 0
        self._candidates = candidateNumbers(result)
        self._error: BaseException | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="KidneySeg-", dir=slicer.app.temporaryPath))
        (self.folder / _NETWORK).write_text(original.to_json(), encoding="utf-8")
        self._image = _IMAGE if view is None else view.place(self.folder)
        voxels = prepared.voxels if view is None else None
        self._thread = threading.Thread(target=self._write, args=(voxels, networkLabels(result)), daemon=True)
        self._thread.start()

    def areOf(self, result: ResultNodes) -> bool:
        """Returns whether they are those of a result whose volume is as it was."""
        return result.segmentationNode is self._result.segmentationNode and _state(result) == self._state

    def areReady(self) -> bool:
        """Returns whether all is written.

        Raises:
            OSError: it could not be.
        """
        if self._thread.is_alive():
            return False
        if self._error is not None:
            raise self._error
        return True

    def jobOf(self, result: ResultNodes) -> MeasuringJob:
        """Writes what is drawn now and returns the call that measures it.

        Raises:
            OSError: it cannot be written.
            RuntimeError: the segments cannot be read.
        """
        self._number += 1
        for file in self.folder.glob("*-*"):  # of the changes before
            file.unlink(missing_ok=True)
        job = MeasuringJob(self.folder, self._number, self._image, self._candidates is not None)
        (self.folder / job.last).write_text(result.findingsText, encoding="utf-8")
        self._writePart(job.labels, drawnPart(result))
        return job

    def remove(self) -> None:
        """Removes them."""
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, voxels: np.ndarray | None, network: np.ndarray) -> None:
        """Runs in a thread of its own; no node is touched here."""
        try:
            if voxels is not None:
                writeNrrd(self.folder / _IMAGE, voxels, self._ijkToLps)
            self._writePart(_NETWORK_LABELS, LabelPart.of(network))
            if self._candidates is not None:
                self._writePart(_CANDIDATES, self._candidates)
        except (OSError, ValueError, MemoryError) as error:
            self._error = error

    def _writePart(self, name: str, part: LabelPart) -> None:
        writeNrrd(self.folder / name, part.voxels, shifted(self._ijkToLps, part.start))


def _state(result: ResultNodes) -> tuple[Any, ...]:
    """Returns what tells an exam from another one: the volume's place, and when its voxels were changed last."""
    volume, network = result.volume, result.networkLabels
    if volume is None or volume.GetImageData() is None or network is None:
        return ()
    return placeOf(volume), volume.GetImageData().GetMTime(), network.GetImageData().GetMTime()
