"""Model bundles for the panel: which there are for a task, and what their cards say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from KidneySegWidgets.engine.engineLocation import ensureEngine


def installedBundles(task: Any, modelsFolder: str = "") -> list[Any]:
    """Returns the readable bundles for a task of the engine: first those of the user's folder, then those that ship."""
    ensureEngine()
    from KidneySegLib.bundles.header import MANIFEST, read_header
    from KidneySegLib.errors import BundleError
    from KidneySegLib.resources import resource_folder

    parents = [*([Path(modelsFolder)] if modelsFolder else []), resource_folder() / "Models"]
    found: dict[str, Any] = {}
    for parent in parents:
        for folder in sorted(parent.iterdir()) if parent.is_dir() else []:
            if not (folder / MANIFEST).is_file() or folder.name in found:
                continue
            try:
                found[folder.name] = read_header(folder)
            except BundleError:
                continue  # 'kidneyseg models' names damaged ones; here they cannot be chosen
    return [bundle for bundle in found.values() if task is not None and bundle.task == task.name]
