"""Sizes as people write them: `500MB`, `10 GB`, `1.5GiB`, or plain bytes.

Rule: MB is a million bytes and MiB is 1024 x 1024, as on the label of a disk; whatever else it could mean is refused.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SIZE: Final = 10**18  # an exabyte: more is a slip of the finger

_UNITS: Final = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgtp", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgtp", 1)},
}
_WHOLE: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)[ ]*([A-Za-z]*)")

PATTERN: Final = r"^[ ]*[0-9]+(\.[0-9]+)?[ ]*([kKmMgGtTpP]?[iI]?[bB])?[ ]*$"
"""What a JSON Schema can say of it."""


def size(text: str) -> int:
    """Bytes, at least one. Raises ValueError, whose text names the value and how to write it."""
    match = _WHOLE.fullmatch(text.strip(" "))
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"'{text[:60]}' is no size; write 500MB, 10GB or 10GiB")
    found = int(float(match[1]) * unit)
    if not 1 <= found <= MAX_SIZE:
        raise ValueError(f"'{text[:60]}' must be at least a byte, and less than an exabyte")
    return found
