"""Which part of the body a series shows, by the words of its headers: English, Spanish, Turkish, German, and codes.

BodyPartExamined alone is often wrong (it keeps what the protocol was first made for), so it is never the only reason to
refuse a series. Codes such as NECKCHESTABDPELV: PS3.16 Annex L.
"""

import re
from enum import StrEnum
from functools import lru_cache

from KidneySegLib.readers.dicom.finding.words import any_word, plain_words


class BodyRegion(StrEnum):
    """A part of the body; the text is used in messages."""

    HEAD = "head"
    NECK = "neck"
    CHEST = "chest"
    ABDOMEN = "abdomen"
    PELVIS = "pelvis"
    LEGS = "legs"
    ARMS = "arms"
    SPINE = "spine"
    TRUNK = "trunk"


WITH_KIDNEYS = frozenset({BodyRegion.ABDOMEN, BodyRegion.TRUNK})
WITHOUT_KIDNEYS = frozenset({BodyRegion.HEAD, BodyRegion.NECK, BodyRegion.LEGS, BodyRegion.ARMS})
_ABOVE = frozenset({BodyRegion.HEAD, BodyRegion.NECK, BodyRegion.CHEST})
_BELOW = frozenset({BodyRegion.PELVIS, BodyRegion.LEGS})

# What looks like a part of the body and is none: how the patient lies, and parts of organs.
_MISLEADING = any_word("HEAD FIRST; FEET FIRST; FOOT FIRST; HEADFIRST; FEETFIRST; KOPF VORAN; RENAL PELVIS")
_REGIONS: dict[BodyRegion, re.Pattern[str]] = {
    BodyRegion.TRUNK: any_word(
        "N?CAP; N?TAP; [CT] A P; CTAP; CTCAP; TRUNK*; TORSO*; TRONCO*; GOVDE*; RUMPF*; KORPERSTAMM*; "
        "STAMM; WHOLE ?BODY*; WB; WBCT; FULL ?BODY*; TOTAL ?BODY*; GANZKO*; CUERPO*; (?:TUM ?)?VUCUT*; "
        "BODY; POL[YI] ?TRA*; POLYTX; MULTITRAUMA*; PAN ?(?:SCAN|CT|TRAUMA)*; "
        "TRAUMA ?(?:SCAN|SPIRALE?|PAN)*; SCHOCKRAUM*; PET(?: ?[CB]T)?; CT ?AC; AC ?CT*; RUN ?OFF*; "
        "STAGING*; AORT(?:A|EN|O)* ?(?:ILI|BIF|TOT|GES|COMP)*; AORTOILI*"
    ),
    BodyRegion.ABDOMEN: any_word(
        "*ABD*; BATIN*; KARIN*; BAUCH*; OBERBAUCH*; VIENTRE*; BELLY; KUB; CTU; CT U; URO*; URE?TER*; HARN*; NIERE*; "
        "BOBREK*; RINON*; KIDNEY*; RENAL*; RENES; NEPHR*; NEFR*; ADREN*; SURREN*; LIVER*; HEPAT*; HIGADO*; KARACIGER*; "
        "LEBER*; PANCRE*; PANKRE*; SPLEEN*; BAZO; DALAK*; MILZ*; BILIAR*; GALL ?BL*; RETROPER*; STONES; "
        "STONE ?(?:PROT|CT|SEARCH)*; LITIAS*; STEIN ?(?:SUCHE|CT|PROT)*; KOLIK*; COLIC*; ENTEROG*; COLONOG*; BOWEL*; "
        "FLANK*"
    ),
    BodyRegion.CHEST: any_word(
        "*CHEST*; *THORA[XKC]*; *TORA[XKC]*; LUNG*; PULM*; AKCIGER*; GOGUS*; PECHO*; BRUST*; HEART*; CARDIA*; KALP*; "
        "HERZ*; "
        "CORAZON*; CORONARI?Y*; KORONAR*; KORONER*; CTPA; BREAST*; MAMA*; MEDIAST*; RIBS?; STERNUM*; O?ESOPHAG*; "
        "BRONCH*"
    ),
    BodyRegion.PELVIS: any_word(
        "*PELV*; *BECKEN*; HIPS?; HUE?FT*; KALCA*; CADERA*; BLADDER*; VEJIGA*; MESANE*; BLASE*; PROSTAT*; SACR*; "
        "SAKR*; SYMPH*; SIMFIZ*; ILIAC*; GROIN*; LEISTE*; INGUIN*; KASIK*"
    ),
    BodyRegion.NECK: any_word(
        "*NECK*; CUELLO*; HALS*; BOYUN*; CERVI*; SERVI[KC]*; C ?SPINE*; HWS*; LARYN*; CAROTI*; KAROTI*; THYRO*; "
        "TIROID*; SUPRAORT*"
    ),
    BodyRegion.HEAD: any_word(
        "HEAD(?!ER)*; BRAIN*; SKULL*; CRAN[EI]*; KRANI*; CEREBR*; SEREBR*; KOPF*; SCHAE?DEL*; HIRN*; KAFA; BEYIN*; "
        "CABEZA*; "
        "ORBIT*; FACE; FACIAL*; MAXILL*; MANDIB*; DENTAL*; PETROUS*; TEMPORAL*; SINUS*; PARANAS*; VERTEX*; EYES?; "
        "STROKE*"
    ),
    BodyRegion.LEGS: any_word(
        "KNEE*; KNIE; RODILLA*; DIZ; ANKLE*; TOBILLO*; FOOT*; FEET*; TOES?; FUSS*; FUE?SSE*; AYAK*; LEGS?; BEINE?; "
        "PIERNA*; BACAK*; *THIGH*; MUSLO*; UYLUK*; OBERSCHENKEL*; FEMUR*; FEMOR*; TIBIA*; CALF*; LOWER ?EXT*; LOWEXT*; "
        "MIEMBROS? INF*; UNTERSCHENKEL*; UNTERE ?EXT*; ALT EKSTR*"
    ),
    BodyRegion.ARMS: any_word(
        "HANDS?; MANO; WRIST*; MUNECA*; ELBOW*; CODO; ELLENB*; SHOULDER*; HOMBRO*; OMUZ*; SCHULTER*; HUMER*; FOREARM*; "
        "UPPER ?EXT*; UPEXT*; EXTREM*; EL BILE*; HANDGEL*"
    ),
    BodyRegion.SPINE: any_word("*SPINE*; COLUMNA*; WIRBEL*; OMURGA*; VERTEBR*; [LB]WS; LUMB*; LOMBER*; LENDENWIRBEL*"),
}


@lru_cache(maxsize=4096)
def regions(text: str) -> frozenset[BodyRegion]:
    """Returns the parts of the body that a text names.

    Where it names one above and one below the abdomen (neck to pelvis, skull base to mid thigh), the abdomen lies
    between them.
    """
    words = _MISLEADING.sub(" ", plain_words(text))
    found = {region for region, pattern in _REGIONS.items() if pattern.search(words)}
    if found & _ABOVE and found & _BELOW:
        found.add(BodyRegion.TRUNK)
    return frozenset(found)


def shown_regions(description: str, protocol: str, body_part: str, study: str) -> frozenset[BodyRegion]:
    """Returns the parts of the body that a series shows, by the text that is closest to it.

    The series' own description decides where it names a part; then protocol and body part together, since either may
    be left from another exam; at last the study's description.
    """
    return regions(description) or regions(protocol) | regions(body_part) or regions(study)


def is_surely_without_kidneys(*texts: str) -> bool:
    """Whether at least two texts name parts of the body without kidneys, and none names another part."""
    named = [found for text in texts if (found := regions(text))]
    return len(named) >= 2 and all(found <= WITHOUT_KIDNEYS for found in named)
