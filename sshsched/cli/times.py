"""Times and durations as people read them. Rule: `now` is an argument; what has no zone is local time."""

from __future__ import annotations

from datetime import UTC, datetime


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


def utc(at: float) -> str:
    """The same in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


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
