"""Daily and interval schedules do what Apsis documents."""

from __future__ import annotations

from datetime import date, time
from itertools import islice

import pytest

from sshsched.kinds.calendars import calendar, dates
from sshsched.kinds.schedules.base import Skip, Target, Why
from sshsched.kinds.schedules.daily import Daily, Shift
from sshsched.kinds.schedules.daily_interval import Bound, DailyInterval
from sshsched.kinds.schedules.every import Every
from sshsched.kinds.schedules.once import Once
from sshsched.kinds.zones import daytime, moment
from tests.kinds.times import first, local, utc

NEW_YORK = "America/New_York"  # 2023-03-12 02:00 -> 03:00, 2023-11-05 02:00 -> 01:00
WORKDAYS = calendar("Mon-Fri")


def hourly(start: Bound, stop: Bound, interval: float = 3600) -> DailyInterval:
    return DailyInterval(NEW_YORK, start, stop, interval)


def test_several_daytimes_in_order() -> None:
    """Daytimes come in the order of the day, however they are written."""
    schedule = Daily("Europe/Berlin", (time(16), time(9, 30)), WORKDAYS)
    expected = ["01-05 16:00+0100", "01-08 09:30+0100", "01-08 16:00+0100"]

    assert expected == first(schedule, 3, "2024-01-05 12:00", "Europe/Berlin")


def test_a_time_of_day_in_a_gap_does_not_run_that_day() -> None:
    """02:30 does not run on the day when there is none; the other times do, and the gap is told."""
    schedule = Daily(NEW_YORK, (time(2, 30), time(9)))
    skip = next(schedule.explain(local("2023-03-12 00:00", NEW_YORK)))

    assert ["03-12 09:00-0400", "03-13 02:30-0400"] == first(schedule, 2, "2023-03-12 00:00", NEW_YORK)
    assert Skip(utc("2023-03-12 07:00"), Why.GAP, "gap: 2023-03-12 02:30 does not come in America/New_York") == skip


@pytest.mark.parametrize("after", ["2023-11-05 06:00", "2023-11-05 06:29", "2023-11-05 06:30"])
def test_a_time_of_day_in_an_overlap_runs_once(after: str) -> None:
    """01:30 runs when it comes first, also if one asks in between the two."""
    schedule = Daily(NEW_YORK, (time(1, 30),))
    target = next(schedule.after(utc("2023-11-05 04:00")))

    assert utc("2023-11-05 05:30") == target.at
    assert "overlap: 01:30 comes twice, this is the first" == target.note
    assert utc("2023-11-06 06:30") == next(schedule.after(utc(after))).at


def test_calendar_shift_comes_before_date_shift() -> None:
    """The run for Monday the 9th is on the Sunday: a workday back is Friday, two days on from there is Sunday."""
    schedule = Daily(NEW_YORK, (time(15),), WORKDAYS, Shift(cal_shift=-1, date_shift=2))
    target = next(schedule.after(local("2020-11-07 16:00", NEW_YORK)))

    assert local("2020-11-08 15:00", NEW_YORK) == target.at
    assert ("2020-11-09", "15:00:00", "Mon-Fri") == tuple(target.args[n] for n in ("date", "daytime", "calendar"))


def test_what_a_daily_run_is_told() -> None:
    """The nominal date, the time of day and the instant, in words that a command line takes."""
    told = next(Daily("Asia/Kathmandu", (time(9, 30, 15),)).after(utc("2024-01-01 00:00"))).args

    assert {
        "date": "2024-01-01",
        "daytime": "09:30:15",
        "time": "2024-01-01T03:45:15+00:00",
        "schedule_time": "2024-01-01T03:45:15+00:00",
        "calendar": "all",
        "tz": "Asia/Kathmandu",
    } == told


def test_a_calendar_that_ends_says_so() -> None:
    """After its last date comes no exception, but the word that there are no more."""
    short = dates("short", "START 2024-01-01\nSTOP 2024-01-04\n2024-01-02\n2024-01-03\n")
    schedule = Daily("UTC", (time(9),), short)
    *targets, end = schedule.explain(utc("2024-01-01 00:00"))

    assert ["2024-01-02", "2024-01-03"] == [t.args["date"] for t in targets if isinstance(t, Target)]
    assert isinstance(end, Skip)
    assert (Why.CALENDAR_END, utc("2024-01-04 00:00")) == (end.why, end.at)
    assert "calendar 'short' knows no dates after 2024-01-03; add the next ones to it" == end.note
    assert [end] == list(schedule.explain(utc("2030-01-01 00:00")))
    assert date(2024, 1, 4) == schedule.known_until


