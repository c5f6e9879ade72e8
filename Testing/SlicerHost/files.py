"""qSlicerCoreIOManager: reads and writes nodes and scenes with Slicer's own readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from PySide6.QtCore import Signal

from SlicerHost.dialogs import Dialogs
from SlicerHost.pythonqt.standins import standIn

# type of file by the end of its name; the first that fits
_TYPES = {
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr", ".seg.vtm"),
    "SceneFile": (".mrb", ".mrml"),
    "TableFile": (".csv", ".tsv"),
    "TextFile": (".txt", ".json", ".xml"),
    "ModelFile": (".stl", ".vtk", ".vtp", ".obj", ".ply"),
    "TransformFile": (".h5", ".tfm"),
    "MarkupsFile": (".mrk.json", ".fcsv"),
    "VolumeFile": (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm"),
}


@standIn
class qSlicerCoreIOManager(qt.QObject):
    """Loads and saves; the dialogs for it are only recorded."""

    newFileLoaded = Signal(object)

    def __init__(self, applicationLogic: Any, dialogs: Dialogs) -> None:
        super().__init__()
        self._logic = applicationLogic
        self._dialogs = dialogs

    def fileType(self, fileName: str | Path) -> str:
        name = str(fileName).lower()
        return next((kind for kind, ends in _TYPES.items() if name.endswith(ends)), "NoFile")

    def fileWriterFileType(self, node: Any) -> str:
        return str(node.GetClassName().removeprefix("vtkMRML").removesuffix("Node")) + "File"

    # reading

    def loadNodes(self, fileType: str, properties: dict[str, Any], loaded: Any = None, messages: Any = None) -> bool:
        fileName = str(properties["fileName"])
        if not Path(fileName).is_file():
            return self._failed(messages, f"{fileName} does not exist")
        if fileType == "SceneFile":
            return self._loadScene(fileName, bool(properties.get("clear", False)))
        reader = getattr(self, f"_read{fileType}", None)
        if reader is None:
            return self._failed(messages, f"no reader for {fileType}")
        node = reader(fileName, properties.get("name", ""), properties, messages)
        if node is None:
            return self._failed(messages, f"{fileName} cannot be read as {fileType}")
        if loaded is not None:
            loaded.AddItem(node)
        return True

    def _failed(self, messages: Any, text: str) -> bool:
        if messages is not None:
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)
        return False

    def _loadScene(self, fileName: str, clear: bool) -> bool:
        scene = slicer.mrmlScene
        if fileName.endswith(".mrb"):
            return bool(scene.ReadFromMRB(fileName, clear))
        scene.SetURL(fileName)
        return bool(scene.Connect() if clear else scene.Import())

    def _baseName(self, fileName: str, name: str) -> str:
        return name or Path(fileName).name.partition(".")[0]

    def _readVolumeFile(self, fileName: str, name: str, properties: dict[str, Any], _messages: Any) -> Any:
        logic = self._logic.GetModuleLogic("Volumes")
        options = 1 if properties.get("labelmap") else 0
        single = 2 if properties.get("singleFile") else 0
        return logic.AddArchetypeVolume(fileName, self._baseName(fileName, name), options | single)

    def _readSegmentationFile(self, fileName: str, name: str, properties: dict[str, Any], _messages: Any) -> Any:
        segmentations = self._logic.GetModuleLogic("Segmentations")
        base = self._baseName(fileName, name)
        if self.fileType(fileName) == "SegmentationFile":
            return segmentations.LoadSegmentationFromFile(fileName, bool(properties.get("autoOpacities", True)), base)
        labels = self._logic.GetModuleLogic("Volumes").AddArchetypeVolume(fileName, base, 1)
        if labels is None:
            return None
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", base)
        node.CreateDefaultDisplayNodes()
        segmentations.ImportLabelmapToSegmentationNode(labels, node)
        slicer.mrmlScene.RemoveNode(labels)
        return node

    def _readTableFile(self, fileName: str, name: str, properties: dict[str, Any], _messages: Any) -> Any:
        detect = bool(properties.get("autoDetectColumnTypes", True))
        return self._logic.GetModuleLogic("Tables").AddTable(fileName, self._baseName(fileName, name), detect)

    def _readModelFile(self, fileName: str, _name: str, _properties: dict[str, Any], messages: Any) -> Any:
        lps = slicer.vtkMRMLStorageNode.CoordinateSystemLPS
        return self._logic.GetModuleLogic("Models").AddModel(fileName, lps, messages)

    def _readTextFile(self, fileName: str, name: str, _properties: dict[str, Any], _messages: Any) -> Any:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", self._baseName(fileName, name))
        node.SetText(Path(fileName).read_text(encoding="utf-8"))
        return node

    # writing

    def saveNodes(self, _fileType: str, properties: dict[str, Any], messages: Any = None) -> bool:
        fileName = str(properties["fileName"])
        if "nodeID" not in properties:
            return self._saveScene(fileName)
        node = slicer.mrmlScene.GetNodeByID(properties["nodeID"])
        node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        if storage is None:
            return self._failed(messages, f"a {node.GetClassName()} has no file")
        storage.SetFileName(fileName)
        if "useCompression" in properties:
            storage.SetUseCompression(bool(properties["useCompression"]))
        return bool(storage.WriteData(node))

    def _saveScene(self, fileName: str) -> bool:
        scene = slicer.mrmlScene
        if fileName.endswith(".mrb"):
            return bool(scene.WriteToMRB(fileName))
        scene.SetURL(fileName)
        scene.SetRootDirectory(str(Path(fileName).parent))
        return bool(scene.Commit())

    # dialogs

    def _opened(self, name: str) -> bool:
        self._dialogs.record(name)
        return False

    def openAddDataDialog(self) -> bool:
        return self._opened("openAddDataDialog")

    def openAddVolumeDialog(self) -> bool:
        return self._opened("openAddVolumeDialog")

    def openAddSegmentationDialog(self) -> bool:
        return self._opened("openAddSegmentationDialog")

    def openSaveDataDialog(self) -> bool:
        return self._opened("openSaveDataDialog")

    def openDialog(self, fileType: str, *_rest: Any) -> bool:
        return self._opened(f"openDialog {fileType}")
