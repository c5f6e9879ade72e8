"""The catalogue of flags is whole: every code is raised, is said in all languages, and no sentence stands elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_pages.flags import PAGE, flag_guide

from KidneySegLib.flags import TEXT, Flag
from KidneySegLib.flags.catalogue import CATALOGUE, ROOMS
from KidneySegLib.flags.kinds import FlagKind, Sentence, fields_of
from KidneySegLib.languages.language import DECIMAL_SIGNS, Language

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [*(ROOT / "KidneySegLib").rglob("*.py"), *(ROOT / "KidneySeg").rglob("*.py")]
OUTSIDE = [path for path in SOURCES if (ROOT / "KidneySegLib" / "flags") not in path.parents]
# Words in a row that two sentences on different things hardly have in common.
WORDS_IN_A_ROW = 7
LESION = {"structure": "cyst", "id": "C1", "side": "right", "pole": "upper"}
SERIES = {"number": 4, "part": 2, "images": 120, "slice_mm": 2.5, "words": ["abdomen"], "phase": {"delay_s": 70}}
EXAMPLES: dict[str, Any] = {
    "lesion": LESION,
    "stone": {"structure": "stone", "id": "S1", "side": "left", "pole": None},
    "ends": ["feet", "right side"],
    "series": SERIES,
    "others": [{"number": None, "part": 0, "images": 1, "words": ["localiser"]}, *[SERIES] * 9],
    "phases": [{"number": 4, "part": 0, "phase": "arterial phase"}, {"number": 5, "part": 0, "phase": "first scan"}],
    "option": "4/2",
    "volume": {"total_ml": 870.4, "lesions_ml": 775.2},
    "larger_volume": {"total_ml": 870.4, "lesions_ml": 775.2},
    "smaller_volume": {"total_ml": 95.2, "lesions_ml": 0.2},
    "places_mm": [-12.25 * n for n in range(12)],
    "smaller": [80, 80, 64],
    "usual": [160, 80, 64],
    "network": "kidney",
    "phase": "nephrographic",
    "signs": ["spine in front", "head at the feet"],
    "kind": "material map",
    "probably": True,
    "findings": ["M2", "C1"],
}
# Where one name has another meaning.
SPECIAL: dict[str, dict[str, Any]] = {
    "several_phases": {"phase": {"after_first_scan_s": 60}},
    "asymmetry": {"smaller": "left", "larger": "right"},
    "tissue_regions_left_out": {"others": [2, 3]},
    "outline_cut": {"ends": ["picture-left", "sector"]},
}


def example(code: str, name: str) -> Any:
    """Returns a value that a flag may have."""
    if name in SPECIAL.get(code, {}):
        return SPECIAL[code][name]
    if name in EXAMPLES:
        return EXAMPLES[name]
    words = getattr(CATALOGUE[code].values[name], "words", None)
    return next(iter(words)) if words else 7.25


def examples(code: str) -> Iterator[tuple[Sentence, Flag]]:
    """Yields each sentence of a code with a flag that says it, with every word of each list of words."""
    kind = CATALOGUE[code]
    for sentence in kind.sentences:
        values = {name: example(code, name) for name in sentence.names} | dict(sentence.when)
        yield sentence, Flag.of(code, **values)
        if sentence.many:
            yield sentence, Flag.of(code, **{**values, sentence.by: 1})
        for name in fields_of(sentence.texts[0]):
            for word in getattr(kind.values[name], "words", ()):
                if kind.sentence({**values, name: word if not isinstance(values[name], list) else [word]}) is sentence:
                    value = [word] if isinstance(values[name], list) else word
                    yield sentence, Flag.of(code, **{**values, name: value})


def literals(path: Path) -> Iterator[str]:
    """Yields the texts of a module with a mark for what is filled in, without docstrings and sentences of errors."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
    errors = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")
    ]
    in_errors = {each for error in errors for each in ast.walk(error)}
    for node in ast.walk(tree):
        if node in in_errors:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docs:
            yield node.value


def rows(text: str) -> set[str]:
    """Returns each row of words of a text, without what is filled in."""
    found = set()
    for part in re.split(r"\{\w*\}", text):
        words = re.findall(r"[\w'-]+", part.lower())
        found |= {" ".join(words[n : n + WORDS_IN_A_ROW]) for n in range(len(words) - WORDS_IN_A_ROW + 1)}
    return found


def test_codes_are_identifiers_and_stand_in_one_room_only() -> None:
    assert len(CATALOGUE) == sum(len(kinds) for kinds in ROOMS.values())
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in CATALOGUE)


