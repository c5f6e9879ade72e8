"""What can be done to the lesions and stones of a result, and undone again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.emptySegments import removeEmptySegments
from KidneySegWidgets.result.findingsTable import fillTables
from KidneySegWidgets.result.lesionRows import kidneyName
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.worklist import lesionEdits
from KidneySegWidgets.worklist.answering import Answering
from KidneySegWidgets.worklist.labelChange import LabelChange
from KidneySegWidgets.worklist.readerClick import ReaderClick, clickFailure, clickQuestion
from KidneySegWidgets.worklist.steps import DrawnStep, MarkStep, Request, Step, newByClick

_MOST_STEPS = 50


class Worklist:
    """Changes the shown result. Undo belongs to a result and lasts as long as Slicer shows the scene."""

    def __init__(
        self,
        onMarked: Callable[[], None],
        onDrawn: Callable[[], None],
        say: Callable[[str], None],
        onAdded: Callable[[str], None],
    ) -> None:
        """Calls back.

        Args:
            onMarked: the table says something else.
            onDrawn: segments must be measured.
            say: shows a sentence.
            onAdded: a lesion of this name was added by a click.
        """
        self._onMarked, self._onDrawn, self._say, self._onAdded = onMarked, onDrawn, say, onAdded
        self.result: ResultNodes | None = None
        self._steps: dict[str, list[Step]] = {}
        self._answering = Answering(self._onAnswer, self._onFailed)
        self._request: Request | None = None
        self._later: list[Callable[[], None]] = []

    def finish(self) -> None:
        """Waits until all that was asked for is drawn: another result will be shown."""
        while self.isAnswering:
            self._answering.finish()

    def setResult(self, result: ResultNodes | None) -> None:
        """Works on another result; None works on none."""
        self._later = []
        self._answering.stop()
        self.result = result
        if result is not None:
            lesionEdits.loadForEdits()

    def forgetSteps(self) -> None:
        """Forgets what could be undone of all results: the scene is another one."""
        self._steps = {}

    def forgetStepsOf(self, result: ResultNodes) -> None:
        """Forgets what could be undone of one result: the network's version was drawn again."""
        self._steps.pop(result.segmentationNode.GetID(), None)

    def finding(self, identifier: str) -> Any:
        """Returns a lesion or stone, listed or rejected; None if there is none of this name."""
        if self.result is None:
            return None
        findings = self.result.findings()
        listed = [*findings.lesions, *findings.stones, *(each.finding for each in findings.rejected)]
        return next((each for each in listed if each.id == identifier), None)

    def kidney(self, identifier: str) -> Any:
        """Returns the kidney of a row; None if it is of something else."""
        kidneys = self.result.findings().kidneys if self.result is not None else ()
        return next((each for each in kidneys if kidneyName(each.side, each.side_certain) == identifier), None)

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
        """Takes a finding out of the label map. Its row says so at once; numbers follow when they are measured."""
        ensureEngine()
        from KidneySegLib.findings.at_once import rejected_at_once

        self._edit(
            identifier,
            lesionEdits.rejecting,
            lambda findings, _change: rejected_at_once(findings, identifier, self._network()),
        )

    def restore(self, identifier: str) -> None:
        """Draws a rejected finding again."""
        ensureEngine()
        from KidneySegLib.findings.at_once import restored_at_once

        self._edit(identifier, lesionEdits.restoring, lambda findings, _change: restored_at_once(findings, identifier))

    def candidate(self, identifier: str) -> Any:
        """Returns a candidate; None if there is none of this name."""
        candidates = self.result.findings().candidates if self.result is not None else ()
        return next((each for each in candidates if each.id == identifier), None)

    def dismiss(self, identifier: str, isNone: bool) -> None:
        """Leaves a candidate one, for good, or takes that back."""
        ensureEngine()
        from KidneySegLib.findings.marks import dismissed

        self._mark(identifier, lambda findings: dismissed(findings, identifier, yes=isNone))

    def takeOver(self, identifier: str) -> None:
        """Makes a candidate a finding: it is drawn, and measured as what the reader added."""
        candidate = self.candidate(identifier)
        if candidate is None:
            return
        ensureEngine()
        from KidneySegLib.findings.at_once import taken_over_at_once

        def shown(findings: Any, _change: LabelChange) -> Any:
            return taken_over_at_once(findings, identifier, self._network())

        self._ask(Request(lesionEdits.takingOver(candidate), lesionEdits.editFailure, shown))

    def relabel(self, identifier: str, key: str) -> None:
        """Makes a finding a `mass`, `cyst` or `stone`, or part of the `kidney`; or a whole kidney one of the others."""
        ensureEngine()
        from KidneySegLib.findings.at_once import kidney_relabelled_at_once, relabelled_at_once

        def shown(findings: Any, _change: LabelChange) -> Any:
            return relabelled_at_once(findings, identifier, key, self._network())

        def shownOfKidney(findings: Any, _change: LabelChange) -> Any:
            return kidney_relabelled_at_once(findings, kidney.side, key, self._network())

        kidney = self.kidney(identifier)
        if kidney is None:
            self._edit(identifier, lambda finding: lesionEdits.relabelling(finding, key), shown)
        elif key != "kidney":
            self._ask(Request(lesionEdits.relabellingKidney(kidney, key), lesionEdits.editFailure, shownOfKidney))

    def click(self, click: ReaderClick) -> None:
        """Answers a click on what is missing, after what is being answered."""
        ensureEngine()
        from KidneySegLib.findings.at_once import drawn_at_once

        def shown(findings: Any, change: LabelChange) -> Any:
            body, network = change.newBody, self._network()
            if body is None:
                return findings
            return drawn_at_once(findings, body.measures, click.key, grown=body.grown, network=network)

        self._ask(Request(clickQuestion(click), clickFailure, shown))

    @property
    def isAnswering(self) -> bool:
        return self._answering.isWorking

    @property
    def canUndo(self) -> bool:
        return self.isAnswering or bool(self._stepsOfResult())

    def undo(self) -> None:
        """Takes the last step back, once it is done. Where somebody has drawn since, that stays."""
        self.whenFree(self._undo)

    def whenFree(self, work: Callable[[], None]) -> None:
        """Does something now, or after what is being answered: a reader may be quicker than the engine."""
        if self.isAnswering:
            self._later.append(work)
        else:
            work()

    def _undo(self) -> None:
        steps = self._stepsOfResult()
        if not steps or self.result is None:
            return
        step = steps.pop()
        if isinstance(step, DrawnStep):
            self._undraw(step)
            return
        ensureEngine()
        from KidneySegLib.errors import InputError
        from KidneySegLib.findings.marks import marked_as

        try:
            self._take(marked_as(self.result.findings(), step.identifier, step.before))
        except InputError:  # it is not listed any more
            self._onMarked()

    def _undraw(self, step: DrawnStep) -> None:
        assert self.result is not None
        change = step.change.undone(self.result)
        _draw(change, self.result)
        if not (change.after != step.change.before).any():
            # it is as it was seen: so are its name and the confirmation, which a measuring alone would not know
            self._take(step.findings)
        self._onDrawn()

    def _stepsOfResult(self) -> list[Step]:
        if self.result is None:
            return []
        return self._steps.setdefault(self.result.segmentationNode.GetID(), [])

    def _remember(self, step: Step) -> None:
        steps = self._stepsOfResult()
        steps.append(step)
        del steps[:-_MOST_STEPS]

    def _mark(self, identifier: str, mark: Callable[[Any], Any]) -> None:
        finding = self.finding(identifier) or self.candidate(identifier)
        if self.result is None or finding is None:
            return
        findings = mark(self.result.findings())
        before = finding.reading
        self._take(findings)
        if (self.finding(identifier) or self.candidate(identifier)).reading != before:
            self._remember(MarkStep(identifier, before))
            self._onMarked()

    def _take(self, findings: Any) -> None:
        assert self.result is not None
        self.result.setFindings(findings)
        fillTables(self.result, findings)
        self._onMarked()

    def _network(self) -> Any:
        assert self.result is not None
        return self.result.networkFindings()

    def _edit(
        self, identifier: str, ask: Callable[[Any], lesionEdits.Ask], shownAtOnce: Callable[[Any, LabelChange], Any]
    ) -> None:
        finding = self.finding(identifier)
        if finding is not None:
            self._ask(Request(ask(finding), lesionEdits.editFailure, shownAtOnce))

    def _ask(self, request: Request) -> None:
        def ask() -> None:
            if self.result is not None:
                self._request = request
                self._answering.ask(self.result, request.ask)

        self.whenFree(ask)

    def _onFailed(self, error: BaseException) -> None:
        assert self._request is not None
        self._say(self._request.failure(error))
        self._goOn()

    def _onAnswer(self, result: ResultNodes, change: LabelChange) -> None:
        assert self._request is not None
        if not slicer.mrmlScene.IsNodePresent(result.segmentationNode) or result.networkLabels is None:
            return  # it was removed meanwhile
        self._say("")
        if (change.before != change.after).any():
            before = result.findings()
            self._remember(DrawnStep(change, before))
            _draw(change, result)
            shown = self._request.shownAtOnce(before, change)
            if shown != before:
                self._take(shown)
            for identifier in newByClick(before, shown):
                self._onAdded(identifier)
            self._onDrawn()
        self._goOn()

    def _goOn(self) -> None:
        while self._later and not self.isAnswering:
            self._later.pop(0)()


def _draw(change: LabelChange, result: ResultNodes) -> None:
    """Draws a change; a structure of which it leaves nothing has no segment then."""
    change.draw(result)
    removeEmptySegments(result, change.lost)
