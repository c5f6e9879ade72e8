"""The nodes of one result. The segmentation node refers to the others, so a saved scene brings all of them back."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import slicer
import slicer.util

ATTRIBUTE = "KidneySeg.Result"
# Of a result of an ultrasound image, which shows a plane of its own.
VIEW_ATTRIBUTE = "KidneySeg.View"
_VOLUME, _NETWORK = "KidneySeg.Volume", "KidneySeg.NetworkLabels"
_FINDINGS, _ORIGINAL, _TABLE = "KidneySeg.Findings", "KidneySeg.NetworkFindings", "KidneySeg.Table"
_LINE, _WIDTH, _STALE = "KidneySeg.Diameter", "KidneySeg.Width", "KidneySeg.Stale"
_CANDIDATES, _CANDIDATE_TABLE = "KidneySeg.NetworkCandidates", "KidneySeg.CandidateTable"
_TRANSVERSE = "KidneySeg.Transverse"


class ResultNodes:
    """A result: its segmentation node and what belongs to it."""

    def __init__(self, segmentationNode: Any) -> None:
        self.segmentationNode = segmentationNode

    @classmethod
    def create(cls, volume: Any) -> ResultNodes:
        """Makes an empty segmentation for a volume, in the same study of the subject hierarchy."""
        name = slicer.mrmlScene.GenerateUniqueName(f"{volume.GetName()} KidneySeg")  # selectors show nothing but names
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        node.SetAttribute(ATTRIBUTE, "1")
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetOpacity2DFill(0.25)  # the tissue must be seen below its outline
        node.SetNodeReferenceID(_VOLUME, volume.GetID())
        result = cls(node)
        result.addToStudy(node)
        return result

    @staticmethod
    def isResult(node: Any) -> bool:
        return node is not None and node.GetAttribute(ATTRIBUTE) == "1"

    def addToStudy(self, node: Any) -> None:
        """Puts a node beside the volume in the subject hierarchy: into the same patient and study."""
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        volumeItem = hierarchy.GetItemByDataNode(self.volume) if self.volume is not None else 0
        item = hierarchy.GetItemByDataNode(node)
        if volumeItem and item:
            hierarchy.SetItemParent(item, hierarchy.GetItemParent(volumeItem))

    @property
    def volume(self) -> Any:
        """The volume that was segmented; None if it was removed."""
        return self.segmentationNode.GetNodeReference(_VOLUME)

    @property
    def networkLabels(self) -> Any:
        """Hidden label map with what the network drew, on the grid that it worked on."""
        return self.segmentationNode.GetNodeReference(_NETWORK)

    def setNetworkLabels(self, node: Any) -> None:
        node.SetHideFromEditors(True)
        node.SetName(f"{self.segmentationNode.GetName()} network labels")
        self._refer(_NETWORK, node)

    @property
    def networkCandidates(self) -> Any:
        """Hidden label map that numbers the network's candidates in their order; None if there are none."""
        return self.segmentationNode.GetNodeReference(_CANDIDATES)

    def setNetworkCandidates(self, node: Any) -> None:
        node.SetHideFromEditors(True)
        node.SetName(f"{self.segmentationNode.GetName()} network candidates")
        self._refer(_CANDIDATES, node)

    @property
    def isView(self) -> bool:
        """Whether it is of an ultrasound image."""
        return bool(self.segmentationNode.GetAttribute(VIEW_ATTRIBUTE) == "1")

    def setView(self) -> None:
        """Says that it is of an ultrasound image."""
        self.segmentationNode.SetAttribute(VIEW_ATTRIBUTE, "1")

    @property
    def transverse(self) -> Any:
        """Segmentation of the view across the kidney that was chosen for its volume; None without one."""
        return self.segmentationNode.GetNodeReference(_TRANSVERSE)

    def setTransverse(self, node: Any) -> None:
        self.segmentationNode.SetNodeReferenceID(_TRANSVERSE, node.GetID() if node is not None else None)

    @property
    def table(self) -> Any:
        """Table with kidneys, lesions and stones; made at the first call."""
        return self._table("measurements", _TABLE)

    @property
    def candidateTable(self) -> Any:
        """Table with the candidates; made at the first call."""
        return self._table("candidates", _CANDIDATE_TABLE)

    @property
    def hasCandidateTable(self) -> bool:
        return self.segmentationNode.GetNodeReference(_CANDIDATE_TABLE) is not None

    @property
    def hasFindings(self) -> bool:
        return self.segmentationNode.GetNodeReference(_FINDINGS) is not None

    def findings(self) -> Any:
        """Returns the findings as they are now.

        Raises:
            InputError: they were written by another version of the engine, or are damaged.
        """
        return _findingsOf(self.segmentationNode.GetNodeReference(_FINDINGS))

    @property
    def findingsText(self) -> str:
        """The findings as they are now, as they are stored: JSON that nobody has checked."""
        return str(self.segmentationNode.GetNodeReference(_FINDINGS).GetText() or "")

    def setFindings(self, findings: Any) -> None:
        self._text(_FINDINGS, "findings").SetText(findings.to_json())

    def networkFindings(self) -> Any:
        """Returns the findings as the network's run had them."""
        return _findingsOf(self.segmentationNode.GetNodeReference(_ORIGINAL))

    def setNetworkFindings(self, findings: Any) -> None:
        self._text(_ORIGINAL, "network findings").SetText(findings.to_json())

    @property
    def isStale(self) -> bool:
        """Whether segments were changed since they were measured; it is saved with the scene."""
        return bool(self.segmentationNode.GetAttribute(_STALE) == "1")

    def setStale(self, isStale: bool) -> None:
        if isStale != self.isStale:
            self.segmentationNode.SetAttribute(_STALE, "1" if isStale else None)

    @property
    def line(self) -> Any:
        """The diameter line that the views show; None until a row was chosen."""
        return self.segmentationNode.GetNodeReference(_LINE)

    def makeLine(self) -> Any:
        """Returns the diameter line; made at the first call."""
        return self.line or self._add("vtkMRMLMarkupsLineNode", "diameter", _LINE)

    @property
    def widthLine(self) -> Any:
        """The width of a kidney in an ultrasound image; None until a row was chosen, and for all other images."""
        return self.segmentationNode.GetNodeReference(_WIDTH)

    def makeWidthLine(self) -> Any:
        """Returns the line of the width; made at the first call."""
        return self.widthLine or self._add("vtkMRMLMarkupsLineNode", "width", _WIDTH)

    @property
    def lines(self) -> list[Any]:
        """All lines that the views show."""
        return [line for line in (self.line, self.widthLine) if line is not None]

    def parts(self) -> list[Any]:
        """Returns the nodes that are of no use without the segmentation; what a copy of it needs is left out."""
        roles = (_NETWORK, _CANDIDATES, _TABLE, _CANDIDATE_TABLE, _FINDINGS, _ORIGINAL, _LINE, _WIDTH)
        nodes = (self.segmentationNode.GetNodeReference(role) for role in roles if not self._isShared(role))
        return [node for node in nodes if node is not None]

    def separate(self) -> bool:
        """Gives it findings and tables of its own, where a copy has the same; returns whether tables must be filled.

        Slicer's Clone copies the references of a node. What the network drew is never changed, and stays shared.
        """
        if not self._isShared(_FINDINGS):
            return False
        texts = {
            role: (name, self.segmentationNode.GetNodeReference(role))
            for role, name in ((_FINDINGS, "findings"), (_ORIGINAL, "network findings"))
        }
        for role in (_FINDINGS, _ORIGINAL, _TABLE, _CANDIDATE_TABLE, _LINE, _WIDTH):
            self.segmentationNode.SetNodeReferenceID(role, None)
        for role, (name, node) in texts.items():
            if node is not None:
                self._text(role, name).SetText(node.GetText())
        return True

    def _isShared(self, role: str) -> bool:
        identifier = self.segmentationNode.GetNodeReferenceID(role)
        others = slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if identifier else []
        return any(
            other is not self.segmentationNode and other.GetNodeReferenceID(role) == identifier for other in others
        )

    def _table(self, name: str, role: str) -> Any:
        node = self.segmentationNode.GetNodeReference(role)
        if node is None:
            node = self._add("vtkMRMLTableNode", name, role)
            node.SetLocked(True)
            self.addToStudy(node)
        return node

    def _text(self, role: str, name: str) -> Any:
        node = self.segmentationNode.GetNodeReference(role)
        if node is None:
            node = self._add("vtkMRMLTextNode", name, role, hidden=True)
            node.SetForceCreateStorageNode(slicer.vtkMRMLTextNode.CreateStorageNodeAlways)
        return node

    def _add(self, className: str, name: str, role: str, hidden: bool = False) -> Any:
        node = slicer.mrmlScene.CreateNodeByClass(className)
        node.UnRegister(None)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(f"{self.segmentationNode.GetName()} {name}"))
        node.SetHideFromEditors(hidden)
        slicer.mrmlScene.AddNode(node)
        self._refer(role, node)
        return node

    def _refer(self, role: str, node: Any) -> None:
        self.segmentationNode.SetNodeReferenceID(role, node.GetID())


def _findingsOf(textNode: Any) -> Any:
    return _parsed(textNode.GetText() if textNode is not None else "")


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """Findings never change, and the panel asks for the same ones at several places after each change."""
    from KidneySegWidgets.engine.engineLocation import ensureEngine

    ensureEngine()
    from KidneySegLib.findings import Findings

    return Findings.from_json(text)
