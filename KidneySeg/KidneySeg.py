"""KidneySeg: kidneys and their lesions on CT, kidneys on ultrasound. A thin module over the engine KidneySegLib."""

from __future__ import annotations

import sys
from typing import Any

import qt
import slicer
import slicer.util
import vtk
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from KidneySegWidgets.engine.installation import tooOldSlicer
from KidneySegWidgets.engine.processRunner import ChildProcessRunner, Runner
from KidneySegWidgets.engine.terminologies import loadTerminologies
from KidneySegWidgets.exam.sampleData import registerSampleData
from KidneySegWidgets.panels.correctionPanel import CorrectionPanel
from KidneySegWidgets.panels.exportPanel import ExportPanel
from KidneySegWidgets.panels.inputPanel import InputPanel
from KidneySegWidgets.panels.resultPanel import ResultPanel
from KidneySegWidgets.panels.runPanel import RunPanel
from KidneySegWidgets.panels.settingsPanel import SettingsPanel
from KidneySegWidgets.panels.worklistPanel import WorklistPanel
from KidneySegWidgets.result.examView import hideResult, showExam
from KidneySegWidgets.result.ownExam import backgrounds, drawOnOwnExam
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.run.parameterNode import KidneySegParameterNode, connectWidgets
from KidneySegWidgets.translation import tr as _
from KidneySegWidgets.translation import translateWidgets
from KidneySegWidgets.worklist.clickEffect import registerClickEffect

HOMEPAGE = "https://github.com/KidneySeg/SlicerKidneySeg"


