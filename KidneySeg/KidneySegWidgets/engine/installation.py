"""Says what the engine misses in Slicer's Python, and installs it only after asking."""

from __future__ import annotations

import logging
from pathlib import Path

import slicer
import slicer.util
from slicer.i18n import tr as _

_REQUIREMENTS = Path(__file__).resolve().parents[2] / "Resources" / "requirements.txt"
_TORCH = "torch>=2.6"


def missingPackages() -> list[str]:
    """Returns the requirements that are not satisfied, torch first."""
    from slicer.packaging import load_requirements, pip_check

    wanted = [_TORCH, *(str(each) for each in load_requirements(_REQUIREMENTS))]
    return [each for each in wanted if not pip_check(each)]


def checkInstallation() -> bool:
    """Tells what is missing and offers to install it; returns whether everything is there afterwards."""
    missing = missingPackages()
    if not missing:
        slicer.util.infoDisplay(_("Everything that KidneySeg needs is installed."), windowTitle="KidneySeg")
        return True
    question = _("KidneySeg needs Python packages that are not installed:\n\n{names}\n\nInstall them now?")
    if not slicer.util.confirmYesNoDisplay(question.format(names="\n".join(missing)), windowTitle="KidneySeg"):
        return False
    try:
        if _TORCH in missing:
            _installTorch()
        others = [each for each in missing if each != _TORCH]
        if others:
            from slicer.packaging import pip_ensure

            pip_ensure(others, prompt_install=False, requester="KidneySeg")
    except Exception as error:
        logging.exception("KidneySeg: installing packages failed")
        slicer.util.errorDisplay(
            _("The installation failed: {error}\nCheck the network connection and try again.").format(error=error),
            windowTitle="KidneySeg",
        )
        return False
    remaining = missingPackages()
    if remaining:
        slicer.util.warningDisplay(
            _("Still missing: {names}. Restart Slicer and check again.").format(names=", ".join(remaining)),
            windowTitle="KidneySeg",
        )
    return not remaining


def _installTorch() -> None:
    """Installs torch through the PyTorch extension, which chooses the build that fits the graphics card.

    Raises:
        RuntimeError: the extension is missing, or torch could not be installed.
    """
    try:
        import PyTorchUtils
    except ModuleNotFoundError as error:
        raise RuntimeError(
            _("the extension 'PyTorch' is missing; install it in the Extensions Manager and restart Slicer")
        ) from error
    if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=False, torchVersionRequirement=">=2.6") is None:
        raise RuntimeError(_("torch could not be installed"))