@pytest.mark.parametrize("cal_shift", [-3, -1, 1, 3])
def test_shifts_at_the_ends_of_a_calendar(cal_shift: int) -> None:
    """Dates whose shift leads out of the calendar give no runs, the others do."""
    lines = "START 2024-01-01\nSTOP 2024-01-11\n" + "\n".join(f"2024-01-{day:02}" for day in range(1, 11))
    schedule = Daily("UTC", (time(9),), dates("ten", lines), Shift(cal_shift))
    nominal = [int(target.args["date"][-2:]) for target in schedule.after(0)]

    assert list(range(max(1, 1 - cal_shift), min(10, 10 - cal_shift) + 1)) == nominal


def test_an_interval_is_half_open() -> None:
    """Start counts, stop does not."""
    found = first(hourly(Bound(time(9)), Bound(time(11))), 3, "2024-01-05 00:00", NEW_YORK)

    assert ["01-05 09:00-0500", "01-05 10:00-0500", "01-06 09:00-0500"] == found


def test_an_interval_over_midnight() -> None:
    """The runs after midnight belong to the date on which they began."""
    schedule = hourly(Bound(time(23)), Bound(time(1), Shift(date_shift=1)))
    targets = list(islice(schedule.after(local("2024-01-05 12:00", NEW_YORK)), 2))

    assert ["23:00:00", "00:00:00"] == [target.args["daytime"] for target in targets]
    assert ["2024-01-05"] * 2 == [target.args["date"] for target in targets]


def test_steps_of_an_interval_are_real_seconds() -> None:
    """A gap loses no step, and in an overlap the clock shows some twice."""
    schedule = hourly(Bound(time(0)), Bound(time(4)))
    spring = ["03-12 00:00-0500", "03-12 01:00-0500", "03-12 03:00-0400", "03-13 00:00-0400"]
    autumn = ["11-05 00:00-0400", "11-05 01:00-0400", "11-05 01:00-0500", "11-05 02:00-0500", "11-05 03:00-0500"]

    assert spring == first(schedule, 4, "2023-03-11 23:30", NEW_YORK)
    assert autumn == first(schedule, 5, "2023-11-04 23:30", NEW_YORK)


@pytest.mark.parametrize("bounds", [(time(2, 30), time(5)), (time(0), time(2, 30))])
def test_an_interval_with_an_end_in_a_gap_has_no_runs_that_day(bounds: tuple[time, time]) -> None:
    """Where start or stop does not come, the whole date is left out, and that is told."""
    schedule = hourly(*map(Bound, bounds))
    entry = next(schedule.explain(local("2023-03-11 12:00", NEW_YORK)))

    assert isinstance(entry, Skip)
    assert "02:30 does not come in America/New_York; no runs for 2023-03-12" in entry.note
    assert "2023-03-13" == next(schedule.after(local("2023-03-11 12:00", NEW_YORK))).args["date"]


def test_windows_of_two_dates_that_overlap_are_merged() -> None:
    """Each date gives its own runs, all of them in order."""
    schedule = DailyInterval("UTC", Bound(time(0)), Bound(time(6), Shift(date_shift=1)), 5 * 3600)
    found = [(t.args["time"][5:16], t.args["date"][8:]) for t in islice(schedule.after(utc("2024-01-01 23:00")), 4)]

    assert [("01-02T00:00", "02"), ("01-02T01:00", "01"), ("01-02T05:00", "02"), ("01-02T10:00", "02")] == found


def test_every_counts_from_1970() -> None:
    """7 days fall on Thursdays, as 1970 began; a phase moves them."""
    assert ["1970-01-01", "1970-01-08"] == [t.args["date"] for t in islice(Every(7 * 86400).after(-1), 2)]
    assert [1.25, 2.0, 2.75] == [t.at for t in islice(Every(0.75, 0.5).after(0.5), 3)]


def test_every_does_not_drift() -> None:
    """After fifty years of tenths of a second, each is still the nearest number to it."""
    assert [1.6e9 + 0.1, 1.6e9 + 0.2, 1.6e9 + 0.3] == [t.at for t in islice(Every(0.1).after(1.6e9), 3)]


