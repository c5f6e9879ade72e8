"""The report's key images: both kidneys in three ways, and each lesion or stone close up.

The three ways are those of Kilic et al. (2026): the image, the segments laid over it, the background removed.
"""

from dataclasses import replace
from io import BytesIO

import numpy as np

from KidneySegLib.findings import Findings, LesionFinding, StoneFinding
from KidneySegLib.geometry.boxes import bounding_boxes
from KidneySegLib.languages.language import N_, Language
from KidneySegLib.languages.words import STRUCTURES
from KidneySegLib.pictures.frames import GREY_LEVELS, frame_view
from KidneySegLib.pictures.overview import display_window
from KidneySegLib.pictures.panels import Style, Window, draw_panel, line_colour
from KidneySegLib.pictures.views import View, ViewFinder
from KidneySegLib.reporting.content.content import Picture, PictureRow
from KidneySegLib.reporting.content.places import place_of
from KidneySegLib.reporting.content.tables import diameters
from KidneySegLib.structures import BY_LABEL
from KidneySegLib.volume import Volume

# Width in pixels by the number of pictures that share the width of a page: about 200 per inch, so that lines and
# letters have the same size in all of them.
WIDTHS = {2: 720, 3: 480, 4: 360}
WIDE, SQUARE = 0.75, 1.0  # height per width
JPEG_QUALITY = 90
MARGIN_MM = 15.0
MOST_CLOSE_UPS = 12
# Of the close-ups, this many are for stones even where there are as many lesions.
PLACES_FOR_STONES = 2
THREE_WAYS = (
    (Style.PLAIN, N_("image"), N_("The image without marks.")),
    (Style.OVERLAY, N_("segments"), N_("Kidneys, masses, cysts and stones are filled with their colours.")),
    (Style.CUT_OUT, N_("background removed"), N_("Everything but kidneys, masses, cysts and stones is black.")),
)


def key_images(volume: Volume, labels: np.ndarray, findings: Findings, language: Language) -> tuple[PictureRow, ...]:
    """Draws the key images, rows of them, the most important first.

    Args:
        volume: the image in HU.
        labels: its label map, uint8 ``(k, j, i)``.
        findings: measures.
        language: of the captions.
    """
    finder = ViewFinder(volume, labels, sides_certain=findings.sides_certain)
    if not findings.in_patient:
        frame = frame_view(volume, labels, findings)
        number = findings.views[0].frame if findings.views else frame.index + 1
        title = language.text("Frame {n}").format(n=number)
        return (_Artist(finder, GREY_LEVELS, language).three_ways(frame, title),)
    artist = _Artist(finder, display_window(findings, finder.value_range()), language)
    axial = finder.axial()[0]
    if finder.voxels.shape[0] == 1:
        return (artist.three_ways(axial, artist.slice_name(axial)), *artist.close_ups(findings))
    coronal = finder.coronal()
    if not labels.any():
        return (artist.plain([(coronal, language.text("Coronal")), (axial, artist.slice_name(axial))]),)
    shown = artist.three_ways(coronal, language.text("Coronal")), artist.three_ways(axial, artist.slice_name(axial))
    return (shown[0], *artist.close_ups(findings), shown[1])


