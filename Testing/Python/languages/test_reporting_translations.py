"""The catalogues are whole, the compiled ones are those in the text files, and flags speak the report's language."""

from __future__ import annotations

import ast
import math
import pickle
import re
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from finding_cases import CYST, MASS, MEASURES
from reporting_cases import findings_of, phantom
from result_cases import described_slice
from translatable_texts import ERRORS, PACKAGE, speaks_english, texts_of, texts_of_the_code, texts_of_the_panel

from KidneySegLib.errors import InputError, ResourceError
from KidneySegLib.findings import KidneyFinding, PhaseEstimate
from KidneySegLib.flags import Flag
from KidneySegLib.languages.language import Language, check_language
from KidneySegLib.measuring.lesions.quality import check_lesions, check_phase
from KidneySegLib.measuring.quality import check_kidneys
from KidneySegLib.structures import Side

ROOT = Path(__file__).resolve().parents[3]
TRANSLATIONS = ROOT / "Resources" / "Translations"
CODES = ("es", "tr")
# what the engine says, and what the panel in Slicer says
DOMAINS = ("kidneyseg", "panel")


def catalogue(code: str, domain: str) -> Catalog:
    with (TRANSLATIONS / code / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=code, domain=domain)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", CODES)
def test_every_text_of_the_code_is_translated_and_nothing_else(code: str) -> None:
    for domain, texts in zip(DOMAINS, (texts_of_the_code(), texts_of_the_panel()), strict=True):
        assert {message.id for message in catalogue(code, domain) if message.id} == texts


def test_texts_are_literals_in_calls_of_a_marker_and_nothing_else() -> None:
    source = """
def text(self, message: str) -> str:
    "A docstring is no text."
    return N_("one") + _("two") + language.text("three") + language.plural("{n} four", "{n} fours", 4)
draw.text((1, 2), "i", fill=0)
language.text(variable)
"""
    found = {found for _, found in texts_of(source)}
    assert found == {"one", "two", "three", ("{n} four", "{n} fours")}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("code", CODES)
def test_translations_are_whole(code: str, domain: str) -> None:
    messages = [message for message in catalogue(code, domain) if message.id]
    assert len(messages) > 150
    for message in messages:
        assert not message.fuzzy, message.id
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for string in strings:
            assert string and string.strip(), message.id
            assert fields(string) == fields(sources[0]), message.id
            assert (
                string[:1].isspace() == sources[0][:1].isspace() and string[-1:].isspace() == sources[0][-1:].isspace()
            )
            assert string.endswith(".") or not sources[0].endswith("."), message.id


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("code", CODES)
def test_compiled_catalogues_are_those_of_the_text_files(code: str, domain: str) -> None:
    compiled = (TRANSLATIONS / code / "LC_MESSAGES" / f"{domain}.mo").read_bytes()
    expected = BytesIO()
    write_mo(expected, catalogue(code, domain))
    one, other = (
        {str(message.id): list(message.string) for message in read_mo(BytesIO(data)) if message.id}
        for data in (compiled, expected.getvalue())
    )
    assert one == other


def test_numbers_and_dates_follow_the_language() -> None:
    english, spanish, turkish = (Language.of(code) for code in ("en", "es", "tr"))
    assert [one.number(-1234.56, 1) for one in (english, spanish, turkish)] == ["−1234.6", "−1234,6", "−1234,6"]
    assert english.number(2, 1, signed=True) == "+2.0" and spanish.number(-0.01, 1, signed=True) == "0,0"
    assert english.number(None) == english.number(float("nan")) == "–"
    day = date(2026, 8, 3)
    assert [one.date(day) for one in (english, spanish, turkish)] == [
        "3 August 2026",
        "3 de agosto de 2026",
        "3 Ağustos 2026",
    ]
    assert [one.listed(["1.5", "3"]) for one in (english, spanish)] == ["1.5, 3", "1.5; 3"]
    assert [one.significant(-2.50, 3) for one in (english, turkish)] == ["−2.5", "−2,5"]
    assert [spanish.plural("{n} stone", "{n} stones", n) for n in (1, 2)] == ["1 cálculo", "2 cálculos"]
    assert turkish.plural("{n} stone", "{n} stones", 2) == "2 taş"
    assert turkish.capitalised("iyi") == "İyi" and spanish.capitalised("iyi") == "Iyi"


