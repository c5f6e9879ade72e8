"""The panel in Spanish and Turkish: its words, and that they fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import open_panel, picture_folder, segmented, speak, table_rows  # noqa: E402

# Of a dock beside the views.
WIDEST = 400


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es_419", ("Segmentar", "Elija un volumen, o cargue una TC.", "Masa sólida", "Añadir con clic")),
        ("tr_TR", ("Segmente et", "Bir hacim seçin veya bir BT yükleyin.", "Solid kitle", "Tıklayarak ekle")),
        ("fr_FR", ("Segment", "Choose a volume, or load a CT.", "Solid mass", "Add by click")),
    ],
)
def test_the_panel_speaks_slicers_language(host: Any, language: str, words: tuple[str, ...]) -> None:
    speak(language)
    ui = open_panel(host)[0].ui
    shown = (ui.segmentButton.text, ui.statusLabel.text, ui.addKindComboBox.itemText(0), ui.addLesionButton.text)
    assert shown == words


def test_a_refused_run_a_missing_package_and_a_moved_volume_are_told_in_turkish(host: Any) -> None:
    from slicer import packaging
    from SlicerHost.hands import click

    speak("tr_TR")
    widget = segmented(host)
    assert widget.ui.statusLabel.text == "ct: bitti"
    from KidneySegWidgets.engine.failure import failureMessage

    assert failureMessage(1, ["ModuleNotFoundError: torch"]).startswith("Bir Python paketi eksik")
    assert failureMessage(-9, []).startswith("Sistem çalışmayı büyük olasılıkla bellek yetersizliğinden")
    widget.results.result.volume.SetSpacing(2, 2, 9)
    click(widget.ui.recomputeButton)
    assert "Hacim segmente edildikten sonra ölçeklendi" in widget.ui.correctionLabel.text
    packaging.pretendMissing("torch")
    host.dialogs.answer("No")
    click(widget.ui.segmentButton)
    assert "Şimdi kurulsun mu?" in host.dialogs.texts()[0]


@pytest.mark.parametrize("language", ["es_419", "tr_TR"])
def test_the_table_fits_a_narrow_dock_in_every_language(host: Any, tmp_path: Path, language: str) -> None:
    from SlicerHost.pictures import panelPicture

    speak(language)
    widget = segmented(host)
    host.mainWindow.resize(WIDEST, 1250)
    for section in ("exportSection", "settingsSection", "correctionSection"):
        getattr(widget.ui, section).collapsed = False
    host.app.processEvents()
    panelPicture(picture_folder(tmp_path) / f"panel_{language}.png")
    assert widget.ui.tableView.horizontalScrollBar().maximum == 0
    assert {row["structure"] for row in table_rows(widget.results.result.table)} & {"Riñón", "Böbrek"}
