"""Slicer's `slicer.packaging`: really checks what is installed, and only records what would be installed.

A test says `slicer.packaging.pretendMissing("torch")` to see what a module does in a fresh Slicer.
"""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import slicer.util
from packaging.requirements import InvalidRequirement, Requirement

installRequests: list[list[str]] = []
installConstraints: list[str] = []
uninstallRequests: list[list[str]] = []
_pretendedMissing: set[str] = set()


def pretendMissing(*names: str) -> None:
    """Makes `pip_check` say that these distributions are not installed. Not in Slicer."""
    _pretendedMissing.update(name.lower() for name in names)


def reset() -> None:
    """Forgets requests and pretended gaps. Not in Slicer."""
    installRequests.clear()
    installConstraints.clear()
    uninstallRequests.clear()
    _pretendedMissing.clear()


def load_requirements(path: str | Path) -> list[Requirement]:
    """Returns the requirements of a requirements.txt; comments and pip's options are left out."""
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def load_pyproject_dependencies(path: str | Path) -> list[Requirement]:
    """Returns the dependencies of a pyproject.toml."""
    project = tomllib.loads(Path(path).read_text(encoding="utf-8"))["project"]
    return [Requirement(each) for each in project.get("dependencies", [])]


def _asList(requirements: Any) -> list[Requirement]:
    if isinstance(requirements, Requirement):
        return [requirements]
    if isinstance(requirements, str):
        try:
            return [Requirement(requirements)]
        except InvalidRequirement:
            return [Requirement(each) for each in requirements.split()]
    if isinstance(requirements, list):
        return [each if isinstance(each, Requirement) else Requirement(each) for each in requirements]
    raise TypeError(f"Expected str, Requirement, or list, got {type(requirements).__name__}")


def _isSatisfied(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    if requirement.name.lower() in _pretendedMissing:
        return False
    try:
        return requirement.specifier.contains(metadata.version(requirement.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def pip_check(req: Any) -> bool:
    """Tells whether all requirements are satisfied. Extras are not looked into here."""
    return all(_isSatisfied(each) for each in _asList(req))


def pip_install(requirements: Any, **options: Any) -> None:
    """Records the request, and makes the distributions count as installed again."""
    completed = options.get("completedCallback")
    wanted = _asList(requirements)
    installRequests.append([str(each) for each in wanted])
    constraints = options.get("constraints")
    installConstraints.append(Path(constraints).read_text(encoding="utf-8") if constraints is not None else "")
    _pretendedMissing.difference_update(each.name.lower() for each in wanted)
    if completed is not None:
        completed(0)


def pip_uninstall(requirements: Any, **_options: Any) -> None:
    """Records the request."""
    uninstallRequests.append([str(each) for each in _asList(requirements)])


def isPipInstallInProgress() -> bool:
    """Nothing is ever installed in the background here."""
    return False


def pip_ensure(
    requirements: Any,
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> None:
    """Asks the user and installs what is missing.

    Raises:
        RuntimeError: The user declined.
    """
    del skip_packages, prompt_restart, skip_in_testing, show_progress
    missing = [str(each) for each in _asList(requirements) if not _isSatisfied(each)]
    if not missing:
        return
    question = f"{requester or 'This module'} needs to install: {', '.join(missing)}. Install now?"
    if prompt_install and not slicer.util.confirmOkCancelDisplay(question):
        raise RuntimeError("The user declined to install the required Python packages")
    pip_install(missing, constraints=constraints)
