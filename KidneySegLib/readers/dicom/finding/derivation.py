"""What was computed from a scan: slabs, reformats, material maps; and what still is a CT in Hounsfield units.

Sources: PS3.3 C.8.2.1.1.1 and C.8.15.2.1 (Image Type), DICOM Supplement 188 (multi-energy CT), PS3.16 CID 7203 (Image
Derivation), and words that Siemens (dual energy), GE (GSI), Philips (SBI) and Canon use.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from KidneySegLib.readers.dicom.finding.words import any_word, plain_words

HOUNSFIELD_TYPES = ("", "HU", "HU_MOD", "US")  # Rescale Types; old scanners write "US", "unspecified"


class Derivation(StrEnum):
    """What was done with the scan; the text is used in messages."""

    NONE = "original images"
    MONOENERGETIC = "monoenergetic images"
    AVERAGE = "averaged slabs"
    REFORMAT = "reformatted images"
    VIRTUAL_NON_CONTRAST = "virtual non-contrast images"
    CHANGED = "images with a material removed"
    VIEW = "intensity projection or other 3D view"
    MATERIAL = "material map"
    PERFUSION = "perfusion map"
    SUBTRACTION = "difference images"


# Their values are those of the tissue, if averaged over more of it or estimated for another energy.
HOUNSFIELD_UNITS = (Derivation.NONE, Derivation.MONOENERGETIC, Derivation.AVERAGE, Derivation.REFORMAT)
# Their values are not densities of what lies at their place: neither sizes nor Hounsfield units can be taken from them.
_NO_IMAGE_OF_TISSUE = (Derivation.VIEW, Derivation.MATERIAL, Derivation.PERFUSION, Derivation.SUBTRACTION)

_MATERIAL = r"(?:IODINE|WATER|CALCIUM|FAT|HAP|BLOOD|IRON|URIC ACID|HYDROXYAPATITE|GADOLINIUM)"
_GIVEN_AS_CONTRAST = r"(?<!WITH )(?<!W )(?<!CON )(?<!MIT )(?<!IV )(?<!ORAL )"

# The first that fits decides: "iodine removed" is not a map of iodine, "average weighted" no slab.
_MIXED = any_word(r"MIX; MIXED; BLEND*; AVERAGE WEIGHTED; M 0 \d+; F 0 \d+")
_WORDS: tuple[tuple[Derivation, re.Pattern[str]], ...] = (
    (
        Derivation.VIRTUAL_NON_CONTRAST,
        any_word(
            "VNC; VUE; VNE; VUNC; DE ?VNC; VIRTUAL ?(?:NON|UNENH|NATIV|SIN|TRUE NON|PRE)*; VIRTUELL*; "
            "SANAL KONTRAST*; MAT REMOVED; IODINE (?:REMOV|SUPPRES|SUBTRACT)*; VIRTUAL PLAIN"
        ),
    ),
    (
        Derivation.CHANGED,
        any_word(
            "MAT MODIFIED; CALCIUM ?SUPP*; CASUPP*; VNCA; VIRTUAL NON ?CALCI*; BONE ?REMOV*; BONELESS; "
            "BONE MARROW; METAL ONLY"
        ),
    ),
    (
        Derivation.MATERIAL,
        any_word(
            "MAT SPECIFIC; MAT FRACTIONAL; MAT VALUE BASED; EFF ATOMIC NUM*; EFFECTIVE ATOMIC*; "
            "ATOMIC NUMBER; ELECTRON DENS*; ELEKTRONENDICHTE; RHO Z; RHO; Z ?EFF*; EFF ?Z; EFFECTIVE Z; "
            "EFEKTIF Z; Z EFFECTIVE; MATERIAL DENS*; MATERIAL MAP; MD (?:IODINE|WATER|FAT|CALCIUM|HAP); PBV; "
            "URIC ACID*; GOUT; HARNSAURE*; K ?EDGE; SPECTRAL MAP; IODINE ?(?:NO|MAP|DENS|OVERLAY|IMAGE)*; "
            f"{_GIVEN_AS_CONTRAST}IODINE(?! (?:CONTRAST|IV|CM|MEDIUM)); "
            "IODKARTE; JODKARTE; JOD(?:BILD|DICHTE); IODMAP; MAPA (?:DE )?(?:IODO|YODO); IYOT HARITA*; IYOT; "
            "CARTE (?:D )?IODE; "
            f"{_MATERIAL} (?:NO )?{_MATERIAL}; "
            "CONTRAST ENHANCED STRUCTURES; LUNG VESSELS; HAP; FAT FRACTION; FAT MAP; DE ?(?:IODINE|RHOZ)*"
        ),
    ),
    (
        Derivation.PERFUSION,
        any_word(
            "R?CBF; R?CBV; MTT; TTP; TMAX; TTD; BLOOD (?:FLOW|VOLUME); PERFUSION*; PERFUSYON*; PERMEAB*; "
            "FLOW EXTRACTION; TIME TO (?:PEAK|MAX*); TRANSIT TIME; MEAN TRANSIT*"
        ),
    ),
    (Derivation.SUBTRACTION, any_word("SUB; SUBTR*; SUSTRAC*; CIKARMA; DIFFERENCE; DSA; DIFERENCIA")),
    (
        Derivation.VIEW,
        any_word(
            "(?:AX|COR|SAG|TRA|THIN|THICK|3D|R)?(?:MIP|MINIP|MINMIP|MAXIP)S?(?![A-Z])*; MAX IP; MIN IP; "
            "MAXIMUM(?: INT*)?; MINIMUM(?: INT*)?; MAX INT*; MIN INT*; PROJECTION IMAGE; PROJECTION; "
            "PROYECCION; VRT; VR; VOLREND; VOLUME REND*; SSD; SURFACE REND*; CINEMATIC*; CPR; CURVED; "
            "CURVED MPR; ENDO(?:SCOP)?*; FLY THROUGH; UNFOLD*"
        ),
    ),
    (
        Derivation.MONOENERGETIC,
        any_word(
            r"VMI; MONO; MONO ?(?:E|PLUS|CHROM|ENERG|ENERJ)*; DE ?MONO*; GSI ?MONO*; \d{2,3} ?KEV; "
            "KEV ?[0-9]*; VME"
        ),
    ),
    (Derivation.AVERAGE, any_word("AVERAGE; AVERAGE I*; AVE ?IP; AIP; AVG; MEAN")),
    (
        Derivation.REFORMAT,
        any_word("MPRS?; MPVR; REFORMAT*; RESAMPLED; REFORMASYON"),
    ),
)
# PS3.16 CID 7203
_CODES = {
    "113072": Derivation.REFORMAT,
    "113073": Derivation.VIEW,
    "113074": Derivation.VIEW,
    "113075": Derivation.VIEW,
    "113077": Derivation.CHANGED,
    "113078": Derivation.VIEW,
    "113079": Derivation.VIEW,
    "113062": Derivation.SUBTRACTION,
    "113063": Derivation.SUBTRACTION,
}
# Words that say so in a description only in company: they are also names of protocols, windows or people.
_ONLY_IN_IMAGE_TYPE = any_word(
    "SUB; MAXIMUM(?! INT); MINIMUM(?! INT); MEAN(?! TRANSIT); AVG; AVERAGE(?! I); RHO(?! Z); HAP; "
    "VR; CURVED; PROJECTION; DIFFERENCE; GOUT; MONO(?! ?[E0-9]); ENDO*; LUNG VESSELS"
)


@dataclass(frozen=True)
class Derived:
    """What images are, as far as their headers tell.

    Attributes:
        what: the kind.
        certain: whether Image Type or a code says so, or a description beside an Image Type that begins with DERIVED.
        is_original: whether the images are not called derived, or are the usual mixture of a dual-energy scan.
    """

    what: Derivation
    certain: bool
    is_original: bool

    @property
    def is_image_of_tissue(self) -> bool:
        """Whether volumes and densities can be taken from the images, as far as is certain."""
        return not (self.certain and self.what in _NO_IMAGE_OF_TISSUE)


@lru_cache(maxsize=4096)
def derived(image_type: tuple[str, ...], codes: tuple[str, ...], described: str) -> Derived:
    """Tells how images came about.

    Args:
        image_type: ImageType, or FrameType of a multi-frame image.
        codes: values of DerivationCodeSequence.
        described: SeriesDescription and DerivationDescription.
    """
    values = [plain_words(value) for value in image_type]
    typed, free = " ".join(values[1:]), plain_words(described)
    by_header = values[:1] == ["DERIVED"]
    if _MIXED.search(typed) or (_MIXED.search(free) and _kind_of(typed) is Derivation.NONE):
        return Derived(Derivation.NONE, True, True)
    coded = next((_CODES[code] for code in codes if code in _CODES), Derivation.NONE)
    what = _kind_of(typed)
    if what is Derivation.PERFUSION and not by_header:
        what = Derivation.NONE  # of a multi-frame image: taken for perfusion, but not computed (PS3.3 C.8.15.3.1)
    if what in (Derivation.NONE, Derivation.REFORMAT, Derivation.AVERAGE) and coded is not Derivation.NONE:
        what = coded
    by_words = _kind_of(_ONLY_IN_IMAGE_TYPE.sub(" ", free))
    # a reformat, or images of the material type, may be more by their description
    general = what in (Derivation.NONE, Derivation.REFORMAT, Derivation.AVERAGE)
    if general and by_words not in (Derivation.NONE, Derivation.REFORMAT):
        return Derived(by_words, by_header, not by_header)
    if what is Derivation.NONE:
        return Derived(by_words, False, not by_header)
    return Derived(what, True, False)


def _kind_of(words: str) -> Derivation:
    return next((what for what, pattern in _WORDS if pattern.search(words)), Derivation.NONE)
