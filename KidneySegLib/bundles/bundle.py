"""A model bundle on disk: ``bundle.json``, ``weights.safetensors`` and ``card.md`` in one folder.

Weights are stored in half precision as safetensors: reading them never unpickles, and the whole file is checked
against the checksum in ``bundle.json`` before a value of it is used.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from KidneySegLib.bundles.limits import (
    LARGEST_MANIFEST,
    LARGEST_WEIGHT,
    LARGEST_WEIGHTS,
    MOST_STAGES,
    check_rules,
    reason,
    text,
    whole_numbers,
)
from KidneySegLib.bundles.plan import FORMAT_VERSION, StagePlan
from KidneySegLib.errors import BundleError

if TYPE_CHECKING:
    import torch

MANIFEST = "bundle.json"
WEIGHTS = "weights.safetensors"
CARD = "card.md"


@dataclass(frozen=True)
class Rules:
    """What is believed of the networks' output; chosen on validation exams.

    Attributes:
        margin_mm: the kidney's box is the located kidney and this much around it.
        smallest_candidate_ml: located pieces below this only count on a side that has nothing larger.
        smallest_kidney_ml: a whole kidney below this is called doubtful.
        smallest_cut_ml: the same for one that the image cuts, located or outlined.
        least_confidence: mean probability inside a kidney, averaged over scales, below which it is called doubtful.
        sure_confidence: mean probability below which a kidney is flagged for a look.
        smallest_lesion_mm: masses and cysts with less volume than a ball of this diameter are not reported.
        least_lesion_confidence: mean probability inside a mass or cyst below which it is not believed.
        least_outside_confidence: the same for one that lies mostly outside the outline, and for the part of any other
            that does: muscle, bowel and other organs are there.
        other_kind_share: a connected lesion with at most this share of the other kind is wholly of its main kind.
    """

    margin_mm: float = 14.0
    smallest_candidate_ml: float = 8.0
    smallest_kidney_ml: float = 12.0
    smallest_cut_ml: float = 6.0
    least_confidence: float = 0.85
    sure_confidence: float = 0.88
    smallest_lesion_mm: float = 5.0
    least_lesion_confidence: float = 0.45
    least_outside_confidence: float = 0.65
    other_kind_share: float = 0.25

    def smallest_voxels(self, spacing: Sequence[float]) -> float:
        """Returns how many voxels the smallest lesion has, with ``spacing`` in mm."""
        return math.pi / 6 * self.smallest_lesion_mm**3 / math.prod(spacing)


@dataclass(frozen=True)
class Bundle:
    """A model that was found and whose plan could be read.

    Attributes:
        folder: where it lies.
        name: stable name, as the user types it.
        version: of the weights.
        title: one line for people.
        task: what it is for, such as ``ct``.
        licence: of the weights.
        stages: networks in the order in which they run.
        rules: how their output is judged.
        sha256: checksum of the weights file.
    """

    folder: Path
    name: str
    version: str
    title: str
    task: str
    licence: str
    stages: tuple[StagePlan, ...]
    rules: Rules
    sha256: str

    @property
    def card(self) -> str:
        """Text of the model card (Markdown); empty if there is none."""
        path = self.folder / CARD
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def stage(self, name: str) -> StagePlan:
        """Returns a stage by name.

        Raises:
            BundleError: there is none.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise BundleError(f"The bundle '{self.name}' has no stage '{name}'. Choose a bundle for this task.")

    def verify(self) -> None:
        """Checks that the weights are there and unaltered.

        Raises:
            BundleError: they are not.
        """
        path = self.folder / WEIGHTS
        if not path.is_file():
            raise BundleError(f"The bundle '{self.name}' has no weights file. Get the bundle again.")
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        if checksum != self.sha256:
            raise BundleError(f"The weights of bundle '{self.name}' are damaged or altered. Get the bundle again.")

    def weights(self) -> dict[str, dict[str, torch.Tensor]]:
        """Returns the verified weights, by stage and parameter name, 32-bit float on the CPU.

        Raises:
            BundleError: the file is missing, altered or not readable.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        self.verify()
        try:
            if (self.folder / WEIGHTS).stat().st_size > LARGEST_WEIGHTS:
                raise OSError("the file is too large")
            tensors = load_file(self.folder / WEIGHTS)
        except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
            raise BundleError(f"The weights of bundle '{self.name}' cannot be read. Get the bundle again.") from error
        stages: dict[str, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            stage, _, parameter = key.partition("/")
            weights = value.float()
            # NaN is not smaller than anything
            if weights.numel() and not float(weights.abs().max()) <= LARGEST_WEIGHT:
                raise BundleError(
                    f"The weights of bundle '{self.name}' hold values that no network has (NaN, infinite or huge). Get "
                    "the bundle again."
                )
            stages.setdefault(stage, {})[parameter] = weights
        return stages


def read_bundle(folder: Path) -> Bundle:
    """Reads the plan of a bundle; weights are read and verified when they are asked for.

    Raises:
        BundleError: there is no bundle, it is damaged, or its format is newer than this version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"There is no model bundle in the folder '{folder.name}' (no {MANIFEST}).")
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise ValueError("it is too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        [version] = whole_numbers([data["format_version"]])
        if version > FORMAT_VERSION:
            raise BundleError(
                f"The bundle '{folder.name}' has format {version}; this KidneySeg reads up to {FORMAT_VERSION}. "
                "Update KidneySeg."
            )
        return Bundle(
            folder=folder,
            stages=_stages(data["stages"]),
            rules=Rules(**check_rules(data["rules"], Rules)),
            sha256=text(data["weights_sha256"]),
            **{key: text(data[key]) for key in ("name", "version", "title", "task", "licence")},
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise BundleError(f"The bundle '{folder.name}' is damaged ({reason(error)}). Get the bundle again.") from error


def _stages(values: Any) -> tuple[StagePlan, ...]:
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_STAGES:
        raise ValueError(f"it must have 1 to {MOST_STAGES} stages")
    stages = tuple(StagePlan.from_dict(stage) for stage in values)
    if len({stage.name for stage in stages}) < len(stages):
        raise ValueError("two stages have one name")
    return stages


def write_bundle(bundle: Bundle, weights: Mapping[str, Mapping[str, torch.Tensor]]) -> Bundle:
    """Writes weights (by stage and parameter name, stored in half precision) and plan; returns it with its checksum."""
    import torch
    from safetensors.torch import save_file

    bundle.folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{stage}/{name}": value.detach().to("cpu", torch.float16).contiguous()
        for stage, parameters in weights.items()
        for name, value in parameters.items()
    }
    save_file(tensors, bundle.folder / WEIGHTS)
    with (bundle.folder / WEIGHTS).open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    data: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "name": bundle.name,
        "version": bundle.version,
        "title": bundle.title,
        "task": bundle.task,
        "licence": bundle.licence,
        "stages": [stage.as_dict() for stage in bundle.stages],
        "rules": asdict(bundle.rules),
        "weights_sha256": checksum,
    }
    (bundle.folder / MANIFEST).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return read_bundle(bundle.folder)
