"""Modalities as the standard knows them (PS3.3 C.7.3.1.1.1); anything else may be somebody's name."""

from __future__ import annotations

OTHER = "unknown objects"
# Defined terms, retired ones too
_TERMS = """
    ANN AR ASMT AS AU BDUS BI BMD CD CF CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG EOG
    EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS MA MG MR MS M3D NM OAM OCT OP OPM OPR OPT
    OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD
    RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG US VA VF XA XAPROTOCOL XC XRDX
"""
_KNOWN = frozenset(_TERMS.split())


def known_modality(value: str) -> str:
    """Returns a modality in upper case; "" where none is stated, and no word of the header where it is not known."""
    term = value.strip().upper()
    return term if not term or term in _KNOWN else OTHER
