"""Why something that a reader asked for cannot be done: errors that front ends tell in the reader's language.

The command line tells them in English, as all errors.
"""

from KidneySegLib.errors import InputError
from KidneySegLib.languages.language import N_, Language

LONGITUDINAL, TRANSVERSE = N_("longitudinal"), N_("transverse")

# Two ultrasound views give no volume.
NOT_ULTRASOUND = N_("A volume from two views is made of ultrasound images. Leave out --transverse.")
TWO_SIDES = N_("One view is of the right kidney and the other of the left. Give two views of one kidney.")
SAME_IMAGE = N_("Both views are the same image. Give a longitudinal and a transverse view of the kidney.")
VIEW_WITHOUT_KIDNEY = N_("The {view} view shows no kidneys; a volume needs one in each. Choose another image.")
VIEW_OF_SEVERAL = N_("The {view} view shows several kidneys; a volume needs one in each. Choose another image.")
VIEW_IN_PIXELS = N_(
    "The pixel size of the {view} view is not known, so there is no volume. Give it with --pixel-mm, or choose an "
    "image that states its own."
)
VIEW_OF_A_PART = N_(
    "The {view} view shows a part of the kidney only. A volume needs a whole one: choose another image."
)

# A lesion or kidney cannot be changed as a whole.
CHANGED_SINCE = N_(
    "{finding} is not drawn as it was measured: it was changed since. Measure again, and then change it."
)
NOTHING_DRAWN = N_("Nothing is drawn of this kidney any more. Measure again, and then choose a lesion.")
NO_STONE = N_(
    "This kidney has {density} HU on average, and stones have more than {least} HU. Add the stone by a click, or draw "
    "it alone."
)


class Reason(InputError):  # noqa: N818  (what it is called where it is told)
    """An error with a sentence in every language."""

    def __init__(self, sentence: str, **values: str) -> None:
        """Takes an English sentence of the catalogues with fields for values.

        Args:
            sentence: one of those above.
            values: what the fields stand for; words are translated, if the catalogues know them.
        """
        self._sentence, self._values = sentence, values
        super().__init__(self.said(Language.of("en")))

    def said(self, language: Language) -> str:
        """Returns the sentence in a language."""
        return language.text(self._sentence).format(
            **{name: language.text(word) for name, word in self._values.items()}
        )
