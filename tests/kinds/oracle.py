"""An independent judge of schedules: it walks through real time minute by minute and reads a wall clock.

Rule: nothing of sshsched is used here. It knows times of day and calendars only as sets and functions, and reads cron
fields by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

MINUTE = 60
STEP = timedelta(minutes=1)
DAY = 86400
Holds = Callable[[date], bool]


@lru_cache(maxsize=32)
def clock(tz: str, begin: int, end: int) -> tuple[tuple[int, datetime], ...]:
    """What the wall clock shows at each whole minute of [begin, end)."""
    zone = ZoneInfo(tz)
    first = begin + -begin % MINUTE
    return tuple((at, datetime.fromtimestamp(at, zone).replace(tzinfo=None)) for at in range(first, end, MINUTE))


@lru_cache(maxsize=32)
def first_shown(tz: str, begin: int, end: int) -> dict[datetime, int]:
    """Wall time -> the first minute that shows it."""
    shown: dict[datetime, int] = {}
    for at, wall in clock(tz, begin, end):
        shown.setdefault(wall.replace(fold=0), at)
    return shown


# cron -------------------------------------------------------------------------------------------------------------

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass(frozen=True)
class Line:
    """A cron expression, as crontab(5) of Debian describes it; without cronsim's additions."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both: bool
    fixed: bool

    def matches(self, wall: datetime) -> bool:
        if wall.minute not in self.minutes or wall.hour not in self.hours:
            return False
        day = wall.day in self.days
        weekday = wall.isoweekday() % 7 in self.weekdays
        return wall.month in self.months and ((day and weekday) if self.both else (day or weekday))


@cache
def line(expression: str) -> Line:
    minute, hour, day, month, weekday = expression.upper().split()
    return Line(
        values(minute, 0, 59, []),
        values(hour, 0, 23, []),
        values(day, 1, 31, []),
        values(month, 1, 12, ["", *MONTHS]),
        frozenset(value % 7 for value in values(weekday, 0, 7, WEEKDAYS)),
        both=day.startswith("*") or weekday.startswith("*"),
        fixed=not minute.startswith("*") and not hour.startswith("*"),
    )


def values(text: str, low: int, high: int, names: list[str]) -> frozenset[int]:
    def number(word: str) -> int:
        return names.index(word) if word in names else int(word)

    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = number(first)
            end = number(last) if last else high if step else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def cron(expression: str, tz: str, begin: int, end: int) -> Iterator[int]:
    """What runs in (begin, end). Looks two days back, to know what a clock has shown before."""
    rule = line(expression)
    latest: datetime | None = None  # the latest wall time that was ever shown
    for at, wall in clock(tz, begin - 2 * DAY, end):
        if not rule.fixed:
            runs = rule.matches(wall)
        elif latest is None:
            runs = False
        else:  # all that the clock went over since, so a gap's times run at its end and nothing runs twice
            runs = rule.matches(wall) if wall - latest == STEP else any(map(rule.matches, minutes(latest, wall)))
        latest = wall if latest is None else max(latest, wall)
        if runs and at > begin:
            yield at


def minutes(after: datetime, until: datetime) -> Iterator[datetime]:
    while after < until:
        after += STEP
        yield after


# Calendars and days -----------------------------------------------------------------------------------------------


def shifted(day: date, holds: Holds, cal_shift: int, date_shift: int) -> date:
    step = timedelta(days=1 if cal_shift > 0 else -1)
    left = abs(cal_shift)
    while left:
        day += step
        left -= holds(day)
    return day + timedelta(days=date_shift)


Shift = tuple[int, int]


def days_around(begin: int, end: int, holds: Holds, margin: int) -> Iterator[date]:
    """The nominal dates whose runs could be in (begin, end)."""
    day = datetime.fromtimestamp(begin, UTC).date() - timedelta(days=margin)
    last = datetime.fromtimestamp(end, UTC).date() + timedelta(days=margin)
    while day <= last:
        if holds(day):
            yield day
        day += timedelta(days=1)


def daily(tz: str, daytimes: list[time], holds: Holds, shift: Shift, begin: int, end: int) -> list[tuple[int, date]]:
    """(time, nominal date) of what runs in (begin, end)."""
    shown = first_shown(tz, begin - 2 * DAY, end)
    found = []
    for nominal in days_around(begin, end, holds, margin=20):
        for daytime in daytimes:
            at = shown.get(datetime.combine(shifted(nominal, holds, *shift), daytime))
            if at is not None and begin < at < end:
                found.append((at, nominal))
    return sorted(found)


Bound = tuple[time, Shift]


def daily_interval(
    tz: str, start: Bound, stop: Bound, interval: int, holds: Holds, begin: int, end: int
) -> list[tuple[int, date]]:
    """(time, nominal date) of what runs in (begin, end)."""
    shown = first_shown(tz, begin - 18 * DAY, end + 18 * DAY)
    found = []
    for nominal in days_around(begin, end, holds, margin=12):
        first = shown.get(datetime.combine(shifted(nominal, holds, *start[1]), start[0]))
        last = shown.get(datetime.combine(shifted(nominal, holds, *stop[1]), stop[0]))
        if first is not None and last is not None:
            found += [(at, nominal) for at in range(first, last, interval) if begin < at < end]
    return sorted(found)
