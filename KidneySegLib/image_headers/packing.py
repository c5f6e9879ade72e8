"""How much packed data can hold at most: what claims more is damaged, and need not be unpacked to know it."""

from __future__ import annotations

# zlib's own description: deflate makes nothing smaller than a thousandth (1032:1)
LARGEST_RATIO = 1032