def test_sentences_of_errors_are_literals_so_that_they_can_be_translated() -> None:
    """A sentence that is put together is in no catalogue, and would be English for everybody."""
    composed = [
        f"{place}:{node.lineno}"
        for place in (file.relative_to(PACKAGE) for file in sorted(PACKAGE.rglob("*.py")))
        if not speaks_english(place)
        for node in ast.walk(ast.parse((PACKAGE / place).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS
        if node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert composed == []


def test_errors_are_told_in_the_readers_language() -> None:
    error = ResourceError(
        "The image claims a size of {size_gb:.1f} GB, and {free_gb:.1f} GB of memory are free. Close other programs, "
        "or check that the file is what it should be.",
        size_gb=12.34,
        free_gb=0.5,
    )
    assert str(error).startswith("The image claims a size of 12.3 GB, and 0.5 GB of memory are free.")
    assert error.said(Language.of("en")) == str(error)
    assert error.said(Language.of("es")).startswith("La imagen declara un tamaño de 12,3 GB, y hay 0,5 GB")
    assert "12,3 GB boyut bildiriyor ve 0,5 GB boş bellek var" in error.said(Language.of("tr"))
    view = InputError(
        "The {view} view shows a part of the kidney only. A volume needs a whole one: choose another image.",
        view="transverse",
    )
    assert "transversal" in view.said(Language.of("es")), "words of the catalogue are translated, too"
    unknown = InputError("A sentence of {nobody}, with 1.5 mm.", nobody="a {brace}")
    assert unknown.said(Language.of("tr")) == str(unknown) == "A sentence of a {brace}, with 1.5 mm."
    again = pickle.loads(pickle.dumps(error))
    assert again.said(Language.of("es")) == error.said(Language.of("es")), "also from another process"


def test_other_languages_are_refused() -> None:
    with pytest.raises(InputError, match="en, es, tr"):
        check_language("de")
    with pytest.raises(InputError, match="en, es, tr"):
        Language.of("EN")


def flags_of_the_engine() -> list[Flag]:
    """Real flags: kidneys and lesions in trouble, every phase, single slices."""
    right = KidneyFinding(Side.RIGHT, MEASURES, 640.0, math.nan, ("feet", "head"), 32.0, 32.0)
    small = KidneyFinding(Side.LEFT, MEASURES, 20.0, 50.0)
    large = KidneyFinding(Side.RIGHT, MEASURES, 640.0, 130.0)
    unseen = replace(right, length_at_least_mm=None)
    flags = [flag for some in ([], [right], [unseen], [large, small]) for flag in check_kidneys(some)]
    phases = ("unknown", "non-contrast", "corticomedullary", "nephrographic", "excretory")
    for phase in phases:
        for confidence in (0.6, 1.0):
            flags += check_phase(PhaseEstimate(phase, confidence))  # type: ignore[arg-type]
    flags += check_lesions([MASS, CYST], [right], {"mass": 1, "cyst": 7}, None)
    volume, labels = phantom((1, 60, 90))
    for thickness in (None, 2.5):
        described = described_slice(
            volume,
            labels,
            thickness_mm=thickness,
            estimated_hu=True,
            flags=[],
            provenance=findings_of(volume, labels).provenance,
        )
        flags += [flag for flag in described.flags if flag.code == "single_slice"]
    return flags


@pytest.mark.parametrize("code", CODES)
def test_real_flags_are_translated_whole(code: str) -> None:
    language = Language.of(code)
    flags = flags_of_the_engine()
    assert len(flags) > 20
    for flag in flags:
        said = flag.said(language)
        assert said != flag.message and "{" not in said
        assert not re.search(r"\b(the|kidney|and|lesions|of|pole|mass|probably|feet|head)\b", said), said
        # every number is still there, in the language's convention
        numbers = [number.rstrip(".,") for number in re.findall(r"\d[\d.,]*", flag.message)]
        for number in numbers:
            assert number.replace(".", ",") in said, (number, said)


def test_turkish_and_spanish_read_well() -> None:
    volume = {"total_ml": 870, "lesions_ml": 775}
    flag = Flag.of("unusual_volume", side="right", size="large", volume=volume, smallest_ml=60, largest_ml=400)
    assert flag.message == (
        "The right kidney has an unusual volume of 870 ml, of which 775 ml are lesions (usual: 60 to 400 ml). "
        "Hydronephrosis, many cysts or a mass can be the cause, or other tissue was included: please look."
    )
    assert flag.said(Language.of("es")) == (
        "El riñón derecho tiene un volumen inusual de 870 ml, de los que 775 ml son lesiones (habitual: de 60 a 400 "
        "ml). La causa puede ser hidronefrosis, numerosos quistes o una masa, o bien se incluyó otro tejido: "
        "compruébelo."
    )
    cyst = {"structure": "cyst", "id": "C1", "side": "left", "pole": "upper"}
    assert Flag.of("low_confidence_lesion", lesion=cyst, confidence=0.58).said(Language.of("tr")) == (
        "Kist C1 (sol böbrek, üst pol) belirsizdir (güven %58): başka bir şey olabilir. Kontrol ediniz."
    )
