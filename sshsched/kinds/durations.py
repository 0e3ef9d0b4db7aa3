"""Durations as people write them: `90`, `30s`, `10 min`, `1.5h`, `1h30m`, `1d`, `2 weeks`.

Rule: a number without a unit is seconds; in a sum each unit is smaller than the one before, and only the last number
may have a fraction. Whatever else it could mean is refused, never guessed.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

MAX_DURATION: Final = 36525 * 86400.0  # a hundred years: more is a slip of the finger

_UNITS: Final[dict[str, float]] = {
    unit: seconds
    for units, seconds in (
        (("ms",), 0.001),
        (("s", "sec", "secs", "second", "seconds"), 1.0),
        (("m", "min", "mins", "minute", "minutes"), 60.0),
        (("h", "hr", "hrs", "hour", "hours"), 3600.0),
        (("d", "day", "days"), 86400.0),
        (("w", "week", "weeks"), 604800.0),
    )
    for unit in units
}
_PART: Final = rf"([0-9]{{1,12}}(?:\.[0-9]{{1,9}})?)[ ]*({'|'.join(sorted(_UNITS, key=len, reverse=True))})"
_WHOLE: Final = re.compile(rf"(?:{_PART}[ ]*)+", re.IGNORECASE | re.ASCII)
_EACH: Final = re.compile(_PART, re.IGNORECASE | re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")

PATTERN: Final = r"^[ ]*[0-9]+(\.[0-9]+)?([ ]*[A-Za-z]+([ ]*[0-9]+(\.[0-9]+)?[ ]*[A-Za-z]+)*)?[ ]*$"
"""What a JSON Schema can say of it: the shape, not the rule about the units."""


def duration(text: str) -> float:
    """Seconds. Raises ValueError, whose text names the value and how to write it."""
    stripped = text.strip(" ")
    seconds = float(stripped) if _SECONDS.fullmatch(stripped) else _sum(stripped)
    if seconds is None:
        raise ValueError(f"'{text[:60]}' is no duration; write 90s, 15m, 2h or 1d")
    if seconds > MAX_DURATION:
        raise ValueError(f"'{text[:60]}' is more than a hundred years")
    return seconds


def _sum(text: str) -> float | None:
    if not _WHOLE.fullmatch(text):
        return None
    parts = [(number, _UNITS[unit.lower()]) for number, unit in _EACH.findall(text)]
    units = [unit for _, unit in parts]
    falling = all(a > b for a, b in pairwise(units))
    fraction_last = not any("." in number for number, _ in parts[:-1])
    return sum(float(number) * unit for number, unit in parts) if falling and fraction_last else None
