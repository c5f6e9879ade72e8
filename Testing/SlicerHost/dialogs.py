"""Modal dialogs in tests: recorded, and answered by what the test has said beforehand.

Boxes are really shown and their buttons really clicked, so `clickedButton()` and signals are those of Qt. A question
that nobody answers is an error, not a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import qt
import shiboken6


class UnansweredDialog(AssertionError):
    """A dialog asked something that the test has not answered."""


@dataclass(frozen=True)
class Shown:
    """One dialog as it was shown."""

    kind: str
    """`message`, `file`, `text`, `dialog`, `openUrl`, or one of the application's own, as `openAddDataDialog`."""
    title: str = ""
    text: str = ""
    informativeText: str = ""
    detailedText: str = ""
    buttons: tuple[str, ...] = ()
    icon: str = ""
    """`Information`, `Warning`, `Critical`, `Question` or `NoIcon` of a message."""


def _plain(text: str) -> str:
    return text.replace("&", "")


class Dialogs:
    """The record of dialogs and the answers that are still to be given."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self._answers: list[str | int] = []
        self._paths: list[str] = []
        self._handlers: list[Callable[[Any], None]] = []
        self._doomed: list[Any] = []
        self._install()

    def reset(self) -> None:
        """Forgets everything."""
        self.shown.clear()
        self._answers.clear()
        self._paths.clear()
        self._handlers.clear()

    def answer(self, *answers: str | int) -> None:
        """Says which buttons the next questions get: their text without `&`, or a standard button."""
        self._answers += answers

    def answerPath(self, *paths: Any) -> None:
        """Says what the next file dialogs (and text dialogs) give back; an empty text is Cancel."""
        self._paths += [str(path) for path in paths]

    def handleNext(self, handler: Callable[[Any], None]) -> None:
        """Calls `handler(dialog)` as soon as the next dialog of the script's own is open; it must close it."""
        self._handlers.append(handler)

    def unused(self) -> list[Any]:
        """Returns the answers that no dialog has asked for."""
        return [*self._answers, *self._paths, *self._handlers]

    def texts(self) -> list[str]:
        """Returns the texts of the message boxes."""
        return [each.text for each in self.shown if each.kind == "message"]

    def record(self, kind: str, **details: Any) -> None:
        """Notes a dialog."""
        self.shown.append(Shown(kind, **details))

    # message boxes

    def _runBox(self, box: Any) -> int:
        buttons = {_plain(button.text): button for button in box.buttons()}
        self.record(
            "message",
            title=box.windowTitle.strip(),
            text=box.text,
            informativeText=box.informativeText,
            detailedText=box.detailedText,
            buttons=tuple(buttons),
            icon=box.icon.name,
        )
        qt.QTimer.singleShot(0, self._buttonFor(box, buttons).click)
        return self._runLoop(box, self._execBox)

    def _buttonFor(self, box: Any, buttons: dict[str, Any]) -> Any:
        choices = {text: button for text, button in buttons.items() if _plain(text) != "Show Details..."}
        if not choices:
            return box.addButton(qt.QMessageBox.Ok)  # Qt does the same when a box without buttons is shown
        if len(choices) == 1:
            return next(iter(choices.values()))
        question = f"{box.text!r} with the buttons {', '.join(choices)}"
        if not self._answers:
            raise UnansweredDialog(f"nobody answered {question}")
        answer = self._answers.pop(0)
        found = choices.get(answer) if isinstance(answer, str) else box.button(qt.QMessageBox.StandardButton(answer))
        if found is None:
            raise UnansweredDialog(f"there is no {answer!r} to answer {question}")
        return found

    def _ask(self, icon: Any, parent: Any, title: str, text: str, buttons: Any, defaultButton: Any) -> Any:
        box = qt.QMessageBox(icon, title, text, buttons, parent)
        if defaultButton is not None:
            box.setDefaultButton(defaultButton)
        return qt.QMessageBox.StandardButton(self._runBox(box))

    # other dialogs

    def _runLoop(self, dialog: Any, run: Callable[[Any], int]) -> int:
        """Runs a dialog that may have been told to go beforehand, as `slicer.util` tells its message boxes.

        In Slicer it goes when its loop has ended, because an event loop runs around it. In a test none does, and Qt
        would delete the dialog as soon as its own loop begins. The window behind it is active again, as on a desktop.
        """
        result = int(run(dialog))
        if dialog in self._doomed:
            self._doomed.remove(dialog)
            self._deleteLater(dialog)
        if dialog.parentWidget() is not None:
            dialog.parentWidget().window().activateWindow()
        return result

    def deleteDoomed(self) -> None:
        """Lets those go that were told to, and never ran."""
        doomed, self._doomed = self._doomed, []
        for dialog in filter(shiboken6.isValid, doomed):
            self._deleteLater(dialog)

    def _runDialog(self, dialog: Any) -> int:
        """Runs a dialog of the script's own; one that nobody closes is closed after five seconds, and an error."""
        self.record("dialog", title=dialog.windowTitle)
        expired: list[bool] = []

        def expire() -> None:
            expired.append(True)
            dialog.reject()

        guard = qt.QTimer(dialog)
        guard.singleShot = True
        guard.timeout.connect(expire)
        guard.start(5000)
        if self._handlers:
            handler = self._handlers.pop(0)
            qt.QTimer.singleShot(0, lambda: handler(dialog))
        title = dialog.windowTitle
        result = self._runLoop(dialog, self._execDialog)
        if expired:
            raise UnansweredDialog(f"nobody closed the dialog {title!r}")
        guard.stop()
        return result

    def _nextPath(self, kind: str, title: str) -> str:
        self.record(kind, title=title)
        if not self._paths:
            raise UnansweredDialog(f"nobody answered the {kind} dialog {title!r}")
        return self._paths.pop(0)

    def _install(self) -> None:
        """Puts this record in the place of Qt's modal loops; PythonQt gives a path alone, PySide6 path and filter."""
        self._execBox, self._execDialog = qt.QMessageBox.exec, qt.QDialog.exec
        self._deleteLater = qt.QDialog.deleteLater

        qt.QDialog.deleteLater = lambda dialog: self._doomed.append(dialog)

        def path(_parent: Any = None, title: str = "", *_rest: Any) -> str:
            return self._nextPath("file", title)

        def paths(_parent: Any = None, title: str = "", *_rest: Any) -> list[str]:
            return [each for each in [self._nextPath("file", title)] if each]

        def text(_parent: Any = None, title: str = "", *_rest: Any) -> str:
            return self._nextPath("text", title)

        for kind, run in ((qt.QMessageBox, self._runBox), (qt.QDialog, self._runDialog)):
            kind.exec = kind.exec_ = lambda dialog, run=run: run(dialog)
        for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
            setattr(qt.QFileDialog, name, staticmethod(path))
        qt.QFileDialog.getOpenFileNames = staticmethod(paths)
        qt.QInputDialog.getText = staticmethod(text)
        qt.QDesktopServices.openUrl = staticmethod(self._openUrl)
        self._installQuestions()

    def _openUrl(self, url: Any) -> bool:
        """Notes what would be opened in a browser or another program."""
        self.record("openUrl", text=url.toString())
        return True

    def _installQuestions(self) -> None:
        box = qt.QMessageBox
        defaults = {"information": box.Ok, "warning": box.Ok, "critical": box.Ok, "question": box.Yes | box.No}
        for name, standard in defaults.items():
            icon = getattr(box, name.capitalize())

            def ask(
                parent: Any,
                title: str,
                text: str,
                buttons: Any = standard,
                defaultButton: Any = None,
                icon: Any = icon,
            ) -> Any:
                return self._ask(icon, parent, title, text, buttons, defaultButton)

            setattr(box, name, staticmethod(ask))
