"""Times and durations as people type them. Rule: `now` is an argument; what has no zone is local time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sshsched.errors import UsageError
from sshsched.kinds.durations import duration

_AGO = r"\d+(\.\d+)?\s*[A-Za-z]"
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"


def parse_duration(text: str) -> float:
    """Seconds in `90`, `1.5h`, `500ms` or `1h30m`: what job files take, too. Raises UsageError."""
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
