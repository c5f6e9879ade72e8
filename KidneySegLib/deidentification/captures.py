"""Images that may show text: pages, screens, scans, drawings. Only the header is read, and it must describe a slice.

Scanners and workstations store dose pages, protocols, scanned letters and copies of screens beside the images, often in
the same study, sometimes in the same series, under many names. So no list of their names decides alone: an image passes
if it has all that makes a slice (class, place, grey values); everything else passes only if its device says that
nothing is burned in, and nothing else speaks against that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

_CLASSES = "1.2.840.10008.5.1.4.1.1."
# Classes whose images are slices of a patient, or masks and maps computed from such
_SLICES = frozenset({"2", "2.1", "2.2", "4", "4.1", "4.4", "128", "128.1", "130"})
_COMPUTED = frozenset({"30", "66.4", "66.7", "66.8", "66.9", "481.2"})
_MODALITIES = frozenset({"CT", "MR", "PT", "SEG", "RTDOSE", "REG", ""})

# Words that stand in ImageType of pages, protocols, screens and scans: Siemens CT_SOM5 PROT, Philips DOSE_INFO,
# GE SCREEN SAVE, Canon DOSE and others.
_TYPE_WORDS = frozenset(
    [
        *("SCREEN", "SAVE", "SAVED", "SCREENSAVE", "SCREENSHOT", "SNAPSHOT", "CAPTURE", "CAPTURED", "PROT", "PROTOCOL"),
        *("DOSE", "DOSEINFO", "REPORT", "REPORTDATA", "DEMOGRAPHICDATA", "INVALID", "PAGE", "SHEET", "FORM", "TEXT"),
        *("DOCUMENT", "SCANNED", "SCAN_DOC", "PHOTO", "PRINT", "FILM", "CHART", "GRAPH", "CURVE", "PLOT", "SUMMARY"),
        *("RESULT", "RESULTS", "VOLREN", "VRT", "SSD", "RENDERED", "ANNOTATED"),
    ]
)
# Descriptions are free text: "dose" alone says nothing (low-dose CT), nor does "protocol" (stone protocol).
_DESCRIPTION = re.compile(
    r"""
      dos(?:e|is|im|es)\w*[\W_]*(?:report|info|sheet|summary|page|record|screen(?!ing)|notif|chart|bericht|protokoll
        |raporu|bilgi|zusammen|registr)
      | (?:report|rapport|informe|relat[oó]rio|bericht|raporu?|resumen?|reporte)\b
      | radiation\W*(?:exposure|dose)\b | dosimetr | \bdlp\b
      | pa[ct]ien\w*[\W_]*prot | hasta\W*protokol
      | (?:exam|scan|study|untersuchungs?|scanner)\W*(?:protocol|protokoll|summary|sheet|page)s?\b
      | protocol\W*(?:page|sheet|summary) | protokollseite
      | screen[\W_]*(?:shot|cap|grab|copy) | save | snapshot | \bcaptur | bildschirm
      | electronic\W*film | \bscanned\b | document | dokument | requisition | referral | \bconsent | nomination
      | \bform(?:s|ular|ulario|ulaire)?\b | worksheet | \bletter\b | \bfax\b | injection\W*(?:profile|graph)
      | \bmedrad\b | enhancement\W*curve | time[\W_]*(?:intensity|density) | smart\W*score | \bphotos?\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_DESCRIBED = ("SeriesDescription", "CodeMeaning")
# Conversions that make an image of something that people read (PS3.3 C.8.6.1): workstation, scanned document and image,
# drawing, digitized film and video. The others are synthetic images and digital interfaces.
_CONVERSIONS_OF_PAGES = frozenset({"WSD", "SD", "SI", "DRW", "DF", "DV"})
_CAPTURING = (
    *("ConversionType", "DateOfSecondaryCapture", "SecondaryCaptureDeviceManufacturer", "SecondaryCaptureDeviceID"),
    *("SecondaryCaptureDeviceManufacturerModelName", "SecondaryCaptureDeviceSoftwareVersions"),
)
_CT_CLASSES = frozenset({"2", "2.1", "2.2"})
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
_BITS_OF_SCREENS = 8
_NARROWEST_WINDOW = 2.0  # HU: nothing but black and white is seen in less


