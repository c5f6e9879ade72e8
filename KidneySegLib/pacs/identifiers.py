"""Identifiers that come from a server or a file: checked before anything is done with them, and never part of a path.

What an archive sends may have been written by anybody. A UID becomes a part of addresses only after this check; folders
and files get names of our own, which tell nothing and hold nothing but letters and digits.
"""

import hashlib
import re

# PS3.5 9.1 wants numbers without leading zeros, joined by dots. Archives hold odd ones; what matters is that nothing
# else comes in, and that none begins with a dot, as "." and ".." do.
_UID = re.compile(r"[0-9][0-9.]{0,63}")
ORTHANC_ID = r"[0-9a-f]{8}(-[0-9a-f]{8}){4}"
_DIGITS = 20  # of a hash: 80 bits, so that no two names of an archive are the same


def is_uid(text: str) -> bool:
    """Whether a text is a UID: digits and dots, at most 64, a digit first (PS3.5 9.1)."""
    return bool(_UID.fullmatch(text))


def is_orthanc_id(text: object) -> bool:
    """Whether a value is an identifier as Orthanc makes them: a SHA-1 hash in five groups."""
    return isinstance(text, str) and bool(re.fullmatch(ORTHANC_ID, text))


def own_name(kind: str, uid: str) -> str:
    """Returns a name for what a UID names: always the same for the same UID, such as ``series-0f3a9c…``.

    Args:
        kind: a word of this program, such as ``series``.
        uid: any text.
    """
    return f"{kind}-{hashlib.sha256(uid.encode('utf-8', 'surrogatepass')).hexdigest()[:_DIGITS]}"