def test_every_code_is_raised_and_every_raised_code_is_known() -> None:
    raised = set()
    for path in OUTSIDE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Flag.of":
                raised.add(ast.literal_eval(node.args[0]))
    assert raised == set(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_sentence_uses_just_its_values_and_is_said_in_all_languages(code: str) -> None:
    kind: FlagKind = CATALOGUE[code]
    used: set[str] = set()
    for sentence, flag in examples(code):
        used |= set(sentence.names)
        assert kind.sentence(flag.values) is sentence
        english = flag.message
        assert "{" not in english and english.endswith(".") and english.isprintable()
        for language in map(Language.of, DECIMAL_SIGNS):
            said = flag.said(language)
            assert "{" not in said and said[0] == language.capitalised(said)[0]
            assert language.code == "en" or (said != english)
        stored = flag.to_dict()
        assert Flag.from_dict(stored) == flag and stored["message"] == english
    assert used == set(kind.values)


@pytest.mark.parametrize("code", CATALOGUE)
def test_no_two_sentences_of_a_code_fit_the_same_values_unless_the_first_is_special(code: str) -> None:
    for sentence, flag in examples(code):
        fitting = [other for other in CATALOGUE[code].sentences if other.fits(flag.values)]
        assert fitting[0] is sentence
        assert len(fitting) == 1 or getattr(fitting[0], "when", {})


def test_no_sentence_of_two_codes_is_the_same() -> None:
    texts = [text for kind in CATALOGUE.values() for sentence in kind.sentences for text in sentence.texts]
    assert len(set(texts)) == len(texts)


def test_no_sentence_stands_outside_the_catalogue() -> None:
    own = set()
    for kind in CATALOGUE.values():
        for sentence in kind.sentences:
            own |= {row for text in sentence.texts for row in rows(text)}
    found = {(path.name, row) for path in OUTSIDE for text in literals(path) for row in rows(text) & own}
    assert not found


def test_values_that_a_code_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="no sentence"):
        Flag.of("noise", level=3)
    with pytest.raises(KeyError):
        Flag.of("nosie")


def test_a_flag_without_values_or_with_strange_ones_is_shown_as_it_was_written() -> None:
    old = {"code": "noise", "severity": "warning", "message": "The image is noisy (about 31 HU in soft tissue)."}
    strange: list[Any] = [None, {}, {"noise_hu": "x"}, {"noise_hu": [1]}, {"other": 1}, "noise", 3]
    for values in [*strange, {"noise_hu": {"a": 1}}]:
        for stored in (old, {**old, "values": values}):
            flag = Flag.from_dict(stored)
            assert flag.values == {TEXT: old["message"]} and flag.code == "noise"
            assert flag.said(Language.of("es")) == old["message"] == flag.by_header().message
            assert Flag.from_dict(flag.to_dict()) == flag
    unknown = Flag.from_dict({**old, "code": "newer", "values": {"n": 1}})
    assert unknown.message == old["message"]


def test_sides_become_the_header_s() -> None:
    cut = Flag.of("lesion_cut", lesion=LESION, ends=["right side", "feet"]).by_header()
    assert cut.message == (
        "Cyst C1 (header-right kidney, upper pole) reaches the end of the image towards the header-right side and the "
        "feet: it may be larger than measured."
    )
    assert cut.by_header() == cut
    for code in CATALOGUE:
        for _, flag in examples(code):
            told = flag.by_header()
            assert told.said(Language.of("tr"))
            assert not re.search(r"'(right|left)\b", str(told.values)), told


def test_numbers_follow_the_language_and_keep_their_ascii_signs_in_english() -> None:
    window = Flag.of("values_clipped", low_hu=-160.4, high_hu=240)
    assert window.message.startswith("The image only holds values from -160 to 240 HU")
    assert "de −160 a 240 UH" in window.said(Language.of("es"))
    gone = Flag.of("missing_slices", count=12, total=40, places_mm=[-12.25 * n for n in range(12)])
    assert "at 0.0, -12.2, -24.5, -36.8, -49.0, -61.2, -73.5, -85.8, -98.0, -110.2 ... mm along" in gone.message
    assert "0,0; −12,2; −24,5;" in gone.said(Language.of("tr"))
    sure = Flag.of("low_confidence_lesion", lesion=LESION, confidence=0.58)
    assert [
        f"({mark})" in sure.said(Language.of(code)) for code, mark in (("es", "confianza 58 %"), ("tr", "güven %58"))
    ]


def test_the_reference_is_that_of_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == flag_guide()
    assert "reference/flags" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
