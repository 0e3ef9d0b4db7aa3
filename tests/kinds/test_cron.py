"""Cron lines mean what crontab(5) of Debian says."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from sshsched.kinds.schedules.base import Skip
from sshsched.kinds.schedules.cron import Cron, cron
from sshsched.kinds.schedules.reboot import Reboot
from tests.kinds import zoo
from tests.kinds.times import first, local, utc

NEW_YORK = "America/New_York"  # 2024-03-10 02:00 -> 03:00, 2024-11-03 02:00 -> 01:00

# line, after (UTC), the next times (UTC)
DOCUMENTED = [
    # crontab(5): "run five minutes after midnight, every day"
    ("5 0 * * *", "2024-01-01 00:04", ["01-01 00:05", "01-02 00:05"]),
    # "run at 2:15pm on the first of every month"
    ("15 14 1 * *", "2024-01-02 00:00", ["02-01 14:15", "03-01 14:15"]),
    # "run at 10 pm on weekdays"
    ("0 22 * * 1-5", "2024-01-05 12:00", ["01-05 22:00", "01-08 22:00"]),
    # "run 23 minutes after midnight, 2am, 4am ..., everyday"
    ("23 0-23/2 * * *", "2024-01-01 00:00", ["01-01 00:23", "01-01 02:23", "01-01 04:23"]),
    # "run at 5 after 4 every Sunday", by name, in either case, and as 0 and 7
    ("5 4 * * sun", "2024-01-01 00:00", ["01-07 04:05", "01-14 04:05"]),
    ("5 4 * * SUN", "2024-01-01 00:00", ["01-07 04:05"]),
    ("5 4 * * 0", "2024-01-01 00:00", ["01-07 04:05"]),
    ("5 4 * * 7", "2024-01-01 00:00", ["01-07 04:05"]),
    ("0 0 * JAN,jun *", "2024-01-31 12:00", ["06-01 00:00"]),
    # "30 4 1,15 * 5 would cause a command to be run at 4:30 am on the 1st and 15th of each month, plus every Friday"
    ("30 4 1,15 * 5", "2024-01-01 05:00", ["01-05 04:30", "01-12 04:30", "01-15 04:30", "01-19 04:30"]),
    # with a star in front in either of the two, both must match: odd days that are Mondays
    ("0 0 */2 * 1", "2024-01-01 12:00", ["01-15 00:00", "01-29 00:00"]),
    ("0 0 13 * *", "2024-01-01 12:00", ["01-13 00:00"]),
    # "steps are also permitted after an asterisk"; a step that does not divide the hour begins anew each hour
    ("*/40 * * * *", "2024-01-01 00:00", ["01-01 00:40", "01-01 01:00", "01-01 01:40"]),
    ("0 0 29 2 *", "2024-03-01 00:00", ["02-29 00:00"]),
    ("@hourly", "2024-01-01 00:30", ["01-01 01:00", "01-01 02:00"]),
    ("@daily", "2024-01-01 00:30", ["01-02 00:00"]),
    ("@midnight", "2024-01-01 00:30", ["01-02 00:00"]),
    ("@weekly", "2024-01-01 00:30", ["01-07 00:00"]),
    ("@monthly", "2024-01-01 00:30", ["02-01 00:00"]),
    ("@yearly", "2024-01-01 00:30", ["01-01 00:00"]),
    ("@annually", "2024-01-01 00:30", ["01-01 00:00"]),
    # cronsim's additions: the last day, the last weekday, the last Friday, the second Monday
    ("0 0 L * *", "2024-02-01 00:00", ["02-29 00:00", "03-31 00:00"]),
    ("0 0 LW * *", "2024-06-01 00:00", ["06-28 00:00"]),
    ("0 0 * * 5L", "2024-02-01 00:00", ["02-23 00:00"]),
    ("0 0 * * MON#2", "2024-02-01 00:00", ["02-12 00:00"]),
]


@pytest.mark.parametrize(("line", "after", "expected"), DOCUMENTED)
def test_lines_mean_what_is_documented(line: str, after: str, expected: list[str]) -> None:
    """The examples of crontab(5), and each rule of it."""
    assert [f"{time}+0000" for time in expected] == first(Cron(line), len(expected), after, "UTC")


# line, after, the next times in New York
CLOCKS = [
    # "If time has moved forward, those jobs that would have run in the interval that has been skipped will be run
    # immediately": once, however many of its times were skipped
    ("30 2 * * *", "2024-03-10 00:00", ["03-10 03:00-0400", "03-11 02:30-0400"]),
    ("0,30 2 * * *", "2024-03-10 00:00", ["03-10 03:00-0400", "03-11 02:00-0400"]),
    ("30 2,3 * * *", "2024-03-10 00:00", ["03-10 03:00-0400", "03-10 03:30-0400", "03-11 02:30-0400"]),
    ("0 2,3 * * *", "2024-03-10 00:00", ["03-10 03:00-0400", "03-11 02:00-0400"]),
    # "Conversely, if time has moved backward, care is taken to avoid running jobs twice"
    ("30 1 * * *", "2024-11-03 00:00", ["11-03 01:30-0400", "11-04 01:30-0500"]),
    ("0,30 1,2 * * *", "2024-11-03 01:10", ["11-03 01:30-0400", "11-03 02:00-0500", "11-03 02:30-0500"]),
    # "Jobs that run more frequently are scheduled normally"
    ("*/30 * * * *", "2024-03-10 01:10", ["03-10 01:30-0500", "03-10 03:00-0400", "03-10 03:30-0400"]),
    ("30 * * * *", "2024-11-03 00:40", ["11-03 01:30-0400", "11-03 01:30-0500", "11-03 02:30-0500"]),
    ("*/30 2 * * *", "2024-03-10 00:00", ["03-11 02:00-0400", "03-11 02:30-0400"]),
    ("0 */2 * * *", "2024-03-10 00:30", ["03-10 04:00-0400", "03-10 06:00-0400"]),
]


@pytest.mark.parametrize(("line", "after", "expected"), CLOCKS)
def test_changes_of_clocks_as_in_debian(line: str, after: str, expected: list[str]) -> None:
    """Times of day run once and are not lost; minutes of the clock run as the clock shows them."""
    assert expected == first(Cron(line, NEW_YORK), len(expected), after, NEW_YORK)


def test_half_an_hour_of_lord_howe() -> None:
    """Where clocks go back by half an hour, the hour after that is whole."""
    found = first(Cron("*/15 2 * * *", "Australia/Lord_Howe"), 4, "2024-04-07 00:00", "Australia/Lord_Howe")

    assert ["04-07 02:00+1030", "04-07 02:15+1030", "04-07 02:30+1030", "04-07 02:45+1030"] == found


def test_the_day_that_samoa_left_out() -> None:
    """A day that never came ends with one run of what names times of day."""
    found = first(Cron("30 3,9 * * *", "Pacific/Apia"), 3, "2011-12-29 10:00", "Pacific/Apia")

    assert ["12-31 00:00+1400", "12-31 03:30+1400", "12-31 09:30+1400"] == found


def test_what_is_skipped_is_told() -> None:
    """A gap that swallows times stands between the times that come, and one that moves or doubles them is marked."""
    skipped = list(islice(Cron("*/30 2 * * *", NEW_YORK).explain(local("2024-03-09 12:00", NEW_YORK)), 2))
    moved = next(Cron("30 2 * * *", NEW_YORK).after(local("2024-03-10 00:00", NEW_YORK)))
    twice = list(islice(Cron("30 * * * *", NEW_YORK).after(local("2024-11-03 00:40", NEW_YORK)), 3))

    assert isinstance(skipped[0], Skip)
    assert (utc("2024-03-10 07:00"), "gap") == (skipped[0].at, skipped[0].why)
    assert "gap: 2024-03-10 02:00 to 02:30 do not come in America/New_York" == skipped[0].note
    assert "gap: 02:30 does not come that day" == moved.note
    assert ["first", "second", ""] == [target.note.rpartition(" ")[2] for target in twice]


@pytest.mark.parametrize("tz", zoo.ZONES)
def test_times_of_day_agree_with_cronsim_in_every_zone(tz: str) -> None:
    """cronsim's own walk in a zone gives the same, where it follows Debian's cron."""
    random = Random(tz)
    for _ in range(10):
        minute = ",".join(str(random.randrange(60)) for _ in range(random.randint(1, 2)))
        line = f"{minute} {random.randrange(5)} * * *"
        after = zoo.instant(random, tz, random.choice(zoo.YEARS))
        walk = (at.timestamp() for at in CronSim(line, datetime.fromtimestamp(after, ZoneInfo(tz))))
        expected = list(dict.fromkeys(at for at in islice(walk, 5) if at > after))

        assert expected == [target.at for target in islice(Cron(line, tz).after(after), len(expected))], line


def test_lines_agree_with_cronsim_in_utc() -> None:
    """Without changes of clocks nothing is left to decide."""
    for seed in range(300):
        line = zoo.cron(Random(seed)).name.removeprefix("cron ")
        after = 1.2e9 + seed * 2e6
        expected = [at.timestamp() for at in islice(CronSim(line, datetime.fromtimestamp(after, UTC)), 5)]

        assert expected == [target.at for target in islice(Cron(line).after(after), 5)], line


def test_the_zone_may_stand_in_the_line() -> None:
    """CRON_TZ= in front of the fields is the line's zone, whatever the job's is."""
    expected = Cron("30 3 * * *", "Asia/Tokyo")

    assert expected == cron("CRON_TZ=Asia/Tokyo 30 3 * * *", "UTC")
    assert expected == cron(" TZ=Asia/Tokyo  30 3 * * * ")
    assert expected == cron("30 3 * * *", "Asia/Tokyo")


def test_reboot_has_no_times() -> None:
    """@reboot is never due by the clock; it gives its run to whoever starts a scheduler."""
    reboot = cron("@reboot", "Asia/Tokyo")

    assert isinstance(reboot, Reboot)
    assert [] == list(reboot.after(0))
    assert ("2024-01-01", 1704034800.0) == (reboot.started(1704034800.0).args["date"], reboot.started(1704034800.0).at)


def test_what_comes_once_in_decades() -> None:
    """A Sunday that is the 29th of February is found over forty years; at the end of time there is no more."""
    leap_sundays = Cron("0 0 29 2 */7", "Europe/Berlin")

    assert ["2128-02-29"] == [target.args["date"] for target in islice(leap_sundays.after(utc("2088-03-01")), 1)]
    assert [] == list(leap_sundays.after(utc("9984-03-01")))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("60 * * * *", "minute: '60' is not possible; write * or */5, or numbers of 0-59"),
        ("* 24 * * *", "hour: '24' is not possible"),
        ("* * 0 * *", "day-of-month: '0' is not possible"),
        ("* * 30 2 *", "day 30 does not come in month 2; change one of them"),
        ("* * * 13 *", "month: '13' is not possible; write * or */5, or numbers of 1-12 or JAN-DEC"),
        ("* * * * FRI-MON", "day-of-week: 'FRI-MON' is not possible"),
        ("*/0 * * * *", "minute: '*/0' is not possible"),
        ("1, * * * *", "minute: '1,' is not possible"),
        ("daily", "unknown 'daily'; did you mean '@daily'?"),
        ("hourli", "unknown 'hourli'; did you mean '@hourly'?"),
        ("5", "'5' has 1 field; write 5: minute"),
        ("* * * *", "has 4 fields; write 5: minute, hour, day of month, month, day of week"),
        ("0 * * * * *", "has 6 fields; write 5"),
        ("", "has 0 fields"),
        ("evry 5m", "unknown 'evry'; did you mean 'every'?"),
        ("@dayly", "unknown '@dayly'; did you mean '@daily'?"),
        (f"{'1,' * 300}1 * * * *", "a cron expression of 609 characters; write at most 500"),
    ],
)
def test_what_is_wrong_is_named(line: str, message: str) -> None:
    """A line that cannot be meant says which field it is, and what may stand there."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        cron(line)

    assert message in str(raised.value)


@given(st.text(st.sampled_from("0123456789*/,-#LWSUNMOJA @\u00b2\n"), max_size=40))
def test_any_text_is_a_line_or_a_clear_error(text: str) -> None:
    """Nothing but ValueError comes out of nonsense."""
    try:
        schedule = cron(text)
    except ValueError:
        return
    times = [target.at for target in islice(schedule.after(1.7e9), 2)]

    assert sorted(set(times)) == times