class _Artist:
    """Draws views of one exam with captions in one language."""

    def __init__(self, finder: ViewFinder, window: Window, language: Language) -> None:
        self._finder, self._window, self._language = finder, window, language

    def plain(self, views: list[tuple[View, str]]) -> PictureRow:
        """Draws views, each with its title, as they are."""
        _, text = self._language.text, THREE_WAYS[0][2]
        pictures = [self._picture(view, 2, WIDE, Style.PLAIN, title, f"{title}. {_(text)}") for view, title in views]
        return PictureRow(2, tuple(pictures))

    def three_ways(self, view: View, title: str) -> PictureRow:
        """Draws a view as it is, with segments, and without background."""
        _, zoomed = self._language.text, _around_segments(view)
        pictures = [
            self._picture(
                zoomed if style is Style.OVERLAY else replace(zoomed, lines=()),
                3,
                WIDE,
                style,
                f"{title}: {_(way)}",
                f"{title}. {_(text)}",
            )
            for style, way, text in THREE_WAYS
        ]
        return PictureRow(3, tuple(pictures))

    def close_ups(self, findings: Findings) -> list[PictureRow]:
        """Draws lesions and stones, two to four to a row; a single one without its contour, too."""
        shown = _shown(findings)
        columns = 2 if len(shown) <= 2 else 3 if len(shown) in (3, 5, 6) else 4
        pictures = [self._close_up(finding, columns) for finding in shown]
        if len(shown) == 1:
            pictures.append(self._unmarked(shown[0], columns))
        return [PictureRow(columns, tuple(pictures[n : n + columns])) for n in range(0, len(pictures), columns)]

    def slice_name(self, view: View) -> str:
        """Returns which axial slice a view shows."""
        if self._finder.voxels.shape[0] == 1:
            return self._language.text("Axial")
        pattern = self._language.text("Axial, slice {n} of {total} from the feet")
        return pattern.format(n=view.index + 1, total=self._finder.voxels.shape[0])

    def _close_up(self, finding: LesionFinding | StoneFinding, columns: int) -> Picture:
        language = self._language
        view = self._finder.close_up("", finding.measures)
        if isinstance(finding, LesionFinding):
            structure, size = language.text(STRUCTURES[finding.structure]), f"{diameters(finding, language)} mm"
        else:
            length = finding.length_mm
            size = language.text("too small to be measured") if length is None else f"{language.number(length, 1)} mm"
            structure = language.text("Stone")
        name = f"{finding.id}: {structure}, {place_of(finding, language)}"
        caption = f"{name}. {size}. {self.slice_name(view)}."
        description = language.text("{finding}. Contour and diameters ({size}) in its largest axial slice.")
        described = description.format(finding=name, size=size)
        return self._picture(view, columns, SQUARE, Style.CONTOURS, caption, described, finding.id)

    def _unmarked(self, finding: LesionFinding | StoneFinding, columns: int) -> Picture:
        view = replace(self._finder.close_up("", finding.measures), lines=())
        caption = self._language.text("The same slice without marks.")
        return self._picture(view, columns, SQUARE, Style.PLAIN, caption, f"{finding.id}. {caption}")

    def _picture(
        self, view: View, columns: int, shape: float, style: Style, caption: str, description: str, finding: str = ""
    ) -> Picture:
        """Draws a view for a row of this many columns; ``shape`` is its height per width."""
        size = WIDTHS[columns], round(WIDTHS[columns] * shape)
        file = BytesIO()
        draw_panel(replace(view, name=""), size, self._window, style).save(
            file, "JPEG", quality=JPEG_QUALITY, subsampling=0
        )
        return Picture(file.getvalue(), size, caption, description, finding)


def _shown(findings: Findings) -> list[LesionFinding | StoneFinding]:
    """Returns the largest lesions, then the largest stones."""
    lesions = sorted(findings.lesions, key=lambda lesion: -lesion.measures.axial_diameter_mm)
    stones = sorted(findings.stones, key=lambda stone: -stone.measures.length_mm)
    room = MOST_CLOSE_UPS - min(PLACES_FOR_STONES, len(stones))
    shown: list[LesionFinding | StoneFinding] = [*lesions[:room], *stones]
    return shown[:MOST_CLOSE_UPS]


def _around_segments(view: View) -> View:
    """Returns the view with its focus on the segments and a margin around them."""
    rows, columns = np.nonzero(view.labels)
    if rows.size == 0:
        return view
    focus = []
    for places, mm, size in zip((rows, columns), view.spacing, view.labels.shape, strict=True):
        margin = round(MARGIN_MM / mm)
        focus += [max(0, int(places.min()) - margin), min(size - 1, int(places.max()) + margin)]
    return replace(view, focus=tuple(focus))


def colours(labels: np.ndarray) -> list[tuple[str, tuple[int, int, int]]]:
    """Returns name (English) and colour in pictures of each structure that a label map holds."""
    return [(BY_LABEL[label].name, line_colour(label)) for label in bounding_boxes(labels)]