def may_show_text(dataset: Dataset, *, odd_one_out: bool = False) -> bool:
    """Whether text may be burned into the pixels, as far as the header tells.

    Args:
        dataset: an object with or without pixels.
        odd_one_out: whether the image has another size than the other images of its series.
    """
    if not any(keyword in dataset for keyword in ("Rows", "PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return False
    said = {text for text in _texts(dataset, "BurnedInAnnotation") if text}
    if said - {"NO"} or _is_page(dataset):
        return True
    localizer = "LOCALIZER" in _texts(dataset, "ImageType")
    return said != {"NO"} and (not _is_slice(dataset) or (odd_one_out and not localizer))


def _is_page(dataset: Dataset) -> bool:
    """Whether something in the header says that people read the image; no other attribute speaks against that."""
    types = _texts(dataset, "ImageType")
    # "LOW_DOSE" and the like tell how a slice was made
    parts = [word for text in types if "LOW" not in text for word in re.split(r"[^A-Z0-9]+", text)]
    return (
        bool(_TYPE_WORDS & {*types, *parts})
        or any(_DESCRIPTION.search(text) for keyword in _DESCRIBED for text in _texts(dataset, keyword))
        or bool(_CONVERSIONS_OF_PAGES & set(_texts(dataset, "ConversionType")))
        or any("DLP" in text for text in _texts(dataset, "CommentsOnRadiationDose"))
        or ("SECONDARY" in types and any(width < _NARROWEST_WINDOW for width in _numbers(dataset, "WindowWidth")))
    )


def _is_slice(dataset: Dataset) -> bool:
    """Whether an image has all that makes a slice of a patient, or is computed from slices."""
    sop_class = "".join(_texts(dataset, "SOPClassUID")).removeprefix(_CLASSES)
    captured = any(keyword in dataset for keyword in _CAPTURING)
    if captured or set(_texts(dataset, "Modality")) - _MODALITIES:
        return False
    if sop_class in _COMPUTED:
        return True
    grey = all(text.startswith("MONOCHROME") for text in _texts(dataset, "PhotometricInterpretation"))
    if sop_class not in _SLICES or not grey or any(count != 1 for count in _numbers(dataset, "SamplesPerPixel")):
        return False
    shallow = any(bits <= _BITS_OF_SCREENS for bits in _numbers(dataset, "BitsStored"))
    if shallow and "SECONDARY" in _texts(dataset, "ImageType"):
        return False
    needed = (*_PLACE, "RescaleIntercept") if sop_class in _CT_CLASSES else _PLACE
    return all(_has(dataset, keyword) for keyword in needed)


def _has(dataset: Dataset, keyword: str) -> bool:
    """Whether an attribute has a value, at the top or for the frames of a multi-frame image."""
    if any(_texts(dataset, keyword)):
        return True
    shared = list(_value(dataset, "SharedFunctionalGroupsSequence") or [])
    frames = list(_value(dataset, "PerFrameFunctionalGroupsSequence") or [])
    items = [item for group in (*shared, *frames[:1]) for element in group for item in _sequence(element)]
    return any(any(_texts(item, keyword)) for item in items)


def _sequence(element: DataElement) -> list[Dataset]:
    return list(element.value or []) if element.VR == "SQ" else []


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    except Exception:  # an odd value makes pydicom raise nearly anything
        return None


def _texts(dataset: Dataset, keyword: str) -> list[str]:
    """Returns an attribute's values in capitals without blanks around them; none where it cannot be read."""
    value = _value(dataset, keyword)
    if value is None:
        return []
    values = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    return [str("" if one is None else one).strip(" \0\t\r\n").upper() for one in values]


def _numbers(dataset: Dataset, keyword: str) -> Iterator[float]:
    for text in _texts(dataset, keyword):
        try:
            yield float(text)
        except ValueError:
            continue
