"""Short words for tests of times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from sshsched.kinds.schedules.base import Schedule, Target


def utc(text: str) -> float:
    """2024-03-10 07:00 in UTC"""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def local(text: str, tz: str) -> float:
    """2024-03-10 03:00 in a zone; the first of two."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).timestamp()


def shown(targets: Iterable[Target], tz: str) -> list[str]:
    """03-10 03:00-0400: what the clocks of the zone show, and their offset."""
    return [f"{datetime.fromtimestamp(target.at, ZoneInfo(tz)):%m-%d %H:%M%z}" for target in targets]


def first(schedule: Schedule, count: int, after: str, tz: str) -> list[str]:
    return shown(islice(schedule.after(local(after, tz)), count), tz)
