"""Values of flags that name a finding: a lesion or stone, the volume of a kidney with its lesions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from KidneySegLib.flags.values import header_word
from KidneySegLib.languages.language import N_, Language
from KidneySegLib.languages.words import POLES, SIDES, STRUCTURES


@dataclass(frozen=True)
class FindingName:
    """A mass, cyst or stone: its structure, identifier and side, and its pole where it is known."""

    told: str = "`structure` (`mass`, `cyst`, `stone`), `id`, `side`, and `pole` (`upper`, `inter`, `lower`) or `null`"

    def shown(self, value: Mapping[str, Any], language: Language) -> str:
        """Returns a name such as ``Cyst C1 (right kidney, upper pole)``."""
        if value["pole"]:
            template = N_("{structure} {id} ({side} kidney, {pole})")
        elif value["structure"] == "stone":
            template = N_("{structure} {id} ({side} side)")
        else:
            template = N_("{structure} {id} ({side} kidney)")
        return language.text(template).format(
            structure=language.text(STRUCTURES[value["structure"]]),
            id=value["id"],
            side=language.text(SIDES[value["side"]]),
            pole=language.text(POLES[value["pole"]]) if value["pole"] else "",
        )

    def by_header(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Returns it with the header's side."""
        return {**value, "side": header_word(value["side"])}


@dataclass(frozen=True)
class OrganVolume:
    """Volume of a kidney with its lesions, and how much of it are lesions."""

    told: str = "`total_ml` and `lesions_ml` (of it)"

    def shown(self, value: Mapping[str, float], language: Language) -> str:
        """Returns the volume, and that of the lesions where it is worth a word."""
        some = value["lesions_ml"] >= 1
        template = N_("{total} ml, of which {lesions} ml are lesions") if some else N_("{total} ml")
        return language.text(template).format(
            total=language.number(value["total_ml"]), lesions=language.number(value["lesions_ml"])
        )

    def by_header(self, value: Mapping[str, float]) -> Mapping[str, float]:
        """Returns the value itself."""
        return value
