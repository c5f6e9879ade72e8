"""Says what the engine misses in Slicer's Python, and installs it only after asking.

Nothing that is there is replaced: Slicer and its extensions share one Python, and the PyTorch in it was chosen for the
graphics card.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import slicer
import slicer.util

from KidneySegWidgets.translation import tr as _

_REQUIREMENTS = Path(__file__).resolve().parents[2] / "Resources" / "requirements.txt"
# The last one for Macs with Intel processors, and the oldest that runs the networks.
_TORCH = "torch>=2.2"
_NEEDED_SLICER = (5, 12)
# What others rely on as it is; pip may not touch it while it installs the rest.
_KEPT = ("torch", "torchvision", "torchaudio", "numpy", "scipy", "SimpleITK", "pydicom", "vtk")


def tooOldSlicer() -> str:
    """Returns a sentence if this Slicer lacks what the module is built on; empty if it does not."""
    if (slicer.app.majorVersion, slicer.app.minorVersion) >= _NEEDED_SLICER:
        return ""
    return _("KidneySeg needs Slicer {needed} or newer, and this is Slicer {present}. Install a newer Slicer.").format(
        needed=".".join(map(str, _NEEDED_SLICER)), present=slicer.app.applicationVersion
    )


def missingPackages(withTorch: bool = True) -> list[str]:
    """Returns the requirements that are not satisfied, torch first."""
    from slicer.packaging import load_requirements, pip_check

    wanted = [*([_TORCH] if withTorch else []), *(str(each) for each in load_requirements(_REQUIREMENTS))]
    return [each for each in wanted if not pip_check(each)]


def ensureInstalled(withTorch: bool = True) -> bool:
    """Offers to install what is missing, and does it; returns whether everything is there afterwards.

    Whoever clicked has heard why, if it is not. Sample data do without torch.
    """
    missing = missingPackages(withTorch)
    if not missing:
        return True
    if _TORCH in missing and _isThere("torch"):
        _complain(
            _(
                "PyTorch {version} is installed, and KidneySeg needs 2.2 or newer. It was left as it is, because other "
                "extensions may need it: uninstall it in the module PyTorch Utils, restart Slicer and try again."
            ).format(version=_version("torch"))
        )
        return False
    if not slicer.util.confirmYesNoDisplay(_question(missing), windowTitle="KidneySeg"):
        return False
    try:
        if _TORCH in missing:
            _installTorch()
        _install([each for each in missing if each != _TORCH])
    except Exception as error:
        logging.exception("KidneySeg: installing packages failed")
        _complain(
            _("The installation failed: {error}\nCheck the network connection and try again.").format(error=error)
        )
        return False
    remaining = missingPackages(withTorch)
    if remaining:
        _complain(_("Still missing: {names}. Restart Slicer and try again.").format(names=", ".join(remaining)))
    return not remaining


def checkInstallation() -> None:
    """Says that all is there, or offers to install what is missing."""
    if ensureInstalled():
        slicer.util.infoDisplay(_("Everything that KidneySeg needs is installed."), windowTitle="KidneySeg")


def _question(missing: list[str]) -> str:
    question = _("KidneySeg needs Python packages that are not installed:\n\n{names}\n\nInstall them now?")
    text = question.format(names="\n".join(missing))
    if _TORCH in missing:
        text += " " + _("PyTorch is a download of up to 3 GB, and Slicer does not answer until it is done.")
        if _torchExtension() is None:
            text += " " + _(
                "The extension 'PyTorch' is not installed, which chooses the PyTorch that fits the graphics card. "
                "Without it PyTorch may use the processor only."
            )
    return text


def _installTorch() -> None:
    """Installs torch: through the PyTorch extension if that is there, and any version that it chooses.

    Raises:
        RuntimeError: torch could not be installed.
    """
    extension = _torchExtension()
    if extension is None:
        _install(["torch"])
    else:
        with _showing(_("Downloading and installing PyTorch. The Python console shows how far it is.")):
            if extension.PyTorchUtilsLogic().installTorch(askConfirmation=False) is None:
                raise RuntimeError(_("PyTorch could not be installed"))


def _torchExtension() -> Any:
    """Returns the module of the PyTorch extension, or None if it is not installed."""
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        return None
    return PyTorchUtils


def _install(requirements: list[str]) -> None:
    """Installs packages, with Slicer's own progress, and leaves alone what others rely on."""
    from slicer.packaging import pip_ensure

    if not requirements:
        return
    names = {each.partition(">")[0].partition("[")[0].strip().lower() for each in requirements}
    kept = {name: _version(name) for name in _KEPT if name.lower() not in names}
    with tempfile.TemporaryDirectory(prefix="KidneySeg-", dir=slicer.app.temporaryPath) as folder:
        constraints = Path(folder) / "constraints.txt"
        lines = [f"{name}=={version}\n" for name, version in kept.items() if version]
        constraints.write_text("".join(lines), encoding="utf-8")
        pip_ensure(requirements, constraints=constraints, prompt_install=False, requester="KidneySeg")


def _isThere(name: str) -> bool:
    from slicer.packaging import pip_check

    return bool(pip_check(name))


def _version(name: str) -> str:
    """Returns the installed version of a package; empty if there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


@contextmanager
def _showing(text: str) -> Iterator[None]:
    """Shows a window with a text while the block keeps Slicer busy."""
    dialog = slicer.util.createProgressDialog(labelText=text, maximum=0, windowTitle="KidneySeg")
    dialog.setCancelButton(None)
    try:
        slicer.app.processEvents()
        with slicer.util.WaitCursor():
            yield
    finally:
        dialog.close()


def _complain(text: str) -> None:
    slicer.util.errorDisplay(text, windowTitle="KidneySeg")
