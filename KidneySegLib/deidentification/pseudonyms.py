"""Pseudonyms: the same secret and the same value always give the same one, and without the secret nobody can tell.

All of them are keyed hashes (HMAC-SHA-256, RFC 2104), so no table has to be kept, and a list of all possible patient
numbers is of no use without the secret.
"""

import base64
import hmac
import re
import uuid

# What names things of the standard and of code systems, never a patient's images. The numbers are short there: behind
# the same roots a date or a patient's number is none of the standard's.
_PUBLIC = re.compile(
    r"1\.2\.840\.10008(\.\d{1,3}){1,9}|1\.2\.840\.10008\.6\.1\.1\d{3}|2\.16\.840\.1\.113883\.6\.\d{1,3}"
)
_SHORTEST_SHIFT, _SHIFTS = 366, 3652  # days: one to eleven years


class Pseudonyms:
    """Makes pseudonyms from one secret."""

    def __init__(self, secret: bytes) -> None:
        """Keeps the secret in memory only."""
        self._secret = secret

    def patient(self, patient: str) -> str:
        """Returns a name for a patient, such as ``KS-5JX2N6QF3WTK``; ``patient`` is what tells patients apart."""
        return f"KS-{self.short('patient', patient)}"

    def uid(self, uid: str) -> str:
        """Returns another UID; those of the standard and of public code systems stay as they are.

        Source: PS3.5 B.2, UIDs derived from UUIDs.
        """
        if not uid or _PUBLIC.fullmatch(uid):
            return uid
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', uid)[:16], version=4).int}"

    def days_back(self, patient: str) -> int:
        """Returns by how many days a patient's dates are moved into the past."""
        return _SHORTEST_SHIFT + int.from_bytes(self._digest("days", patient)[:8]) % _SHIFTS

    def short(self, kind: str, value: str) -> str:
        """Returns twelve letters and digits (60 bits) for a value; ``kind`` keeps equal values of two kinds apart."""
        return base64.b32encode(self._digest(kind, value)).decode()[:12]

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256")
