"""Schedules and zones of all sorts, for the oracle to judge: each random one is made from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

from sshsched.kinds.calendars import calendar, dates
from sshsched.kinds.schedules.base import Schedule
from sshsched.kinds.schedules.cron import Cron
from sshsched.kinds.schedules.daily import Daily, Shift
from sshsched.kinds.schedules.daily_interval import Bound, DailyInterval
from tests.kinds import oracle

ZONES = [
    "Pacific/Apia",  # left out 2011-12-30
    "Australia/Lord_Howe",  # half an hour
    "Africa/Cairo",  # at midnight
    "America/New_York",
    "Europe/Berlin",
    "Antarctica/Troll",  # two hours
    "Asia/Kathmandu",  # never, and 5:45 off
    "America/Sao_Paulo",  # at midnight, until 2019
    "America/St_Johns",  # at 00:01, until 2011
    "Pacific/Chatham",  # 12:45 off
    "Africa/Casablanca",  # four times a year
    "America/Havana",  # from 01:00 back to midnight
    "Antarctica/Casey",  # by three hours, and again and again
    "Antarctica/Macquarie",
    "America/Scoresbysund",
    "Arctic/Longyearbyen",
    "Asia/Gaza",
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Pyongyang",  # by half an hour, twice
    "America/Caracas",
    "America/Santiago",
    "America/Asuncion",
    "Atlantic/Azores",
    "Europe/Volgograd",
    "Europe/Dublin",  # negative summer time
    "Pacific/Norfolk",
    "Pacific/Kiritimati",
    "Asia/Kolkata",
    "UTC",
]
YEARS = range(2008, 2028)
LENGTH = 2 * oracle.DAY

HOLIDAYS = "START 2000-01-01\nSTOP 2040-01-01\n" + "\n".join(
    f"{year}-{day}" for year in range(2000, 2040) for day in ("01-01", "03-31", "04-25", "10-31", "12-25", "12-26")
)
CALENDARS = ["all", "Mon-Fri", "Fri-Mon", "Mon,Wed-Fri", "Mon-Fri except closed", "Sat or closed"]  # the last is sparse
NAMED = {"closed": dates("closed", HOLIDAYS)}
HELD = {date.fromisoformat(line) for line in HOLIDAYS.splitlines()[2:]}
HOLDS: dict[str, oracle.Holds] = {
    "all": lambda day: True,
    "Mon-Fri": lambda day: day.isoweekday() <= 5,
    "Fri-Mon": lambda day: day.isoweekday() in (5, 6, 7, 1),
    "Mon,Wed-Fri": lambda day: day.isoweekday() in (1, 3, 4, 5),
    "Mon-Fri except closed": lambda day: day.isoweekday() <= 5 and day not in HELD,
    "Sat or closed": lambda day: day.isoweekday() == 6 or day in HELD,
}
Found = list[tuple[float, str]]


@dataclass(frozen=True)
class Animal:
    """A schedule in a zone, and what the oracle says of it."""

    name: str
    schedule: Callable[[str], Schedule]
    judge: Callable[[str, int, int], Found]

    def found(self, tz: str, begin: int, end: int) -> Found:
        """What our schedule says for (begin, end)."""
        coming = takewhile(lambda target: target.at < end, self.schedule(tz).after(begin))
        return [(target.at, self.told(target.args)) for target in coming]

    def told(self, args: object) -> str:
        return "" if self.name.startswith("cron") else dict(args)["date"]  # type: ignore[call-overload, no-any-return]


def animal(seed: int) -> Animal:
    random = Random(seed)
    return random.choice([cron, cron, daily, daily_interval])(random)


def minute(random: Random) -> int:
    """Half of them near the hours at which clocks change."""
    return random.choice([random.randrange(1440), random.choice(range(0, 200, 5))])


def cron(random: Random) -> Animal:
    text = " ".join(
        [
            random.choice(["*", "*/5", "*/15", "*/40", "0", "30", "0,30", "5-25/10", "59", "*/59", "1", "15-45", "7"]),
            random.choice(["*", "*/2", "*/3", "0", "1", "2", "0-3", "1,2,3", "23", "0,12", "2-4/2", "*/5", "0,23"]),
            random.choice(["*", "*", "*", "1", "30,31", "*/2", "1-7", "25-31", "29"]),
            random.choice(["*", "*", "*", "3,4,9-12", "MAR,OCT,NOV,APR", "*/3", "12"]),
            random.choice(["*", "*", "*", "0", "SUN", "MON-FRI", "7", "5-7", "*/2"]),
        ]
    )
    return Animal(
        f"cron {text}",
        lambda tz: Cron(text, tz),
        lambda tz, begin, end: [(at, "") for at in oracle.cron(text, tz, begin, end)],
    )


def shift(random: Random) -> tuple[int, int]:
    return random.choice([(0, 0), (random.randint(-2, 2), random.randint(-3, 3))])


def at(minute: int) -> time:
    return time(minute // 60, minute % 60)


def daily(random: Random) -> Animal:
    daytimes = [at(m) for m in {minute(random) for _ in range(random.randint(1, 4))}]
    name, moved = random.choice(CALENDARS), shift(random)
    return Animal(
        f"daily {daytimes} {name} {moved}",
        lambda tz: Daily(tz, tuple(daytimes), calendar(name, NAMED), Shift(*moved)),
        lambda tz, begin, end: told(oracle.daily(tz, daytimes, HOLDS[name], moved, begin, end)),
    )


def daily_interval(random: Random) -> Animal:
    name, interval = random.choice(CALENDARS[:5]), 60 * random.choice([7, 30, 60, 90, 600])
    while True:
        start, stop = (at(minute(random)), shift(random)), (at(minute(random)), shift(random))
        try:
            schedule(start, stop, name, interval, "UTC")
        except ValueError:
            continue
        return interval_animal(start, stop, name, interval)


def interval_animal(start: oracle.Bound, stop: oracle.Bound, name: str, interval: int) -> Animal:
    return Animal(
        f"daily_interval {start} {stop} {name} {interval}",
        lambda tz: schedule(start, stop, name, interval, tz),
        lambda tz, begin, end: told(oracle.daily_interval(tz, start, stop, interval, HOLDS[name], begin, end)),
    )


def schedule(start: oracle.Bound, stop: oracle.Bound, name: str, interval: int, tz: str) -> Schedule:
    first, last = Bound(start[0], Shift(*start[1])), Bound(stop[0], Shift(*stop[1]))
    return DailyInterval(tz, first, last, interval, calendar(name, NAMED))


def told(found: list[tuple[int, date]]) -> Found:
    return [(at, day.isoformat()) for at, day in found]


@cache
def changes(tz: str, year: int) -> list[int]:
    """The hours in which the zone's offset changes."""
    begin, end = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    offsets = [datetime.fromtimestamp(at, ZoneInfo(tz)).utcoffset() for at in range(begin, end, 3600)]
    return [begin + 3600 * n for n in range(1, len(offsets)) if offsets[n] != offsets[n - 1]]


def instant(random: Random, tz: str, year: int) -> int:
    """Mostly a little before a change of clocks, or amid one, if there is one that year."""
    near = changes(tz, year)
    if near and random.random() < 0.8:
        return random.choice(near) - random.choice([oracle.DAY, 7200, 3600, 1800, 600, 0, -600, -1800, -3600])
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) + random.randrange(365 * oracle.DAY)
