"""What the panel calls the engine's tasks: the engine speaks English, and language packs take plain texts only."""

from __future__ import annotations

from typing import Any

from KidneySegWidgets.translation import tr as _


def taskTitle(task: Any) -> str:
    """Returns what a task is called in lists; a task that others registered has its own English title."""
    titles = {"ct": _("CT"), "ct-slice": _("CT, single slice"), "ultrasound": _("Ultrasound")}
    return titles.get(task.name, task.title)


def taskExams(task: Any) -> str:
    """Returns which exams a task takes, as the end of a sentence."""
    exams = {
        "ct": _("a volume of several slices"),
        "ct-slice": _("a volume of one slice"),
        "ultrasound": _("an ultrasound image or loop"),
    }
    return exams.get(task.name, task.takes)
