"""What the module's own test does in a running Slicer, and what it expects."""

from __future__ import annotations

import time
import unittest

import slicer
import slicer.util

from KidneySegWidgets.exam.sampleData import loadSample
from KidneySegWidgets.result.resultNodes import ResultNodes

# Of a healthy kidney, the phantom's included.
_PLAUSIBLE_ML = (60.0, 350.0)


def segmentBySteps(seconds: float) -> ResultNodes:
    """Loads the phantom, clicks Segment and waits for the result.

    Raises:
        TimeoutError: there is none after that time.
        RuntimeError: the run failed; the message is the panel's.
    """
    slicer.util.selectModule("KidneySeg")
    widget = slicer.modules.kidneyseg.widgetRepresentation().self()
    volume = loadSample()[0]
    widget.ui.inputSelector.setCurrentNode(volume)
    widget.ui.segmentButton.click()
    end = time.monotonic() + seconds
    while widget.runs.queue.current is not None:
        if time.monotonic() > end:
            raise TimeoutError(f"no result within {seconds} s")
        slicer.app.processEvents()
        time.sleep(0.02)
    if widget.results.result is None:
        raise RuntimeError(widget.ui.statusLabel.text)
    return widget.results.result


def checkPhantomResult(test: unittest.TestCase, result: ResultNodes) -> None:
    """Both kidneys are there, on their sides, with plausible volumes, in segments and table alike."""
    segmentation = result.segmentationNode.GetSegmentation()
    findings = result.findings()
    test.assertEqual([kidney.side.value for kidney in findings.kidneys], ["right", "left"])
    for row, kidney in enumerate(findings.kidneys):
        volume = kidney.measures.volume_ml
        test.assertGreater(volume, _PLAUSIBLE_ML[0])
        test.assertLess(volume, _PLAUSIBLE_ML[1])
        test.assertIsNotNone(segmentation.GetSegment(f"kidney_{kidney.side.value}"))
        shown = float(result.table.GetTable().GetValueByName(row, "volume_ml").ToString())
        test.assertAlmostEqual(shown, volume, delta=0.005 * volume)  # three digits are shown
        x = kidney.measures.centroid_lps_mm[0]
        test.assertTrue((x < 0) == (kidney.side.value == "right"), "the phantom's spine is at x = 0")
