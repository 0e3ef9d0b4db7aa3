"""What schedules cost: the next runs of ten thousand of them, beside cronsim's own, and a look at what is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from datetime import time as daytime
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from bench.figures import Figure, Rival, Sizes
from sshsched.kinds.calendars import calendar
from sshsched.kinds.due import due, upcoming
from sshsched.kinds.options import Options
from sshsched.kinds.schedules.base import Schedule
from sshsched.kinds.schedules.cron import Cron
from sshsched.kinds.schedules.daily import Daily
from sshsched.kinds.schedules.daily_interval import Bound, DailyInterval
from sshsched.kinds.schedules.every import Every

COUNT = 10_000
T0 = 1_730_500_000.0  # a day before clocks go back in New York
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"]
WORKDAYS = calendar("Mon-Fri")


def figures(sizes: Sizes) -> Iterator[Figure]:
    del sizes  # always the number that is promised
    schedules = [made(number) for number in range(COUNT)]
    lines = [(s.expression, ZoneInfo(s.tz)) for s in schedules if isinstance(s, Cron)]
    ours = cost(lambda: [next(Cron(text, tz.key).after(T0)) for text, tz in lines])
    theirs = cost(lambda: [next(CronSim(text, datetime.fromtimestamp(T0, tz))) for text, tz in lines])
    yield Figure(f"next runs of {len(lines)} cron lines", ours, "s", Rival("cronsim", theirs))
    first = cost(lambda: coming(schedules, Options(), 1))
    yield Figure(f"next runs of {COUNT} schedules", first, "s", aim="< 1 s", met=first < 1)
    yield Figure(f"next runs of {COUNT}, with jitter", cost(lambda: coming(schedules, Options(jitter=60), 1)), "s")
    yield Figure(f"next 10 runs of {COUNT}", cost(lambda: coming(schedules, Options(), 10)), "s")
    yield Figure(f"what is due of {COUNT} in a second", cost(lambda: look(schedules)), "s")


def made(number: int) -> Schedule:
    """As people write them: mostly cron lines, once a day or a few times an hour."""
    tz, hour, minute = ZONES[number % 5], number % 24, number // 7 % 60
    kinds: list[Callable[[], Schedule]] = [
        lambda: Cron(f"{minute} {hour} * * *", tz),
        lambda: Cron(f"{minute} {hour} * * 1-5", tz),
        lambda: Cron("*/15 * * * *", tz),
        lambda: Cron(f"{minute} {hour} 1 * *", tz),
        lambda: Every(900, minute),
        lambda: Daily(tz, (daytime(hour, minute),), WORKDAYS),
        lambda: DailyInterval(tz, Bound(daytime(9, minute)), Bound(daytime(17)), 600, WORKDAYS),
    ]
    return kinds[number % len(kinds)]()


def coming(schedules: list[Schedule], options: Options, count: int) -> None:
    for number, schedule in enumerate(schedules):
        for _ in islice(upcoming(schedule, options, T0, job=f"job{number}"), count):
            pass


def look(schedules: list[Schedule]) -> None:
    for number, schedule in enumerate(schedules):
        due(schedule, Options(), T0, T0 + 1, job=f"job{number}")


def cost(work: Callable[[], object]) -> float:
    """Processor time, which other work on the machine leaves alone."""
    began = time.process_time()
    work()
    return time.process_time() - began
