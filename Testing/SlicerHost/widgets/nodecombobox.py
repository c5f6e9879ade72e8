"""qMRMLNodeComboBox: the nodes of a scene in a combo box."""

from __future__ import annotations

from typing import Any

import qt
import vtk
from PySide6.QtCore import Property, Signal

from SlicerHost.pythonqt.standins import standIn
from SlicerHost.widgets.observing import Observers
from SlicerHost.widgets.sceneaware import SceneAware, keptOption

_CREATE, _RENAME, _DELETE = "create", "rename", "delete"


@standIn
class qMRMLNodeComboBox(SceneAware, qt.QWidget):
    """Chooses a node of given classes; can make, rename and delete one.

    The inner `comboBox()` is what tests click; its entries are None, the nodes, and the actions.
    """

    currentNodeChanged = Signal(object)
    currentNodeChosen = Signal(bool)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAdded = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    cppSignals = {
        "currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged",
        "currentNodeChanged(bool)": "currentNodeChosen",
        "nodeActivated(vtkMRMLNode*)": "nodeActivated",
        "nodeAddedByUser(vtkMRMLNode*)": "nodeAddedByUser",
        "nodeAdded(vtkMRMLNode*)": "nodeAdded",
        "nodeAboutToBeRemoved(vtkMRMLNode*)": "nodeAboutToBeRemoved",
    }

    uiEnums = ("sizeAdjustPolicy",)

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self._comboBox = qt.QComboBox()
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._comboBox)
        self.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        self._comboBox.activated.connect(self._onActivated)
        self._options: dict[str, Any] = {
            "noneEnabled": False,
            "addEnabled": True,
            "removeEnabled": True,
            "renameEnabled": False,
            "editEnabled": False,
            "showHidden": False,
            "showChildNodeTypes": True,
            "selectNodeUponCreation": True,
            "baseName": "",
            "noneDisplay": "None",
        }
        self._nodeTypes: list[str] = []
        self._attributes: list[tuple[str, str, Any]] = []
        self._currentID = ""
        self._sceneObservers = Observers()
        self._nodeObservers = Observers()

    # the scene

    def setMRMLScene(self, scene: Any) -> None:
        self._sceneObservers.clear()
        super().setMRMLScene(scene)
        if scene is not None:
            onChanged = self._onSceneChanged
            events = [scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent]
            self._sceneObservers.add(scene, events, onChanged)
        self._refresh()

    def _onSceneChanged(self, _caller: Any, _event: str) -> None:
        if not self._scene.IsBatchProcessing():
            self._refresh()

    # which nodes

    def _getNodeTypes(self) -> list[str]:
        return self._nodeTypes

    def setNodeTypes(self, classes: list[str]) -> None:
        self._nodeTypes = list(classes)
        self._refresh()

    nodeTypes = Property("QStringList", _getNodeTypes, setNodeTypes)

    def addAttribute(self, nodeType: str, name: str, value: Any = None) -> None:
        """Lists nodes of this class only if they have the attribute (with this value)."""
        self._attributes.append((nodeType, name, value))
        self._refresh()

    def removeAttribute(self, nodeType: str, name: str) -> None:
        self._attributes = [each for each in self._attributes if each[:2] != (nodeType, name)]
        self._refresh()

    def _accepts(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        if self.showChildNodeTypes:
            fits = any(node.IsA(each) for each in self._nodeTypes)
        else:
            fits = node.GetClassName() in self._nodeTypes
        wanted = [(name, value) for kind, name, value in self._attributes if node.IsA(kind)]
        return fits and all(
            node.GetAttribute(name) is not None and value in (None, node.GetAttribute(name)) for name, value in wanted
        )

    def nodes(self) -> list[Any]:
        """Returns the nodes in the order of the scene."""
        if self._scene is None:
            return []
        every = (self._scene.GetNthNode(number) for number in range(self._scene.GetNumberOfNodes()))
        return [node for node in every if self._accepts(node)]

    def nodeCount(self) -> int:
        return len(self.nodes())

    def nodeFromIndex(self, index: int) -> Any:
        return self.nodes()[index]

    # the list

    def comboBox(self) -> qt.QComboBox:
        """Returns the combo box to click on. Slicer's widget has one, too, but does not hand it out."""
        return self._comboBox

    def _typeLabel(self) -> str:
        return self._nodeTypes[0].removeprefix("vtkMRML").removesuffix("Node") if self._nodeTypes else "node"

    def _refresh(self) -> None:
        """Lists the nodes anew and keeps the current one if it is still there."""
        listed = [node.GetID() for node in self.nodes()]
        current = self._currentID
        if current not in listed:
            current = "" if self.noneEnabled or not listed else listed[0]
        if not self._setCurrentID(current):
            self._fill()

    def _fill(self) -> None:
        nodes = self.nodes()
        self._nodeObservers.clear()
        self._comboBox.clear()
        if self.noneEnabled or not nodes:
            self._comboBox.addItem(self.noneDisplay, "")
        for node in nodes:
            self._nodeObservers.add(node, [vtk.vtkCommand.ModifiedEvent], self._onNodeModified)
            self._comboBox.addItem(node.GetName() or "", node.GetID())
        self._addActions(bool(self._currentID))
        self._comboBox.setCurrentIndex(self._comboBox.findData(self._currentID))

    def _addActions(self, hasNode: bool) -> None:
        label = self._typeLabel()
        actions = [
            (self.addEnabled, f"Create new {label}", _CREATE),
            (self.renameEnabled and hasNode, f"Rename current {label}", _RENAME),
            (self.removeEnabled and hasNode, f"Delete current {label}", _DELETE),
        ]
        for _enabled, text, action in (each for each in actions if each[0]):
            self._comboBox.addItem(text, f"<{action}>")

    def _onNodeModified(self, caller: Any, _event: str) -> None:
        index = self._comboBox.findData(caller.GetID())
        if index >= 0:
            self._comboBox.setItemText(index, caller.GetName() or "")

    def _onActivated(self, index: int) -> None:
        chosen = self._comboBox.itemData(index)
        if chosen == f"<{_CREATE}>":
            self.addNode()
        elif chosen == f"<{_RENAME}>":
            self._rename()
        elif chosen == f"<{_DELETE}>":
            self._scene.RemoveNode(self.currentNode())
        else:
            self._setCurrentID(chosen)
            self.nodeActivated.emit(self.currentNode())
        self._comboBox.setCurrentIndex(self._comboBox.findData(self._currentID))

    def _rename(self) -> None:
        node = self.currentNode()
        name = qt.QInputDialog.getText(self, "Rename", "New name:", qt.QLineEdit.Normal, node.GetName())
        if name:
            node.SetName(name)

    def addNode(self) -> Any:
        """Makes a node of the first class, as the entry of the combo box does."""
        name = self.baseName or self._typeLabel()
        node = self._scene.AddNewNodeByClass(self._nodeTypes[0], self._scene.GenerateUniqueName(name))
        self.nodeAddedByUser.emit(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        return node

    # the current node

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._currentID) if self._scene is not None and self._currentID else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def _getCurrentNodeID(self) -> str:
        return self._currentID

    def setCurrentNodeID(self, nodeID: str) -> None:
        """Chooses a listed node; anything else chooses none, as in Slicer."""
        listed = [node.GetID() for node in self.nodes()]
        self._setCurrentID(nodeID if nodeID in listed else "")

    currentNodeID = Property(str, _getCurrentNodeID, setCurrentNodeID)

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodes()[index])

    def _setCurrentID(self, nodeID: str) -> bool:
        """Makes a node the current one; tells everybody, and returns True, if it was not."""
        if nodeID == self._currentID:
            return False
        self._currentID = nodeID
        self._fill()  # what can be done with the current node is in the list, too
        node = self.currentNode()
        self.currentNodeChanged.emit(node)
        self.currentNodeChosen.emit(node is not None)
        self.currentNodeIDChanged.emit(nodeID)
        return True

    def _getSizeAdjustPolicy(self) -> Any:
        return self._comboBox.sizeAdjustPolicy

    def setSizeAdjustPolicy(self, policy: Any) -> None:
        """How wide it must be: as its entries, or as any text that is then cut."""
        self._comboBox.setSizeAdjustPolicy(policy)

    sizeAdjustPolicy = Property(object, _getSizeAdjustPolicy, setSizeAdjustPolicy)

    def setNoneEnabled(self, enabled: bool) -> None:
        self.noneEnabled = enabled

    noneEnabled = keptOption("noneEnabled", bool, _refresh)
    addEnabled = keptOption("addEnabled", bool, _refresh)
    removeEnabled = keptOption("removeEnabled", bool, _refresh)
    renameEnabled = keptOption("renameEnabled", bool, _refresh)
    editEnabled = keptOption("editEnabled", bool, _refresh)
    showHidden = keptOption("showHidden", bool, _refresh)
    showChildNodeTypes = keptOption("showChildNodeTypes", bool, _refresh)
    selectNodeUponCreation = keptOption("selectNodeUponCreation", bool, _refresh)
    baseName = keptOption("baseName", str, _refresh)
    noneDisplay = keptOption("noneDisplay", str, _refresh)
