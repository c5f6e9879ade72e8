"""The volume of a kidney from two ultrasound views, chosen in the panel."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

import ultrasound_cases as us  # noqa: E402
from module_cases import segmented, table_rows, write_segment  # noqa: E402
from module_ultrasound_cases import Database, Databases, load, opened, segment  # noqa: E402

from KidneySegLib.result_files.result import Result  # noqa: E402

RADII = (25, 30)  # of the view across the kidney: 48 by 40 mm
VOLUME_ML = math.pi / 6 * us.LENGTH_MM * 48 * 40 / 1000


@pytest.fixture
def widget(host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The panel with a view along the right kidney, which is shown, and one across it, of one study."""
    import slicer
    from SlicerHost.hands import choose

    images = {"along": us.frame(), "across": us.frame(us.ellipse(radii=RADII))}
    made = {}
    for name, pixels in images.items():
        (tmp_path / name).mkdir()
        file = us.write(tmp_path / name, pixels, [us.region()], Laterality="R", StudyInstanceUID="1.2.3")
        made[name] = Database(file)
    monkeypatch.setattr(slicer, "dicomDatabase", Databases(*made.values()), raising=False)
    panel = opened(host)
    for name in ("across", "along"):
        load(images[name][None], made[name], name)
        host.app.processEvents()
        choose(panel.ui.inputSelector, name)
        segment(panel)
    assert panel.results.result.segmentationNode.GetName() == "along KidneySeg"
    return panel


def row(widget: Any) -> dict[str, str]:
    (only,) = table_rows(widget.results.result.table)
    return only


def add(widget: Any) -> None:
    from SlicerHost.hands import choose

    choose(widget.ui.transverseSelector, "across KidneySeg")


def test_the_second_view_gives_the_volume_in_table_summary_and_text(widget: Any) -> None:
    import qt
    from SlicerHost.hands import choose, click

    before, remarks = row(widget), widget.ui.flagsBrowser.plainText
    assert "volume_ml" not in before and widget.ui.transverseSelector.isVisible()
    add(widget)
    assert float(row(widget)["volume_ml"]) == pytest.approx(VOLUME_ML, rel=0.05)
    assert f"ellipsoid: {row(widget)['volume_ml']} ml" in widget.ui.summaryLabel.text
    assert "ellipsoid" in widget.ui.flagsBrowser.plainText and not widget.ui.secondViewLabel.isVisible()
    titles = [
        widget.ui.tableView.model().headerData(n, qt.Qt.Horizontal)
        for n in range(widget.ui.tableView.model().columnCount())
    ]
    assert "Volume (ml)" in titles
    click(widget.ui.copyTextButton)
    assert f"{row(widget)['volume_ml']} ml" in qt.QApplication.clipboard().text()
    choose(widget.ui.transverseSelector, "No view across the kidney")
    assert row(widget) == before and widget.ui.flagsBrowser.plainText == remarks


def test_a_correction_of_either_view_renews_it(widget: Any) -> None:
    from SlicerHost.hands import choose, waitUntil

    add(widget)
    first = widget.results.result.findings().ellipsoid.volume_ml
    write_segment(widget.results.result, "kidney_right", us.ellipse(radii=(30, 50))[None])
    waitUntil(lambda: not widget.correction.isStale, 30)
    shorter = widget.results.result.findings().ellipsoid.volume_ml
    assert shorter == pytest.approx(first * 5 / 6, rel=0.03)
    choose(widget.ui.resultSelector, "across KidneySeg")
    assert "volume_ml" not in row(widget), "the volume stands with the view along the kidney"
    write_segment(widget.results.result, "kidney_right", us.ellipse(radii=(20, 30))[None])
    waitUntil(lambda: not widget.correction.isStale, 30)
    choose(widget.ui.resultSelector, "along KidneySeg")
    assert widget.results.result.findings().ellipsoid.volume_ml == pytest.approx(shorter * 4 / 5, rel=0.03)
    assert float(row(widget)["volume_ml"]) == pytest.approx(shorter * 4 / 5, rel=0.03)
    write_segment(widget.results.result, "kidney_right", np.zeros((1, us.ROWS, us.COLUMNS)))
    waitUntil(lambda: not widget.correction.isStale, 30)
    assert widget.results.result.findings().ellipsoid is None, "there is no kidney any more"


def test_export_and_report_have_it(widget: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import click, waitUntil

    add(widget)
    click(widget.ui.exportSection)
    (tmp_path / "out").mkdir()
    widget.ui.exportFolderButton.directory = str(tmp_path / "out")
    widget.ui.exportReportCheckBox.checked = True
    widget.ui.exportDicomCheckBox.checked = False
    click(widget.ui.exportButton)
    waitUntil(lambda: not widget.exports.isWriting, 60)
    (folder,) = (tmp_path / "out").iterdir()
    written = Result.read(folder).findings.ellipsoid
    assert written is not None and written.volume_ml == pytest.approx(VOLUME_ML, rel=0.05)
    assert "Volume from two views" in (folder / "report.html").read_text(encoding="utf-8")
    assert widget.results.result.findings().ellipsoid is not None, "what was measured for it is shown"


def test_it_comes_back_with_the_scene_and_goes_with_its_view(widget: Any, host: Any, tmp_path: Path) -> None:
    import slicer
    import slicer.util

    add(widget)
    table = row(widget)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.clearScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.app.processEvents()
    assert row(widget) == table and widget.ui.transverseSelector.currentNode().GetName() == "across KidneySeg"
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("across KidneySeg"))
    host.app.processEvents()
    assert "volume_ml" not in row(widget) and widget.results.result.findings().ellipsoid is None


def test_it_stays_while_another_scene_is_added(widget: Any, host: Any) -> None:
    """Slicer's lists of nodes choose none while a scene is read."""
    import slicer

    add(widget)
    table = row(widget)
    slicer.mrmlScene.StartState(slicer.mrmlScene.ImportState)
    widget.ui.transverseSelector.setCurrentNode(None)
    slicer.mrmlScene.EndState(slicer.mrmlScene.ImportState)
    host.app.processEvents()
    assert widget.ui.transverseSelector.currentNode().GetName() == "across KidneySeg"
    assert row(widget) == table and "volume_ml" in table


def test_what_gives_no_volume_says_why(widget: Any) -> None:
    from SlicerHost.hands import choose

    choose(widget.ui.transverseSelector, "along KidneySeg")
    assert widget.ui.secondViewLabel.text.startswith("Both views are the same image.")
    assert widget.ui.secondViewLabel.isVisible() and "volume_ml" not in row(widget)
    add(widget)
    assert not widget.ui.secondViewLabel.isVisible() and "volume_ml" in row(widget)


@pytest.mark.parametrize(
    ("setting", "words"), [("es_419", "Ambas vistas son la misma imagen"), ("tr", "İki görünüm aynı görüntü")]
)
def test_why_there_is_no_volume_is_said_in_the_readers_language(widget: Any, setting: str, words: str) -> None:
    import slicer
    from SlicerHost.hands import choose

    slicer.app.userSettings().setValue("language", setting)
    slicer.app.userSettings().setValue("Internationalization/Enabled", True)
    choose(widget.ui.transverseSelector, "along KidneySeg")
    assert words in widget.ui.secondViewLabel.text


def test_a_ct_has_no_second_view(host: Any) -> None:
    widget = segmented(host)
    assert not widget.ui.transverseSelector.isVisible() and not widget.ui.formLabelTransverse.isVisible()
