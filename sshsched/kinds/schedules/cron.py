"""Cron expressions, with the meaning that Debian's cron gives them.

cronsim reads the expression and walks the calendar in a time without zones; what its times mean in a zone is decided
here, because its own walk in a zone loses times where clocks change by half an hour or at midnight.

DST, after crontab(5) of Debian:

- An expression whose minute and hour both do not begin with * names *times of day*. In a gap it runs once, at the
  first instant after it, however many of its times lie in there. In an overlap a time runs at its first coming only.
- Any other names *minutes of the clock*, which run whenever the clock shows them: never in a gap, twice in an overlap.

One difference: Debian's cron takes a change of three hours or more for somebody setting the clock, and loses what was
skipped. We treat all gaps alike, so the day that Samoa left out in 2011 ended with one run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cronsim import CronSim, CronSimError

from sshsched.domain.nearest import nearest, unknown
from sshsched.kinds.schedules.base import Schedule, Skip, Target, Why, local_args
from sshsched.kinds.schedules.reboot import Reboot
from sshsched.kinds.zones import gap_end, instants, offset, steady_until, wall, zone

NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
LONGEST: Final = 500
_SECOND: Final = timedelta(seconds=1)
_ZONE: Final = re.compile(r"(?:CRON_TZ|TZ)=(\S+)\s+(.*)", re.DOTALL)
_FIELDS: Final = {  # as cronsim names them -> what may stand there
    "minute": (0, "0-59"),
    "hour": (1, "0-23"),
    "day-of-month": (2, "1-31, L (the last) or LW (the last weekday)"),
    "month": (3, "1-12 or JAN-DEC"),
    "day-of-week": (4, "0-7 or SUN-SAT (0 and 7 are Sunday), 5L (the last Friday) or MON#1 (the first Monday)"),
}


def cron(text: str, tz: str = "UTC") -> Cron | Reboot:
    """What a line means: five fields, @daily and friends, or @reboot. `CRON_TZ=Europe/Berlin` in front sets the zone,
    as in Go's cron and in Kubernetes. Raises ValueError."""
    text = text.strip()
    if match := _ZONE.fullmatch(text):
        tz, text = match[1], match[2]
    return Reboot(tz) if text == "@reboot" else Cron(text, tz)


@dataclass(frozen=True)
class Cron(Schedule):
    """Five fields, or @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually). Raises ValueError."""

    expression: str
    tz: str = "UTC"

    def __post_init__(self) -> None:
        zone(self.tz)
        _parsed(self.expression)

    def __str__(self) -> str:
        return f"{self.expression} ({self.tz})"

    @property
    def fixed(self) -> bool:
        """Whether it names times of day, and not minutes of the clock."""
        minute, hour = _fields(self.expression)[:2]
        return not minute.startswith("*") and not hour.startswith("*")

    @property
    def dst(self) -> str:
        if self.fixed:
            return "gap: runs once, right after it; overlap: runs at the first of two"
        return "gap: its times in there do not come; overlap: its times come twice"

    def entries(self, instant: float) -> Iterator[Target | Skip]:
        return self._times_of_day(instant) if self.fixed else self._minutes(instant)

    def _times_of_day(self, instant: float) -> Iterator[Target]:
        last = instant
        for shown in self._shown(wall(instant, self.tz)):
            times = instants(shown, self.tz)
            at = times[0] if times else gap_end(shown, self.tz)
            if at > last:
                last = at
                yield self._target(at, _mark(shown, times))

    def _minutes(self, instant: float) -> Iterator[Target | Skip]:
        """From one change of the offset to the next, for in between the wall clock goes as clocks should."""
        begin, before = instant, wall(instant, self.tz)
        while True:
            end = steady_until(begin, self.tz)
            ahead, then = offset(begin, self.tz), wall(end, self.tz)
            missed: list[datetime] = []
            for shown in self._shown(before):
                at = _utc(shown) - ahead
                if at < end:
                    yield self._target(at, _mark(shown, instants(shown, self.tz), at))
                elif shown < then:
                    missed.append(shown)
                else:
                    break
            else:
                return
            if missed:
                yield Skip(end, Why.GAP, f"gap: {_named(missed)} not come in {self.tz}")
            begin, before = end, then - _SECOND

    def _target(self, at: float, note: str) -> Target:
        return Target(at, at, local_args(at, self.tz), note)

    def _shown(self, after: datetime) -> Iterator[datetime]:
        """The wall times that match, in a world without changes of clocks."""
        walk = copy(_parsed(self.expression))
        walk.dt = after
        with suppress(OverflowError):  # beyond the year 9999
            for shown in walk:
                if shown.year >= 9990:
                    return
                yield shown


def _utc(shown: datetime) -> float:
    return (shown - datetime(1970, 1, 1)).total_seconds()


def _mark(shown: datetime, times: tuple[float, ...], at: float | None = None) -> str:
    if not times:
        return f"gap: {shown:%H:%M} does not come that day"
    if len(times) == 1:
        return ""
    return f"overlap: {shown:%H:%M} comes twice, this is the {'second' if at == times[1] else 'first'}"


def _named(missed: list[datetime]) -> str:
    if len(missed) == 1:
        return f"{missed[0]:%Y-%m-%d %H:%M} does"
    return f"{missed[0]:%Y-%m-%d %H:%M} to {missed[-1]:%H:%M} do"


@lru_cache(maxsize=4096)
def _parsed(expression: str) -> CronSim:
    """Raises ValueError with what is wrong and what may stand there."""
    fields = _fields(expression)
    try:
        return CronSim(" ".join(fields), datetime(1970, 1, 1))
    except (CronSimError, AssertionError, ValueError) as error:
        name = str(error).removeprefix("Bad ")
        if name not in _FIELDS:
            raise ValueError(f"{expression!r} is no cron expression; write 30 3 * * *") from None
        index, may = _FIELDS[name]
        if name == "day-of-month" and fields[3] != "*" and _possible([*fields[:3], "*", fields[4]]):
            raise ValueError(f"day {fields[2]} does not come in month {fields[3]}; change one of them") from None
        raise ValueError(f"{name}: {fields[index]!r} is not possible; write * or */5, or numbers of {may}") from None


def _possible(fields: list[str]) -> bool:
    with suppress(CronSimError, AssertionError, ValueError):
        return bool(CronSim(" ".join(fields), datetime(1970, 1, 1)))
    return False


def _fields(expression: str) -> list[str]:
    if len(expression) > LONGEST:
        raise ValueError(f"a cron expression of {len(expression)} characters; write at most {LONGEST}")
    if expression.startswith("@"):
        if expression not in NAMED:
            raise ValueError(unknown(expression[:60], [*NAMED, "@reboot"]))
        expression = NAMED[expression]
    fields = expression.split()
    if len(fields) == 2 and (near := nearest(fields[0], ["every"])):
        raise ValueError(f"unknown {fields[0]!r}; did you mean {near!r}?")
    if len(fields) == 1 and (near := nearest(f"@{fields[0]}", NAMED)):
        raise ValueError(f"unknown {fields[0]!r}; did you mean {near!r}?")
    if len(fields) != 5:
        many = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        raise ValueError(f"{expression!r} has {many}; write 5: minute, hour, day of month, month, day of week")
    return fields
