"""Contrast phase, flags and corrections in words for the panel."""

from __future__ import annotations

import html
import re
from typing import Any

from KidneySegWidgets.engine.language import engineLanguage
from KidneySegWidgets.result.lesionRows import kidneyName
from KidneySegWidgets.translation import tr as _

# On light and on dark styles.
_COLOURS = {"error": "#e53935", "warning": "#b26a00", "info": "#607d8b"}
_MARKS = {"error": "●", "warning": "▲", "info": "–"}
_ORDER = ("error", "warning", "info")
# Remarks name options of the command line. One of them is a field of the panel.
_PIXEL_SIZE, _OPTION = "--pixel-mm", re.compile(r"--[a-z]+( totalsegmentator| kits)?")


def phaseText(findings: Any) -> str:
    """Returns the contrast phase and how sure it is."""
    estimate = findings.phase
    if estimate is None or estimate.phase == "unknown":
        return _("cannot be told")
    names = {
        "non-contrast": _("non-contrast"),
        "corticomedullary": _("corticomedullary (arterial)"),
        "nephrographic": _("nephrographic (portal venous)"),
        "excretory": _("excretory (late)"),
    }
    if estimate.confidence >= 0.8:
        return names[estimate.phase]
    return _("{phase}, not sure").format(phase=names[estimate.phase])


def summaryText(findings: Any) -> str:
    """Returns what was found in one line."""
    if findings.views:
        from KidneySegLib.reporting.content.views import view_summary

        return " ".join(view_summary(findings, engineLanguage()))
    counts = (
        (sum(lesion.structure == "mass" for lesion in findings.lesions), _("solid mass"), _("solid masses")),
        (sum(lesion.structure == "cyst" for lesion in findings.lesions), _("cyst"), _("cysts")),
        (len(findings.stones), _("stone"), _("stones")),
    )
    kidneys = [_kidneyText(kidney) for kidney in findings.kidneys]
    lesions = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    text = ", ".join([*kidneys, *lesions]) or _("no kidney was found")
    return str(engineLanguage().capitalised(text))


def _kidneyText(kidney: Any) -> str:
    """Returns side and volume; no side is claimed that the anatomy contradicts."""
    if not kidney.side_certain:
        name = {"right": _("header-right kidney"), "left": _("header-left kidney")}[kidney.side.value]
    else:
        name = {"right": _("right kidney"), "left": _("left kidney")}[kidney.side.value]
    volume = kidney.measures.volume_ml
    if volume != volume:  # NaN: a single slice has no volume
        return name
    return _("{kidney} {volume:.0f} ml").format(kidney=name, volume=volume)


def flagsHtml(findings: Any) -> str:
    """Returns the flags as a list, the grave ones first, in Slicer's language if the engine speaks it; escaped.

    Those on single lesions and stones stand in their rows.
    """
    inRows = [flag for identifier in _listed(findings) for flag in findings.remarks_on(identifier)]
    flags = [flag for flag in findings.flags if flag not in inRows]
    flags.sort(key=lambda flag: _ORDER.index(flag.severity.value))
    if not flags:
        return _("No remarks but those of rows with a question mark.") if inRows else _("No remarks.")
    language = engineLanguage()
    rows = (
        f'<tr><td style="color:{_COLOURS[flag.severity.value]}; padding-right:6px">{_MARKS[flag.severity.value]}</td>'
        f"<td>{html.escape(inPanel(flag.said(language)))}</td></tr>"
        for flag in flags
    )
    return f"<table cellspacing='0' cellpadding='2'>{''.join(rows)}</table>"


def inPanel(remark: str) -> str:
    """Returns a remark whose options are told for what they are: the panel's, or the command line's."""
    remark = remark.replace(_PIXEL_SIZE, _("'Pixel size' (above)"))
    return _OPTION.sub(lambda option: _("{option} (command line)").format(option=option[0]), remark)


def _listed(findings: Any) -> list[str]:
    return [finding.id for finding in (*findings.lesions, *findings.stones)]


def lesionText(findings: Any, identifier: str) -> str:
    """Returns what is known of a lesion or stone beyond its row: who it is from, how sure that is, what is to check."""
    language = engineLanguage()
    for each in findings.rejected:
        if each.finding.id == identifier:
            return _rejectedText(each)
    for finding in (*findings.lesions, *findings.stones):
        if finding.id == identifier:
            remarks = [*findings.remarks_on(identifier), *_onPieces(findings, identifier)]
            return " ".join([_madeText(finding), *(flag.said(language) for flag in remarks)])
    return ""


def _onPieces(findings: Any, identifier: str) -> list[Any]:
    """Returns the remark that a finding is a piece of a kidney; it is on all of its pieces, and in the list, too."""
    several = (flag for flag in findings.flags if flag.code == "kidney_became_several")
    return [flag for flag in several if identifier in flag.values.get("findings", ())]


def _rejectedText(rejected: Any) -> str:
    """Returns what is known of a rejected finding: that it is kidney now tells another kind from a rejection."""
    text = _("{name}: rejected and not counted. Restore brings it back.")
    if rejected.became.startswith("kidney"):
        text = _("{name}: rejected and not counted; it is kidney now. Restore brings it back.")
    return text.format(name=rejected.finding.id)


def _madeText(finding: Any) -> str:
    texts = {
        "found": _("{name}: found by the network"),
        "confirmed": _("{name}: found by the network and confirmed"),
        "changed": _("{name}: changed by the reader"),
        "added": _("{name}: added by the reader"),
    }
    text = texts[finding.reading.state].format(name=finding.id)
    if (kidney := finding.reading.was_kidney) is not None:
        text += " " + _("(it was kidney {name})").format(name=kidneyName(kidney, finding.side_certain))
    elif finding.reading.was:
        text += " " + _("(it was {name})").format(name=finding.reading.was)
    confidence = getattr(finding, "confidence", None)
    if confidence is not None:
        text += ", " + _("confidence {share} %").format(share=round(100 * confidence))
    return text + "."


def copyText(findings: Any) -> str:
    """Returns the findings as lines for a report system, in Slicer's language if the engine speaks it."""
    language = engineLanguage()
    from KidneySegLib.reporting.text import findings_text

    return findings_text(findings, language)
