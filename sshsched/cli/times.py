"""Times and durations as people type and read them.

Rule: `now` is an argument. What has no zone is local time, because a person typed it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sshsched.errors import UsageError

_AGO = r"\d+(\.\d+)?\s*[A-Za-z]"
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"


def parse_duration(text: str) -> float:
    """Seconds in `90`, `1.5h`, `500ms` or `1h30m`: what job files take, too. Raises UsageError."""
    from sshsched.kinds.durations import duration

    try:
        return duration(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def parse_at(text: str, now: float) -> float:
    """When `--at` means: `now`, an ISO 8601 time, or `HH:MM[:SS]`, the next one to come. Raises UsageError."""
    if text == "now":
        return now
    if clock := _at_clock(text, now):
        return (clock if clock.timestamp() > now else clock + timedelta(days=1)).timestamp()
    return _iso(text, "write it like 18:30, 2026-11-22T18:30 or 2026-11-22T18:30+01:00")


def parse_since(text: str, now: float) -> float:
    """When `--since` means: `2h` before now, `today`, `yesterday`, the last `HH:MM`, or ISO 8601. Raises UsageError."""
    midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    if text in ("today", "yesterday"):
        return (midnight - timedelta(days=text == "yesterday")).timestamp()
    if clock := _at_clock(text, now):
        return (clock if clock.timestamp() <= now else clock - timedelta(days=1)).timestamp()
    if re.match(_AGO, text):
        return now - parse_duration(text)
    return _iso(text, "write it like 2h, today, yesterday, 18:30 or 2026-11-22")


def _at_clock(text: str, now: float) -> datetime | None:
    match = re.fullmatch(_CLOCK, text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    try:
        return datetime.fromtimestamp(now).replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError as error:
        raise UsageError(f"'{text}' is no time of day: {error}") from error


def _iso(text: str, remedy: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"'{text}' is no time; {remedy}") from error


def from_iso(text: str | None) -> float | None:
    """Seconds since 1970 of a time in a run's shape."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


def span(seconds: float) -> str:
    """A duration for people: `20 ms`, `3.2 s`, `42 s`, `3 m 20 s`, `5 h 2 m`, `3 d 4 h`."""
    if seconds < 1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, unit, smaller, small_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            rest = int(seconds % size) // smaller
            return f"{int(seconds // size)} {unit} {rest} {small_unit}" if rest else f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def moment(at: float | None) -> str:
    """A time for people, whole, local, with its zone; empty for None."""
    return "" if at is None else datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def brief_moment(at: float, now: float) -> str:
    """A time for a table: the clock within a day, the date before that."""
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)
    if then.date() == today.date():
        return then.strftime("%H:%M:%S")
    return then.strftime("%b %d %H:%M") if then.year == today.year else then.strftime("%Y-%m-%d")


def ago(at: float, now: float) -> str:
    """`42 s ago`, or `in 42 s`; the largest unit only, for tables."""
    apart = int(abs(now - at))
    words = span(apart).split() if apart >= 10 else [str(apart), "s"]
    return f"in {words[0]} {words[1]}" if at > now else f"{words[0]} {words[1]} ago"
