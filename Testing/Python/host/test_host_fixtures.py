"""The fixture `host` fails tests that leave errors or answers behind, and cleans up between tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["pytester", "SlicerHost.pytest_fixtures"]

TESTS = """
pytest_plugins = ["SlicerHost.pytest_fixtures"]


def test_error_in_a_slot(host):
    import qt

    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()


def test_answer_left_over(host):
    host.dialogs.answer("Yes")


def test_question_without_answer_in_a_slot(host):
    import qt
    import slicer.util

    button = qt.QPushButton()
    button.connect("clicked()", lambda: slicer.util.confirmYesNoDisplay("Overwrite?"))
    button.click()


def test_leaves_things(host):
    import slicer

    host.scene.AddNewNodeByClass("vtkMRMLTextNode")
    slicer.app.userSettings().setValue("key", 1)
    slicer.packaging.pretendMissing("numpy")


def test_finds_nothing(host):
    import slicer

    assert host.scene.GetNumberOfNodesByClass("vtkMRMLTextNode") == 0
    assert not slicer.app.userSettings().contains("key")
    assert slicer.packaging.pip_check("numpy")
"""


def test_what_is_left_behind_fails_the_test(pytester: pytest.Pytester) -> None:
    testing = Path(__file__).resolve().parents[2]
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-o", f"pythonpath={testing}", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, errors=3)
    result.stdout.fnmatch_lines(
        ["*ZeroDivisionError*", "*answers that no dialog asked for*", "*nobody answered 'Overwrite?'*"]
    )
