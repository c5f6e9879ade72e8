"""What a reader made of the lesions and stones, in the report's language."""

from collections.abc import Sequence

from KidneySegLib.findings import LesionFinding, StoneFinding
from KidneySegLib.findings.side_words import word_of
from KidneySegLib.languages.language import N_, Language

# by state; what nobody spoke of is not told
_SENTENCES = {
    "confirmed": N_("Confirmed by the reader: {findings}."),
    "changed": N_("Changed by the reader: {findings}."),
    "added": N_("Added by the reader: {findings}."),
    "dismissed": N_("Dismissed by the reader: {findings}."),
}
_WAS_KIDNEY = {
    "right": N_("was the right kidney"),
    "left": N_("was the left kidney"),
    "header-right": N_("was the header-right kidney"),
    "header-left": N_("was the header-left kidney"),
}
STATES = {
    "confirmed": N_("confirmed by the reader"),
    "changed": N_("changed by the reader"),
    "added": N_("added by the reader"),
}


def reading_notes(listed: Sequence[LesionFinding | StoneFinding], language: Language) -> list[str]:
    """Returns sentences on which of some findings a reader confirmed, changed, added, dismissed or named."""
    notes = []
    for state, sentence in _SENTENCES.items():
        names = [_with_origin(each, language) for each in listed if each.reading.state == state]
        if names:
            notes.append(language.text(sentence).format(findings=language.listed(names)))
    called = [f"{each.id} = {each.reading.reader_name}" for each in listed if each.reading.reader_name]
    if called:
        notes.append(language.text("The reader's names: {findings}.").format(findings=language.listed(called)))
    return notes


def _with_origin(finding: LesionFinding | StoneFinding, language: Language) -> str:
    if finding.reading.was is None:
        return finding.id
    kidney = finding.reading.was_kidney
    if kidney is not None:
        return f"{finding.id} ({language.text(_WAS_KIDNEY[word_of(kidney, certain=finding.side_certain)])})"
    was = language.text("was {id}").format(id=finding.reading.was)
    return f"{finding.id} ({was})"
