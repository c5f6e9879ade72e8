"""A result that a reader corrects by clicks becomes a new result, measured like any corrected label map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Units
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.correction import corrections
from KidneySegLib.result_files.result import Result
from KidneySegLib.segmentation.interactive.click import Click, is_air, voxel_at
from KidneySegLib.segmentation.interactive.session import Session
from KidneySegLib.structures import BY_KEY, BY_LABEL, STRUCTURES, Structure
from KidneySegLib.tasks.registry import task_of
from KidneySegLib.tasks.run import correct
from KidneySegLib.volume import Volume

# Setting in the provenance with all clicks of a session, as texts that ``PlacedClick.parse`` takes.
CLICKS = "clicks"
_FORM = "Write a click as x,y,z,+,structure or x,y,z,-,structure, such as -52.5,18,-310,+,mass."


@dataclass(frozen=True)
class PlacedClick:
    """A click in the patient.

    Attributes:
        place: ``(x, y, z)`` in mm LPS, or voxel indices ``(i, j, k)`` where they are asked for.
        adds: whether the structure is missing there; otherwise it is too much there.
        structure: which one.
    """

    place: tuple[float, float, float]
    adds: bool
    structure: Structure

    @classmethod
    def parse(cls, text: str) -> PlacedClick:
        """Takes ``x,y,z,+,mass``: place, more (+) or less (-), key of the structure.

        Raises:
            InputError: it is written in another way.
        """
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != 5 or parts[3] not in ("+", "-"):
            raise InputError("A click has another form than expected. {form}", form=_FORM)
        try:
            x, y, z = (float(part) for part in parts[:3])
        except ValueError as error:
            raise InputError("The place of a click must be three numbers. {form}", form=_FORM) from error
        keys = [structure.key for structure in STRUCTURES]
        if parts[4] not in keys:
            raise InputError("A click names no structure that there is. Structures: {keys}.", keys=", ".join(keys))
        return cls((x, y, z), parts[3] == "+", BY_KEY[parts[4]])

    def __str__(self) -> str:
        """Returns what ``parse`` takes, to a hundredth of a millimetre."""
        x, y, z = self.place
        return f"{x:.2f},{y:.2f},{z:.2f},{'+' if self.adds else '-'},{self.structure.key}"


def refine(result: Result, clicks: Sequence[PlacedClick], *, network: Result | None = None) -> tuple[Result, list[int]]:
    """Answers clicks on a result, one after the other, and measures what they made of it.

    Clicks of an earlier call, which stand in the provenance, belong to the same session: the new answers respect them.

    Args:
        result: with its exam; what is corrected.
        clicks: at least one, places in mm LPS.
        network: the network's result with the same exam, if ``result`` was corrected already; None if it is that.

    Returns:
        The new result, with all clicks of the session in the provenance and a flag on each new click that nothing
        followed, and the number of voxels that each new click changed.

    Raises:
        InputError: it is an ultrasound image, a click lies outside of it, or the network's result is missing or was
            corrected itself.
        GeometryError: the two results do not lie on one grid.
    """
    exam = result.image
    if exam.units is Units.GREY:  # tissues are told apart by HU
        raise InputError(
            "Clicks are answered on CT only. Correct the outline of an ultrasound image in a label map and measure "
            "that with 'kidneyseg measure'."
        )
    if corrections((network or result).findings):
        raise InputError(
            "The result was corrected already. Give the network's own result too (--findings), as 'kidneyseg segment' "
            "wrote it; names and corrections refer to it."
        )
    earlier = [PlacedClick.parse(text) for text in result.findings.provenance.settings.get(CLICKS, [])]
    session = Session(exam.volume, result.segmentation.labels, [_on_grid(click, exam.volume) for click in earlier])
    voxels, remarks = [], []
    for number, click in enumerate(clicks, start=1):
        place = exam.volume.to_kji(np.array(click.place))
        voxels.append(session.click(place, click.structure.label, adds=click.adds).voxels)
        if not voxels[-1]:
            why = "air" if click.adds and is_air(exam.volume, session.clicks[-1].kji) else "same"
            remarks.append(Flag.of("click_changed_nothing", number=number, structure=click.structure.key, why=why))
    last = result.findings if network is not None else None
    refined = correct(task_of(result.findings), exam, session.labels, network or result, last)
    provenance = refined.findings.provenance
    settings = {**provenance.settings, CLICKS: [str(_in_patient(click, exam.volume)) for click in session.clicks]}
    flags = (*refined.findings.flags, *remarks)
    findings = replace(refined.findings, flags=flags, provenance=replace(provenance, settings=settings))
    return replace(refined, findings=findings), voxels


def from_voxels(click: PlacedClick, image: Volume) -> PlacedClick:
    """Returns a click, its place given as voxel indices ``(i, j, k)`` of an image, with its place in the patient."""
    x, y, z = image.to_lps(np.array(click.place[::-1]))
    return replace(click, place=(float(x), float(y), float(z)))


def _on_grid(click: PlacedClick, volume: Volume) -> Click:
    kji = voxel_at(volume.to_kji(np.array(click.place)), volume.voxels.shape)
    return Click(kji, click.structure.label, click.adds)


def _in_patient(click: Click, volume: Volume) -> PlacedClick:
    """Returns a click at the centre of its voxel."""
    x, y, z = volume.to_lps(np.array(click.kji))
    return PlacedClick((float(x), float(y), float(z)), click.adds, BY_LABEL[click.label])
