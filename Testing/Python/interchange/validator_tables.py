"""Tables for dicom-validator from what highdicom carries of the DICOM standard, where the standard is not at hand.

They hold the modules of an information object, their attributes at every depth, and types (PS3.3). They do not hold
- conditions: an attribute of type 1C or 2C and a conditional module count as optional. Only the content items of
  reports have theirs, from ``CONTENT_OF``; without them each item would lack the values of all other kinds of item;
- enumerated values and defined terms;
- which functional groups are required, and whether for each frame or for all: each may stand in either place.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from dicom_validator.validator.dicom_info import DicomInfo
from dicom_validator.validator.error_handler import NullValidationResultHandler
from dicom_validator.validator.iod_validator import IODValidator
from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag

# PS3.3 table C.17-5: the value types whose content items must have the attribute, while no others may
CONTENT_OF = {
    "ConceptCodeSequence": ["CODE"],
    "ContinuityOfContent": ["CONTAINER"],
    "Date": ["DATE"],
    "DateTime": ["DATETIME"],
    "GraphicData": ["SCOORD", "SCOORD3D"],
    "GraphicType": ["SCOORD", "SCOORD3D"],
    "MeasuredValueSequence": ["NUM"],
    "PersonName": ["PNAME"],
    "ReferencedFrameOfReferenceUID": ["SCOORD3D"],
    "ReferencedSOPSequence": ["COMPOSITE", "IMAGE", "WAVEFORM"],
    "TabulatedValuesSequence": ["TABLE"],
    "TemporalRangeType": ["TCOORD"],
    "TextValue": ["TEXT"],
    "Time": ["TIME"],
    "UID": ["UIDREF"],
}
# the relationships of PS3.3 table C.17-6, which items have at every depth and highdicom's table at the root alone
OF_EVERY_ITEM = "ContentSequence", "ObservationDateTime", "ObservationUID"
FUNCTIONAL_GROUPS = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"


def faults(dataset: Dataset) -> list[str]:
    """What dicom-validator finds in an object, such as ``segmentation-image: SegmentSequence/SegmentLabel TagMissing``.

    Raises:
        KeyError: highdicom's tables do not know the SOP class.
    """
    validator = IODValidator(dataset, tables(dataset.SOPClassUID), error_handler=NullValidationResultHandler())
    found = []
    for module, errors in validator.validate().module_errors.items():
        for place, error in errors.items():
            path = "/".join(keyword_for_tag(tag) or str(tag) for tag in [*(place.parents or ()), place.tag])
            found.append(f"{module}: {path} {error.code.name}")
    return found


@cache
def tables(sop_class: str) -> DicomInfo:
    """The tables of one SOP class, in the shape that dicom-validator reads from the standard."""
    usages = {each["key"]: each["usage"] for each in get_iod_module_map()[get_sop_class_iod_map()[sop_class]]}
    modules = {key: _attributes(key) for key in usages}
    groups: dict[str, Any] = {}
    for attributes in modules.values():
        groups |= _take_functional_groups(attributes)
    information = {
        "title": sop_class,
        "modules": {key: {"ref": key, "use": usage} for key, usage in usages.items()},
        "group_macros": {key: {"ref": key, "use": "U"} for key in groups},
    }
    # the dictionary gives messages the attributes' names; here `faults` does
    return DicomInfo(dictionary={}, iods={sop_class: information}, modules=modules | groups)


def _attributes(module: str) -> dict[str, Any]:
    """A module's attributes, those of sequence items under ``items``."""
    root: dict[str, Any] = {}
    for entry in get_module_attribute_map()[module]:
        level = root
        for keyword in entry["path"]:
            level = level[_key(keyword)].setdefault("items", {})
        level[_key(entry["keyword"])] = {"name": entry["keyword"], "type": entry["type"]}
    if module == "sr-document-content":
        item = root[_key("ContentSequence")]["items"]
        item |= {_key(keyword): root[_key(keyword)] for keyword in OF_EVERY_ITEM}
        for level in (root, item):
            _set_conditions(level)
    return root


def _set_conditions(item: dict[str, Any]) -> None:
    """Makes the values of a content item depend on its value type."""
    for keyword, types in CONTENT_OF.items():
        condition = {"type": "MN", "tag": _key("ValueType"), "op": "=", "index": 0, "values": types}
        attribute = item[_key(keyword)]
        attribute |= {"type": attribute["type"][0] + "C", "cond": condition}


def _take_functional_groups(attributes: dict[str, Any]) -> dict[str, Any]:
    """Moves the functional groups, which may be shared or per frame, out of a module into modules of their own."""
    groups: dict[str, Any] = {}
    for keyword in FUNCTIONAL_GROUPS:
        sequence = attributes.get(_key(keyword), {})
        for key, attribute in sequence.get("items", {}).items():
            groups[attribute["name"]] = {key: attribute}
        if groups:
            sequence["items"] = {"include": [{"ref": "FuncGroup"}]}
    return groups


def _key(keyword: str) -> str:
    """A keyword's tag as dicom-validator writes it."""
    tag = Tag(tag_for_keyword(keyword))
    return f"({tag.group:04X},{tag.element:04X})"
