"""The volume of a kidney from a longitudinal and a transverse view, as an ellipsoid: length × width × depth × π/6."""

import math
from dataclasses import replace
from typing import Any

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Ellipsoid, Findings, KidneyView
from KidneySegLib.flags import Flag
from KidneySegLib.languages.language import N_

_SAID_OF_VOLUME = ("ellipsoid_volume", "views_of_two_studies", "views_not_tied", "views_alike")
# Kidneys are about half as wide as long (medians 112 and 58 mm; Emamian et al., AJR 1993). A view across one that is
# nearly as long as the view along it is another view along it, and the volume about twice the true one; one that is
# longer was exchanged with it.
_ALIKE = 0.85


def with_volume(longitudinal: Findings, transverse: Findings) -> Findings:
    """Returns the findings of a longitudinal view with the volume that a transverse one adds to it.

    The length is the longest diameter of the longitudinal outline; width and depth are the longest diameter of the
    transverse outline and the one at right angles to it. A volume from an earlier transverse view is replaced.

    Args:
        longitudinal: of one kidney along its axis.
        transverse: of the same kidney across it.

    Raises:
        InputError: one of them is not an ultrasound view of one whole kidney in millimetres, or they are of different
            kidneys or one image.
    """
    along, across = _only_view(longitudinal, N_("longitudinal")), _only_view(transverse, N_("transverse"))
    if along.side and across.side and along.side is not across.side:
        raise InputError("One view is of the right kidney and the other of the left. Give two views of one kidney.")
    record, other = (findings.provenance.input.source for findings in (longitudinal, transverse))
    images = [(source.get("sop_instance_uids"), view.frame) for source, view in ((record, along), (other, across))]
    if images[0][0] and images[0] == images[1]:
        raise InputError("Both views are the same image. Give a longitudinal and a transverse view of the kidney.")
    sizes = along.measures.length_mm, across.measures.length_mm, across.measures.width_mm
    ellipsoid = _ellipsoid(*sizes, dict(other))
    flags = (*without_volume(longitudinal).flags, *_remarks(record, other), *_alike(ellipsoid))
    return replace(longitudinal, ellipsoid=ellipsoid, flags=flags)


def without_volume(findings: Findings) -> Findings:
    """Returns findings without the volume that a second view added, and without what was said of it."""
    if findings.ellipsoid is None and not any(flag.code in _SAID_OF_VOLUME for flag in findings.flags):
        return findings
    kept = tuple(flag for flag in findings.flags if flag.code not in _SAID_OF_VOLUME)
    return replace(findings, ellipsoid=None, flags=kept)


def with_volume_of(before: Findings, after: Findings) -> Findings:
    """Returns corrected findings with the volume that they had, its length renewed; without it where there is none now.

    Args:
        before: findings of the same longitudinal view, with a volume or without one.
        after: what was measured on the corrected outline.
    """
    old = before.ellipsoid
    if old is None:
        return after
    views = after.views
    if len(views) != 1 or views[0].cut_at:
        return without_volume(after)
    ellipsoid = _ellipsoid(views[0].measures.length_mm, old.width_mm, old.depth_mm, old.transverse)
    kept = (flag for flag in after.flags if flag.code != "views_alike")
    return replace(after, ellipsoid=ellipsoid, flags=(*kept, *_alike(ellipsoid)))


def _ellipsoid(length_mm: float, width_mm: float, depth_mm: float, transverse: dict[str, Any]) -> Ellipsoid:
    volume = math.pi / 6 * length_mm * width_mm * depth_mm / 1000
    return Ellipsoid(volume, length_mm, width_mm, depth_mm, transverse)


def _alike(ellipsoid: Ellipsoid) -> list[Flag]:
    """Returns a flag where the second view is as long as if it ran along the kidney, too."""
    if ellipsoid.width_mm <= _ALIKE * ellipsoid.length_mm:
        return []
    return [Flag.of("views_alike", length_mm=ellipsoid.length_mm, width_mm=ellipsoid.width_mm)]


def _remarks(record: dict[str, object], other: dict[str, object]) -> list[Flag]:
    flags = [Flag.of("ellipsoid_volume")]
    studies = record.get("study_uid"), other.get("study_uid")
    if not all(studies):
        flags.append(Flag.of("views_not_tied"))
    elif studies[0] != studies[1]:
        flags.append(Flag.of("views_of_two_studies"))
    return flags


def _only_view(findings: Findings, which: str) -> KidneyView:
    if findings.modality != "US":
        raise InputError("A volume from two views is made of ultrasound images. Leave out --transverse.")
    if len(findings.views) != 1:
        if findings.views:
            raise InputError(
                "The {view} view shows several kidneys; a volume needs one in each. Choose another image.", view=which
            )
        raise InputError(
            "The {view} view shows no kidneys; a volume needs one in each. Choose another image.", view=which
        )
    view = findings.views[0]
    if not findings.calibrated:
        raise InputError(
            "The pixel size of the {view} view is not known, so there is no volume. Give it with "
            "--pixel-mm, or choose an image that states its own.",
            view=which,
        )
    if view.cut_at:
        raise InputError(
            "The {view} view shows a part of the kidney only. A volume needs a whole one: choose another image.",
            view=which,
        )
    return view
