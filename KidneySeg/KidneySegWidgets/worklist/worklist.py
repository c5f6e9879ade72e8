"""What can be done to the lesions and stones of a result, and undone again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.findingsTable import fillTable
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.worklist.clickAnswer import ClickAnswer, ReaderClick
from KidneySegWidgets.worklist.labelChange import LabelChange
from KidneySegWidgets.worklist.lesionEdits import rejecting, relabelling, restoring

_MOST_STEPS = 50


@dataclass(frozen=True)
class _MarkStep:
    """A mark that was set: on which finding, and what it had before."""

    identifier: str
    before: Any


class Worklist:
    """Changes the shown result. Undo belongs to a result and lasts as long as Slicer shows the scene."""

    def __init__(self, onMarked: Callable[[], None], onDrawn: Callable[[], None], say: Callable[[str], None]) -> None:
        """`onMarked`: the table says something else; `onDrawn`: segments must be measured; `say`: shows a sentence."""
        self._onMarked, self._onDrawn, self._say = onMarked, onDrawn, say
        self.result: ResultNodes | None = None
        self._steps: dict[str, list[_MarkStep | LabelChange]] = {}
        self._clicks = ClickAnswer(self._onAnswer, say)

    def setResult(self, result: ResultNodes | None) -> None:
        """Works on another result; None works on none."""
        self._clicks.stop()
        self.result = result

    def forgetSteps(self) -> None:
        """Forgets what could be undone: the scene is another one, or the network's version was drawn again."""
        self._steps = {}

    def finding(self, identifier: str) -> Any:
        """Returns a lesion or stone, listed or rejected; None if there is none of this name."""
        if self.result is None:
            return None
        findings = self.result.findings()
        listed = [*findings.lesions, *findings.stones, *(each.finding for each in findings.rejected)]
        return next((each for each in listed if each.id == identifier), None)

    def isRejected(self, identifier: str) -> bool:
        """Returns whether a finding is one of those that the reader rejected."""
        rejected = self.result.findings().rejected if self.result is not None else ()
        return any(each.finding.id == identifier for each in rejected)

    def confirm(self, identifier: str, isRight: bool) -> None:
        """Confirms a finding, or takes that back."""
        ensureEngine()
        from KidneySegLib.findings.marks import confirmed

        self._mark(identifier, lambda findings: confirmed(findings, identifier, yes=isRight))

    def rename(self, identifier: str, name: str) -> None:
        """Gives a finding the reader's name.

        Raises:
            InputError: it is more than a short line.
        """
        ensureEngine()
        from KidneySegLib.findings.marks import named

        self._mark(identifier, lambda findings: named(findings, identifier, name))

    def reject(self, identifier: str) -> None:
        """Takes a finding out of the label map."""
        self._edit(lambda result: rejecting(result, self.finding(identifier)))

    def restore(self, identifier: str) -> None:
        """Draws a rejected finding again."""
        self._edit(lambda result: restoring(result, self.finding(identifier)))

    def relabel(self, identifier: str, key: str) -> None:
        """Makes a finding a `mass`, `cyst` or `stone`, or part of the `kidney`."""
        self._edit(lambda result: relabelling(result, self.finding(identifier), key))

    def click(self, click: ReaderClick) -> bool:
        """Answers a click on what is missing; returns False while another one is being answered."""
        return self.result is not None and self._clicks.ask(self.result, click)

    @property
    def isAnswering(self) -> bool:
        return self._clicks.isWorking

    @property
    def canUndo(self) -> bool:
        return bool(self._stepsOfResult())

    def undo(self) -> None:
        """Takes the last step back. Where somebody has drawn since, that stays."""
        steps = self._stepsOfResult()
        if not steps or self.result is None:
            return
        step = steps.pop()
        if isinstance(step, LabelChange):
            step.undone(self.result).draw(self.result)
            self._onDrawn()
            return
        ensureEngine()
        from KidneySegLib.errors import InputError
        from KidneySegLib.findings.marks import marked_as

        try:
            self._take(marked_as(self.result.findings(), step.identifier, step.before))
        except InputError:  # it is not listed any more
            self._onMarked()

    def _stepsOfResult(self) -> list[_MarkStep | LabelChange]:
        if self.result is None:
            return []
        return self._steps.setdefault(self.result.segmentationNode.GetID(), [])

    def _remember(self, step: _MarkStep | LabelChange) -> None:
        steps = self._stepsOfResult()
        steps.append(step)
        del steps[:-_MOST_STEPS]

    def _mark(self, identifier: str, mark: Callable[[Any], Any]) -> None:
        finding = self.finding(identifier)
        if self.result is None or finding is None:
            return
        findings = mark(self.result.findings())
        before = finding.reading
        self._take(findings)
        if self.finding(identifier).reading != before:
            self._remember(_MarkStep(identifier, before))
            self._onMarked()

    def _take(self, findings: Any) -> None:
        assert self.result is not None
        self.result.setFindings(findings)
        fillTable(self.result.table, findings)
        self._onMarked()

    def _edit(self, change: Callable[[ResultNodes], LabelChange]) -> None:
        from KidneySegWidgets.complaints import logError, reasonOf

        if self.result is None:
            return
        try:
            made = change(self.result)
        except Exception as error:
            logError(error)
            self._say(reasonOf(error))
            return
        self._onAnswer(self.result, made)

    def _onAnswer(self, result: ResultNodes, change: LabelChange) -> None:
        if not (change.before != change.after).any():
            self._say("")
            return
        self._remember(change)
        change.draw(result)
        self._say("")
        self._onDrawn()