def test_once() -> None:
    """Times come in order and end."""
    schedule = Once((20.0, 10.0), "Asia/Tokyo")

    assert [10.0, 20.0] == [target.at for target in schedule.after(0)]
    assert [20.0] == [target.at for target in schedule.after(10.0)]
    assert ("1970-01-01", "09:00:10") == tuple(next(schedule.after(0)).args[name] for name in ("date", "daytime"))


@pytest.mark.parametrize("instant", [float("-inf"), -1e18, 1e18, float("inf")])
def test_any_instant_may_be_asked(instant: float) -> None:
    """Far before the first time or far after the last, nothing is raised."""
    schedules = [Every(60), Daily("Pacific/Apia", (time(0),)), hourly(Bound(time(9)), Bound(time(10))), Once((5.0,))]

    assert [instant < 0] * 4 == [next(schedule.after(instant), None) is not None for schedule in schedules]


WRONG = [
    (lambda: Daily("Europe/Berlinn", (time(9),)), "time zone: unknown 'Europe/Berlinn'; did you mean 'Europe/Berlin'?"),
    (lambda: Daily("../etc/passwd", (time(9),)), "time zone: unknown '../etc/passwd'"),
    (lambda: Daily("Europe", (time(9),)), "time zone: unknown 'Europe'"),
    (lambda: Daily("UTC", ()), "daytime: none is given; write at least one, like 09:30"),
    (lambda: Daily("UTC", (time(9), time(9))), "daytime: 09:00:00 is named twice; remove one"),
    (lambda: Shift(date_shift=10**9), "date_shift: 1000000000 must be between -36525 and 36525"),
    (lambda: Shift(cal_shift=-(10**9)), "cal_shift: -1000000000 must be between -1000 and 1000"),
    (lambda: hourly(Bound(time(9)), Bound(time(9))), "for a stop on the next day give it date_shift: 1"),
    (lambda: hourly(Bound(time(9)), Bound(time(8))), "stop: 08:00:00 must come after start 09:00:00"),
    (lambda: hourly(Bound(time(9)), Bound(time(9), Shift(0, 400))), "stop: comes more than 366 days after start"),
    (lambda: hourly(Bound(time(9), Shift(-1000, 9999)), Bound(time(9))), "stop: 09:00:00 must come after start 09:00"),
    (lambda: hourly(Bound(time(9)), Bound(time(8), Shift(1, -3))), "stop: 08:00:00 must come after start 09:00:00"),
    (lambda: hourly(Bound(time(9)), Bound(time(10)), 0), "interval: 0 s must be at least 0.1 s"),
    (lambda: Every(0), "every: 0 s must be at least 0.1 s"),
    (lambda: Every(float("nan")), "every: nan s must be at least 0.1 s"),
    (lambda: Every(60, 60), "phase: 60 s must be at least 0 s and less than 60 s"),
    (lambda: Once(()), "times: none are given; write at least one"),
    (lambda: Once((5.0, 5.0)), "times: 1970-01-01T00:00:05+00:00 is named twice; remove one"),
    (lambda: Once((float("nan"),)), "times: nan is not between the years 1970 and 9990"),
    (lambda: daytime("24:00"), "'24:00' is no time of day; write 00:00, on the next day with date_shift: 1"),
    (lambda: daytime("9"), "'9' is no time of day; write 09:30 or 09:30:15"),
    (lambda: moment("2023-03-12 02:30", NEW_YORK), "does not exist in America/New_York, whose clocks jump to 03:00"),
    (lambda: moment("tomorrow", "UTC"), "'tomorrow' is no date and time; write 2024-03-10T02:30"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_is_named(make: object, message: str) -> None:
    """What cannot be meant is refused when it is made, in one line with the remedy."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        make()  # type: ignore[operator]

    assert message in str(raised.value)


def test_moments() -> None:
    """A time with an offset or Z means that, one without is the zone's, and a date is its midnight."""
    assert utc("2024-01-01 12:00") == moment("2024-01-01T12:00Z", NEW_YORK)
    assert utc("2024-01-01 12:00") == moment("2024-01-01 13:00+01:00", NEW_YORK)
    assert utc("2024-01-01 05:00") == moment("2024-01-01", NEW_YORK)
    assert utc("2023-11-05 05:30") == moment("2023-11-05 01:30", NEW_YORK)
