"""Slicer's `slicer.parameterNodeWrapper`: typed parameters in a MRML node, and their connection to widgets.

Own writing after Slicer's documentation. What is here: `parameterNodeWrapper` and `parameterPack`, the types str, bool,
int, float, enumerations, Path, MRML nodes (also `X | None`), lists, tuples and dictionaries of plain types, nested
packs; the annotations Default, WithinRange, Minimum, Maximum, Choice, Decimals, SingleStep, Validator. Values are
written in a format of our own: a scene of the host can be read by the host.
"""

from .annotations import Choice, Decimals, Default, Maximum, Minimum, SingleStep, Validator, WithinRange
from .connectors import GuiConnector, parameterNodeGuiConnector
from .packs import parameterPack
from .serializers import NotSupported
from .wrapper import findChildWidgetForParameter, isParameterNodeWrapper, parameterNodeWrapper

SlicerParameterNamePropertyName = "SlicerParameterName"

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "GuiConnector",
    "Maximum",
    "Minimum",
    "NotSupported",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "Validator",
    "WithinRange",
    "findChildWidgetForParameter",
    "isParameterNodeWrapper",
    "parameterNodeGuiConnector",
    "parameterNodeWrapper",
    "parameterPack",
]
