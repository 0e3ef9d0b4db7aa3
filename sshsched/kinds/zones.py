"""Wall clocks and instants: what the time of a zone means where the zone's offset changes.

Rule: an instant is seconds since 1970-01-01T00:00Z; a wall time is a datetime without a zone, as a clock on the wall
there shows it. A wall time in a *gap* never comes, one in an *overlap* comes twice.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from sshsched.domain.nearest import unknown

DAY: Final = 86400
FIRST: Final = 0.0  # schedules begin in 1970
LAST: Final = datetime(9990, 1, 1, tzinfo=UTC).timestamp()  # and end before datetime does
_DAYTIME: Final = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises ValueError with the nearest name that there is."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"time zone: {unknown(name[:60], available_timezones())}") from None


def wall(instant: float, tz: str) -> datetime:
    """What the wall clock shows at this instant, cut to whole seconds."""
    return datetime.fromtimestamp(math.floor(instant), zone(tz)).replace(tzinfo=None, fold=0)


def instants(at: datetime, tz: str) -> tuple[float, ...]:
    """When the wall clock shows this: at no time (a gap), once, or twice (an overlap), earlier first."""
    first, second = _both(at, tz)
    if first == second:
        return (first,)
    return (first, second) if first < second else ()


def gap_end(at: datetime, tz: str) -> float:
    """The first instant after the gap that this wall time lies in."""
    after, before = _both(at, tz)  # in a gap, fold=0 means the offset before it: the later instant of the two
    return float(_change(math.floor(before), math.ceil(after), tz))


def not_before(at: datetime, tz: str) -> float:
    """The first instant at which the wall clock shows this or has jumped over it."""
    found = instants(at, tz)
    return found[0] if found else gap_end(at, tz)


def steady_until(instant: float, tz: str) -> float:
    """Until when the zone's offset stays what it is at this instant: its next change, or the end of the year."""
    if zone(tz).utcoffset(None) is not None:
        return LAST
    year = datetime.fromtimestamp(math.floor(instant), UTC).year
    changes = _changes(year, tz)
    return next((change for change in changes if change > instant), datetime(year + 1, 1, 1, tzinfo=UTC).timestamp())


def offset(instant: float, tz: str) -> float:
    """Seconds that the wall clock is ahead of UTC."""
    found = datetime.fromtimestamp(math.floor(instant), zone(tz)).utcoffset()
    return found.total_seconds() if found is not None else 0.0


def iso(instant: float) -> str:
    """2024-03-10T07:00:00+00:00"""
    return datetime.fromtimestamp(instant, UTC).isoformat()


def moment(text: str, tz: str) -> float:
    """The instant of `2024-03-10 02:30`, with `Z` or an offset after it, or else in the zone. A date alone is its
    midnight. In an overlap the first is meant. Raises ValueError for what is no date and time, or lies in a gap."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no date and time; write 2024-03-10T02:30 or 2024-03-10T02:30Z") from None
    if found.tzinfo is not None:
        return found.timestamp()
    times = instants(found, tz)
    if not times:
        shown = wall(gap_end(found, tz), tz)
        raise ValueError(
            f"{text[:60]!r} does not exist in {tz}, whose clocks jump to {shown:%H:%M}; write a later time"
        )
    return times[0]


def daytime(text: str) -> time:
    """09:30 or 09:30:15. Raises ValueError."""
    match = _DAYTIME.fullmatch(text.strip())
    if match and int(match[1]) < 24:
        return time(int(match[1]), int(match[2]), int(match[3] or 0))
    midnight = match and match[1] == "24"
    remedy = "write 00:00, on the next day with date_shift: 1" if midnight else "write 09:30 or 09:30:15"
    raise ValueError(f"{text[:60]!r} is no time of day; {remedy}")


def _both(at: datetime, tz: str) -> tuple[float, float]:
    aware = at.replace(tzinfo=zone(tz))
    return aware.timestamp(), aware.replace(fold=1).timestamp()


@lru_cache(maxsize=8192)
def _changes(year: int, tz: str) -> tuple[float, ...]:
    """All changes of the offset in a year after its begin. zoneinfo does not tell them: each midnight is looked at."""
    begin = datetime(year, 1, 1, tzinfo=UTC).timestamp()
    end = datetime(year + 1, 1, 1, tzinfo=UTC).timestamp()
    found: list[float] = []
    for day in range(int(begin), int(end), DAY):
        at, until = day, min(day + DAY, int(end))
        while offset(at, tz) != offset(until, tz):
            at = _change(at, until, tz)
            found.append(float(at))
    return tuple(found)


def _change(low: int, high: int, tz: str) -> int:
    """A second in (low, high] at which the offset is no longer that of `low`; the first, if it changes once."""
    old = offset(low, tz)
    while high - low > 1:
        middle = (low + high) // 2
        if offset(middle, tz) == old:
            low = middle
        else:
            high = middle
    return high
