"""Flags: remarks for the reader of a result, as data; their sentences stand in one catalogue."""

from KidneySegLib.flags.flag import TEXT, Flag, flags_as_json, flags_from_json
from KidneySegLib.flags.kinds import Severity

__all__ = ["TEXT", "Flag", "Severity", "flags_as_json", "flags_from_json"]