class KidneySeg(ScriptedLoadableModule):
    """Describes the module to Slicer."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("KidneySeg")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations", "Markups", "Tables", "Terminologies", "Volumes"]
        parent.contributors = ["KidneySeg contributors"]
        parent.helpText = _(
            "Outlines and measures kidneys, solid masses, cysts and stones on CT, and the kidney on ultrasound, on "
            "this computer and without network. Choose a volume, click Segment, check and correct the outlines."
            "<p><b>Research use only. Not a medical device.</b></p>"
        )
        # Slicer's own link leads to the manual of Slicer, which knows no extension
        parent.helpText += f'<p><a href="{HOMEPAGE}#in-3d-slicer">{_("Documentation of KidneySeg")}</a></p>'
        parent.acknowledgementText = _(
            "Networks: PyTorch. The card of each model names the images that it was trained on, their "
            "authors and their licences (button About… in the section Inputs)."
        )
        for register in (registerSampleData, registerClickEffect):
            slicer.app.connect("startupCompleted()", register)


class KidneySegWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Joins the sections of the panel."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: KidneySegLogic | None = None
        self._parameterNode = self._guiTag = None
        self._orphans: list[Any] = []
        self._viewsAreBehind = False
        self._backgrounds: tuple[str, ...] = ()

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        if reason := tooOldSlicer():
            sentence = qt.QLabel(reason)
            sentence.wordWrap = True
            self.layout.addWidget(sentence)
            return
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/KidneySeg.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        translateWidgets(vars(self.ui).values())
        uiWidget.setMRMLScene(slicer.mrmlScene)
        loadTerminologies()
        self.logic = KidneySegLogic()
        self.inputs = InputPanel(self.ui)
        self.runs = RunPanel(self.ui, self.logic.runner, self.inputs.parameters, self._onNewResult)
        self.results = ResultPanel(self.ui)
        self.correction = CorrectionPanel(self.ui, self._isAutomatic, self._onMeasured)
        self.worklist = WorklistPanel(self.ui, self.results, self._onMeasured, self.correction.measure)
        self.correction.onReset = self.worklist.worklist.forgetStepsOf
        self.exports = ExportPanel(self.ui, lambda: self.results.result, self._onWritten)
        self.settings = SettingsPanel(self.ui, self._update)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneReady)
        self.addObserver(scene, scene.StartImportEvent, self._onSceneStartImport)
        self.addObserver(scene, scene.EndImportEvent, self._onSceneReady)
        self.addObserver(scene, scene.NodeAddedEvent, self._onNodeAdded)
        self.addObserver(scene, scene.NodeAboutToBeRemovedEvent, self._onNodeAboutToBeRemoved)
        self.addObserver(scene, scene.NodeRemovedEvent, self._onNodeRemoved)
        self._showResult(None)
        self._useParameterNode()

    def cleanup(self) -> None:
        """Leaves nothing behind: no process, no observer, no timer."""
        if self.logic is None:  # there is no panel
            return
        self.runs.queue.abandonAll()
        for panel in (self.inputs, self.results, self.exports, self.correction, self.worklist):
            panel.stop()
        self._forgetParameterNode()
        self.removeObservers()

    def enter(self) -> None:
        if self.logic is None:
            return
        self._useParameterNode()
        self._showInViews()
        self.worklist.listenToKeys(True)

    def exit(self) -> None:
        if self.logic is not None:
            self.worklist.listenToKeys(False)

    def onReload(self) -> None:
        """Reads the files beside this one again, too."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "KidneySegWidgets"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def useRunner(self, runner: Runner, measuring: Runner) -> None:
        """Runs the engine in other ways, one to segment and one to measure; tests do that. Nothing may be running."""
        self.logic.runner = runner
        self.runs.queue.setRunner(runner)
        self.correction.remeasuring.setRunner(measuring)

    # parameter node

    def _useParameterNode(self) -> None:
        if slicer.mrmlScene.IsClosing() or slicer.mrmlScene.IsImporting():
            return
        wrapper = self.logic.getParameterNode()
        if self._parameterNode is None or self._parameterNode.parameterNode is not wrapper.parameterNode:
            self._forgetParameterNode()
            self._parameterNode = wrapper
            self.inputs.setParameterNode(wrapper)
            self._guiTag = connectWidgets(wrapper, self.ui)
            self.addObserver(wrapper.parameterNode, "ModifiedEvent", self._update)
        else:
            self.inputs.preselectVolume()
        self._update()

    def _forgetParameterNode(self) -> None:
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode.parameterNode, "ModifiedEvent", self._update)
        self._parameterNode = None
        self.inputs.setParameterNode(None)

    def _isAutomatic(self) -> bool:
        return self._parameterNode is not None and self._parameterNode.recomputeAutomatically

    def _update(self, _caller: Any = None, _event: Any = None) -> None:
        """Shows what the parameter node says; called at each change of it."""
        self.inputs.update()
        self.runs.update()
        node = self._parameterNode.result if self._parameterNode is not None else None
        shown = self.results.result.segmentationNode if self.results.result is not None else None
        if node is not shown:
            self._showResult(ResultNodes(node) if ResultNodes.isResult(node) else None)
        self.exports.update()

    def _showResult(self, result: ResultNodes | None) -> None:
        self.worklist.worklist.finish()
        self.results.setResult(result)
        self.correction.setResult(result)
        self.worklist.setResult(result)
        self._viewsAreBehind = result is not None
        self._showInViews()

    def _showInViews(self) -> None:
        """Lets the views follow the chosen result; while another module is open, they are that module's."""
        if self._viewsAreBehind and self.parent.isEntered:
            self._viewsAreBehind = False
            showExam(self.results.result)
            self._backgrounds = ()
            for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
                if not self.hasObserver(view, "ModifiedEvent", self._onViewChanged):
                    self.addObserver(view, "ModifiedEvent", self._onViewChanged)
            self._onViewChanged(None, None)

    def _onViewChanged(self, _caller: Any, _event: Any) -> None:
        """Scrolling and zooming do not come here, but what is blended with what does."""
        shown = backgrounds()
        if shown != self._backgrounds and self.results.result is not None:
            self._backgrounds = shown
            drawOnOwnExam(self.results.result)

    # events

    def _onNewResult(self, result: ResultNodes) -> None:
        if not self.parent.isEntered or self.correction.isEdited:  # nothing may be drawn over another exam
            hideResult(result)
        if self.correction.isEdited:
            done = _("{name}: done. Another result is being corrected; choose this one under Result when that is done.")
            self.runs.say(done.format(name=result.volume.GetName()))
            return
        self.logic.getParameterNode().result = result.segmentationNode  # there is one even while a scene is read
        self.ui.resultSection.collapsed = False

    def _onMeasured(self) -> None:
        self.results.update()
        self.worklist.update()

    def _onWritten(self, result: ResultNodes, written: Any) -> None:
        """Shows what was measured for an export, unless something was drawn since."""
        if slicer.mrmlScene.IsNodePresent(result.segmentationNode) and written.drawn.isStill(result):
            self.correction.take(result, written.findings)

    def _onSceneStartClose(self, _caller: Any, _event: Any) -> None:
        self.runs.queue.abandonAll()
        self._showResult(None)
        self.worklist.worklist.forgetSteps()
        self._forgetParameterNode()
        self.runs.say("")
        self.runs.onQueueChanged()

    def _onSceneStartImport(self, _caller: Any, _event: Any) -> None:
        """Reading fills the same parameter node before the selectors list what it names: they would show none."""
        self._forgetParameterNode()

    def _onSceneReady(self, _caller: Any, _event: Any) -> None:
        self._useParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, _caller: Any, _event: Any, node: Any) -> None:
        """Chooses a volume that is loaded, once it has got its voxels."""
        if self._parameterNode is not None and node.IsA("vtkMRMLScalarVolumeNode"):
            qt.QTimer.singleShot(0, self._chooseVolume)

    def _chooseVolume(self) -> None:
        if self._parameterNode is not None:  # the module may be gone by now
            self._useParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAboutToBeRemoved(self, _caller: Any, _event: Any, node: Any) -> None:
        if ResultNodes.isResult(node) and not slicer.mrmlScene.IsClosing():
            self._orphans = ResultNodes(node).parts()

    def _onNodeRemoved(self, _caller: Any, _event: Any) -> None:
        if slicer.mrmlScene.IsClosing():
            return
        orphans, self._orphans = self._orphans, []
        for node in orphans:
            slicer.mrmlScene.RemoveNode(node)
        for run in self.runs.queue.runs():
            if slicer.mrmlScene.GetNodeByID(run.volumeId) is None:
                self.runs.queue.removeVolume(run.volumeId)
        if self._parameterNode is not None:
            self._update()


class KidneySegLogic(ScriptedLoadableModuleLogic):
    """Knows the parameters and how the engine is run; what it does with them is in the files beside this one."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.runner: Runner = ChildProcessRunner()

    def getParameterNode(self) -> Any:
        return KidneySegParameterNode(super().getParameterNode())


class KidneySegTest(ScriptedLoadableModuleTest):
    """Runs in Slicer: the whole engine on the phantom, by clicks."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self, **_options: Any) -> None:
        self.setUp()
        self.test_segmentPhantom()

    def test_segmentPhantom(self) -> None:
        from KidneySegWidgets.engine.installation import missingPackages
        from KidneySegWidgets.run.selfTest import checkPhantomResult, segmentBySteps

        if missing := missingPackages():
            self.skipTest(f"not installed: {', '.join(missing)}")
        checkPhantomResult(self, segmentBySteps(seconds=600))
        self.delayDisplay("Test passed")
