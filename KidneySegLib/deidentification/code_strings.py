"""Code strings (CS): terms of the standard stay, whatever the patient's name is; dates, numbers and names go."""

import re

from KidneySegLib.deidentification.identity import Identity

# Code strings are capitals, digits, space and underscore (PS3.5 6.2); a name written there mostly is not.
_CODE_STRING = re.compile(r"[A-Z0-9 _]*")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ _]+(?=\d)")
_CHARACTER_SET = re.compile(r"|ISO_IR \d{1,3}|ISO 2022 IR \d{1,3}|GB18030|GBK")
_LONG_NUMBER = re.compile(r"\d{6}")  # no defined term has so many digits; dates and patients' numbers have

# Terms without which a program cannot tell what an object is. They hold short and common names: Rome and Chrom stand in
# MONOCHROME2, and a phantom may be called CT.
_TERMS = frozenset(
    """
    CT MR PT NM US SC OT SR PR KO SEG REG RTDOSE RTSTRUCT RTPLAN ES XC CR DX MG XA RF PX IO AU DOC SM OP M3D STL FID
    ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER HELIX VOLUME MPR MIP MINIP AVERAGE NONE RESAMPLED OTHER MIXED
    CARDIAC CARDRESP CARDIO DYNAMIC STATIC GATED RECON TOMO ATTENUATION PERFUSION ANGIO REFERENCE CONSTANT_ANGLE
    SPIRAL SEQUENCED STATIONARY FREE CW CC BODY HEAD HFS HFP HFDR HFDL FFS FFP FFDR FFDL AFS PFS
    MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_PARTIAL_420 YBR_ICT YBR_RCT MONOCHROME COLOR IDENTITY
    BINARY FRACTIONAL LABELMAP PROBABILITY OCCUPANCY AUTOMATIC SEMIAUTOMATIC MANUAL YES NO L R B U LEFT RIGHT BOTH
    TEXT NUM CODE PNAME DATE TIME DATETIME UIDREF COMPOSITE IMAGE WAVEFORM SCOORD SCOORD3D TCOORD CONTAINER TABLE
    CONTAINS INFERRED HAS ROOT SEPARATE CONTINUOUS PARTIAL COMPLETE VERIFIED UNVERIFIED PRELIM FINAL
    POINT MULTIPOINT POLYLINE POLYGON CIRCLE ELLIPSE ELLIPSOID CIRCULAR ELLIPTICAL INTERPOLATED CLOSED_PLANAR PIXEL
    DISPLAY SCALE FIT DCMR UL 2D 3D TILED_FULL TILED_SPARSE HU LINEAR LINEAR_EXACT SIGMOID LOSSLESS 00 01
    MODIFIED UNMODIFIED REMOVED ISO_10918_1 ISO_14495_1 ISO_15444_1
    """.split()  # noqa: SIM905  (two hundred words in quotation marks would fill three screens)
) | {
    *("PALETTE COLOR", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS ACQ CONTEXT", "INFERRED FROM"),
    *("SELECTED FROM", "TRUE COLOR", "SCALE TO FIT"),
}


def is_telling(value: str, keyword: str, identity: Identity) -> bool:
    """Whether a code string may tell who the patient is, or when.

    Args:
        value: one value.
        keyword: of the attribute.
        identity: the patient's values.
    """
    text = value.strip()
    if keyword == "SpecificCharacterSet":
        return not _CHARACTER_SET.fullmatch(text)
    if text in _TERMS:
        return False
    if not _CODE_STRING.fullmatch(text) or _LONG_NUMBER.search(_BETWEEN_DIGITS.sub("", text)):
        return True
    return identity.is_in(text)
