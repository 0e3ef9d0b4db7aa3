"""What schedules cost: the next runs of ten thousand of them, and what they find due in a minute.

Usage: python -m bench.schedules [SCHEDULES]   (default: 10000)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import time as daytime
from itertools import islice

from sshsched.kinds.calendars import calendar
from sshsched.kinds.due import due, upcoming
from sshsched.kinds.options import Options
from sshsched.kinds.schedules.base import Schedule
from sshsched.kinds.schedules.cron import Cron
from sshsched.kinds.schedules.daily import Daily
from sshsched.kinds.schedules.daily_interval import Bound, DailyInterval
from sshsched.kinds.schedules.every import Every

T0 = 1_730_500_000.0  # a day before clocks go back in New York
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"]
WORKDAYS = calendar("Mon-Fri")


def report(name: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{name:<52} {value:>12,.2f} {unit}\n")
    sys.stdout.flush()


def made(number: int) -> Schedule:
    """As people write them: mostly cron lines once a day or a few times an hour."""
    tz, hour, minute = ZONES[number % 5], number % 24, number % 60
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


def timed(name: str, work: Callable[[], object]) -> None:
    """Processor time, as the machine may have other work."""
    begin = time.process_time()
    work()
    report(name, time.process_time() - begin, "s")


def main(count: int) -> None:
    schedules: list[Schedule] = []
    plain, jittered = Options(), Options(jitter=60)
    timed(f"{count} schedules made", lambda: schedules.extend(made(number) for number in range(count)))

    def coming(many: int, options: Options) -> None:
        for number, schedule in enumerate(schedules):
            for _ in islice(upcoming(schedule, options, T0, job=f"job{number}"), many):
                pass

    def minute() -> None:
        for number, schedule in enumerate(schedules):
            due(schedule, plain, T0, T0 + 60, job=f"job{number}")

    timed("their next runs, first time", lambda: coming(1, plain))
    timed("their next runs", lambda: coming(1, plain))
    timed("their next runs, with jitter", lambda: coming(1, jittered))
    timed("their next 10 runs", lambda: coming(10, plain))
    timed("what is due in a minute", minute)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
