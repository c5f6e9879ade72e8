"""Which tasks there are."""

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.tasks.ct import CT
from KidneySegLib.tasks.ct_slice import CTSlice
from KidneySegLib.tasks.task import Task
from KidneySegLib.tasks.ultrasound import Ultrasound

_TASKS: dict[str, Task] = {}


def register(task: Task) -> None:
    """Adds a task; one of the same name is replaced."""
    _TASKS[task.name] = task


def all_tasks() -> tuple[Task, ...]:
    """Returns the tasks in the order in which lists show them."""
    return tuple(_TASKS.values())


def task_named(name: str) -> Task:
    """Returns a task by its name.

    Raises:
        InputError: there is none.
    """
    if name not in _TASKS:
        raise InputError("There is no task '{name}'. Choose one of {tasks}.", name=name, tasks=", ".join(_TASKS))
    return _TASKS[name]


def task_for(probe: InputProbe) -> Task:
    """Returns the only task that accepts an input; else the first one, whose reader says what is wrong with the input.

    Raises:
        InputError: several accept it.
    """
    accepting = [task for task in all_tasks() if task.accepts(probe)]
    if len(accepting) > 1:
        names = " or ".join(task.name for task in accepting)
        raise InputError("This input can be of more than one kind. Say which with --task: {tasks}.", tasks=names)
    return accepting[0] if accepting else all_tasks()[0]


def task_of(findings: Findings) -> Task:
    """Returns the task by which findings were measured.

    Raises:
        InputError: this program does not know it.
    """
    return task_named(findings.task)


for _task in (CT(), CTSlice(), Ultrasound()):
    register(_task)
