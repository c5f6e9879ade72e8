"""What the panel says can be translated: language packs and our catalogues take texts from .ui files and from `_()`."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import ROOT

MODULE = ROOT / "KidneySeg"
FILES = [MODULE / "KidneySeg.py", *sorted((MODULE / "KidneySegWidgets").rglob("*.py"))]
# What only developers see: a second run in one runner, the module's own test, an unknown setting.
FOR_DEVELOPERS = {"selfTest.py", "processRunner.py", "runQueue.py:setRunner"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_texts_for_translators_are_plain_literals(path) -> None:
    """Extraction reads the source: a composed text would never be found in the language packs."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            assert len(node.args) == 1 and isinstance(node.args[0], ast.Constant), f"line {node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_errors_for_users_can_be_translated(path) -> None:
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef) or {path.name, f"{path.name}:{function.name}"} & FOR_DEVELOPERS:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                plain = isinstance(node.exc.args[0], ast.Constant | ast.JoinedStr)
                assert not plain, f"line {node.lineno} raises a text without _()"


def test_names_for_programs_are_not_offered_to_translators() -> None:
    form = ElementTree.parse(MODULE / "Resources" / "UI" / "KidneySeg.ui")
    found = 0
    for element in form.iter("property"):
        if element.get("name") in ("nodeTypes", "SlicerParameterName"):
            found += 1
            assert element[0].get("notr") == "true", ElementTree.tostring(element, "unicode")
    assert found >= 7


def test_the_engines_tasks_can_be_translated() -> None:
    from KidneySegLib.tasks.registry import all_tasks

    tree = ast.parse((MODULE / "KidneySegWidgets" / "run" / "taskTexts.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {text for task in all_tasks() for text in (task.name, task.title, task.takes)} <= texts
