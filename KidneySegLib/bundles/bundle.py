"""A model bundle on disk: ``bundle.json``, ``weights.safetensors`` and ``card.md`` in one folder.

Weights are stored as safetensors: reading them never unpickles, and the whole file is checked against the checksum in
``bundle.json`` before a value of it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, TypeAdapter, ValidationInfo, model_validator

from KidneySegLib.bundles.declaration import Text, declaration, read_declaration, short_reason
from KidneySegLib.bundles.header import (
    FORMAT_VERSION,
    MANIFEST,
    BundleHeader,
    damaged_bundle,
    header_from,
    read_manifest,
)
from KidneySegLib.bundles.limits import LARGEST_WEIGHT, LARGEST_WEIGHTS, MOST_STAGES
from KidneySegLib.bundles.migration import migrated
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import Rules, rules_of
from KidneySegLib.bundles.stored_weights import packed, unpacked
from KidneySegLib.errors import BundleError

if TYPE_CHECKING:
    import torch

WEIGHTS = "weights.safetensors"


def _rules_of_task(value: Any, info: ValidationInfo) -> Rules:
    kind = rules_of(info.data.get("task", ""))
    rules = value if isinstance(value, Rules) else read_declaration(kind, value)
    if type(rules) is not kind:
        raise ValueError("these are the rules of another task")
    return rules


@declaration
class Bundle(BundleHeader):
    """A model whose plan could be read.

    Attributes:
        stages: networks in the order in which they run.
        rules: how their output is judged: those of the bundle's task.
        sha256: checksum of the weights file.
    """

    stages: Annotated[tuple[StagePlan, ...], Field(min_length=1, max_length=MOST_STAGES)]
    rules: Annotated[SerializeAsAny[Rules], BeforeValidator(_rules_of_task)]
    sha256: Text

    @model_validator(mode="after")
    def _check(self) -> Bundle:
        names = {stage.name for stage in self.stages}
        if len(names) < len(self.stages):
            raise ValueError("two stages have one name")
        self.rules.check(names)
        return self

    def stage(self, name: str) -> StagePlan:
        """Returns a stage by name.

        Raises:
            BundleError: there is none.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise BundleError(
            "The bundle '{bundle}' has no stage '{name}'. Choose a bundle for this task.", bundle=self.name, name=name
        )

    def verify(self) -> None:
        """Checks that the weights are there and unaltered.

        Raises:
            BundleError: they are not.
        """
        path = self.folder / WEIGHTS
        if not path.is_file():
            raise BundleError("The bundle '{bundle}' has no weights file. Get the bundle again.", bundle=self.name)
        if _checksum(path) != self.sha256:
            raise BundleError(
                "The weights of bundle '{bundle}' are damaged or altered. Get the bundle again.", bundle=self.name
            )

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
            tensors = unpacked(load_file(self.folder / WEIGHTS))
        except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
            raise BundleError(
                "The weights of bundle '{bundle}' cannot be read. Get the bundle again.", bundle=self.name
            ) from error
        stages: dict[str, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            stage, _, parameter = key.partition("/")
            # NaN is not smaller than anything
            if value.numel() and not float(value.abs().max()) <= LARGEST_WEIGHT:
                raise BundleError(
                    "The weights of bundle '{bundle}' hold values that no network has (NaN, infinite or huge). Get "
                    "the bundle again.",
                    bundle=self.name,
                )
            stages.setdefault(stage, {})[parameter] = value
        return stages


def read_bundle(folder: Path) -> Bundle:
    """Reads the plan of a bundle, of this format or an older one; weights are read when they are asked for.

    Raises:
        BundleError: there is no bundle, it is damaged, a field is missing, unknown or out of range, or its format is
            newer than this version.
    """
    data = read_manifest(folder)
    header = header_from(folder, data)
    try:
        fields = migrated(data)
        del fields["format_version"]
        return read_declaration(Bundle, {**fields, **vars(header)})
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise damaged_bundle(folder, short_reason(error)) from error


def write_bundle(bundle: Bundle, weights: Mapping[str, Mapping[str, torch.Tensor]], *, exact: bool = False) -> Bundle:
    """Writes weights and plan; returns the bundle with its checksum.

    Args:
        bundle: what is written, without a checksum.
        weights: by stage and parameter name.
        exact: whether they are stored as they are, in 32 bits, instead of rounded (see ``stored_weights``).
    """
    from safetensors.torch import save_file

    bundle.folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{stage}/{name}": value for stage, of in weights.items() for name, value in of.items()}
    save_file(packed(tensors, exact=exact), bundle.folder / WEIGHTS)
    plan = TypeAdapter(Bundle).dump_python(bundle, mode="json", exclude_none=True, exclude={"folder", "sha256"})
    data = {"format_version": FORMAT_VERSION, **plan, "sha256": _checksum(bundle.folder / WEIGHTS)}
    (bundle.folder / MANIFEST).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return read_bundle(bundle.folder)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
