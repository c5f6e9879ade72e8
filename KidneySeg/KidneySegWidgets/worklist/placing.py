"""Asks for one click into a view, by Slicer's own way of placing a point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer

_NAME = "KidneySeg click"


class PointPlacing:
    """While it waits, the next click into a view is the point; Escape and other tools end it."""

    def __init__(self, onPoint: Callable[[np.ndarray], None], onEnd: Callable[[], None]) -> None:
        """`onPoint` gets a point in mm RAS; `onEnd` is told that nothing is waited for any more."""
        self._onPoint, self._onEnd = onPoint, onEnd
        self._node: Any = None
        self._tags: list[tuple[Any, int]] = []

    @property
    def isWaiting(self) -> bool:
        return self._node is not None

    def start(self) -> None:
        """Waits for a click."""
        self.stop()
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLMarkupsFiducialNode")
        node.UnRegister(None)
        node.SetName(_NAME)
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        slicer.mrmlScene.AddNode(node)
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetSaveWithScene(False)
        self._node = node
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        selection.SetActivePlaceNodeID(node.GetID())
        interaction.SetPlaceModePersistence(False)
        interaction.SetCurrentInteractionMode(interaction.Place)
        self._observe(node, node.PointPositionDefinedEvent, self._onDefined)
        self._observe(interaction, interaction.InteractionModeChangedEvent, self._onMode)

    def stop(self) -> None:
        """Waits no longer; leaves nothing in the scene."""
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        node, self._node, self._tags = self._node, None, []
        if node is None:
            return
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        if interaction.GetCurrentInteractionMode() == interaction.Place:
            interaction.SwitchToViewTransformMode()
        slicer.mrmlScene.RemoveNode(node)
        self._onEnd()

    def _observe(self, observed: Any, event: Any, slot: Callable[..., None]) -> None:
        self._tags.append((observed, observed.AddObserver(event, slot)))

    def _onDefined(self, node: Any, _event: str) -> None:
        point = np.zeros(3)
        node.GetNthControlPointPositionWorld(0, point)
        self.stop()
        self._onPoint(point)

    def _onMode(self, interaction: Any, _event: str) -> None:
        if self._node is None or interaction.GetCurrentInteractionMode() == interaction.Place:
            return
        if self._node.GetNumberOfDefinedControlPoints() == 0:  # the point that ends the mode may be defined first
            self.stop()
