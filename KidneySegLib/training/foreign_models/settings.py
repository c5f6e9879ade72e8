"""Settings of a trained model of others: JSON files that are hostile until they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from KidneySegLib.errors import InputError

_LARGEST = 1 << 24  # bytes; nnU-Net's plans of many configurations have some hundred thousand


def read_settings(path: Path, advice: str) -> dict[str, Any]:
    """Reads a JSON file that holds an object.

    Args:
        path: of the file.
        advice: what to do if it cannot be used, a sentence.

    Raises:
        InputError: it is missing, too large, no JSON or no object.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is missing or damaged. {advice}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path.name} is damaged. {advice}")
    return data
