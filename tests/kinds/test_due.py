"""What falls due: nothing is lost or doubled, however the time is cut, and late runs go by their policy."""

from __future__ import annotations

from datetime import datetime, time
from itertools import islice, pairwise, takewhile
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sshsched.kinds.calendars import dates
from sshsched.kinds.due import ON_TIME, Due, due, explain, upcoming, warning
from sshsched.kinds.options import CatchUp, Options, Policy, StopAfter, StopAt, Valid
from sshsched.kinds.schedules.base import Schedule, Skip, Target, Why
from sshsched.kinds.schedules.cron import Cron
from sshsched.kinds.schedules.daily import Daily, Shift
from sshsched.kinds.schedules.daily_interval import Bound, DailyInterval
from sshsched.kinds.schedules.every import Every
from sshsched.kinds.schedules.once import Once
from tests.kinds import zoo
from tests.kinds.times import local, utc

ALL, LATEST, NONE = (Options(catch_up=CatchUp(policy)) for policy in Policy)
T0 = 1_699_160_000  # a few hours before clocks go back in New York
NEW_YORK = "America/New_York"

cuts = st.lists(st.floats(0, 40 * 3600), max_size=12)
numbers = st.integers(0, 2**32 - 1)


def ats(due: Due) -> list[float]:
    return [target.at for target in due.targets]


def due_in_pieces(schedule: Schedule, options: Options, cuts: list[float], at_once: int = 1000) -> list[Target]:
    """What a scheduler starts that asks at each cut, in any order of the clock, and a last time."""
    cursor, found = float(T0), []
    for now in [*(T0 + cut for cut in cuts), T0 + 40 * 3600]:
        while cursor < now:
            answer = due(schedule, options, cursor, now, job="a", at_once=at_once)
            found += answer.targets
            cursor = answer.until
    return found


def schedules() -> st.SearchStrategy[Schedule]:
    every = st.builds(Every, st.sampled_from([599.5, 600, 3601, 7200.25]), st.sampled_from([0, 0.5, 300]))
    return st.one_of(every, numbers.map(lambda seed: zoo.animal(seed).schedule(Random(seed).choice(zoo.ZONES))))


@settings(max_examples=80, deadline=None)
@given(schedules(), st.sampled_from([0, 30, 5000]), cuts, st.sampled_from([1, 3, 1000]))
def test_no_time_is_lost_or_doubled(schedule: Schedule, jitter: int, cuts: list[float], at_once: int) -> None:
    """Whatever the clock does and whenever one asks, each time of the schedule falls due exactly once."""
    options = Options(jitter=jitter, catch_up=CatchUp(Policy.ALL))
    end = T0 + 40 * 3600
    whole = list(takewhile(lambda target: target.at <= end, upcoming(schedule, options, T0, job="a")))

    assert whole == due_in_pieces(schedule, options, cuts, at_once)


@settings(max_examples=50, deadline=None)
@given(schedules(), st.sampled_from([0, 3600]), st.floats(0, 40 * 3600), st.sampled_from(list(Policy)), st.booleans())
def test_dropped_and_due_are_all(schedule: Schedule, jitter: int, length: float, policy: Policy, limited: bool) -> None:
    """What is not made up for is counted: together with what runs it is all that there was."""
    options = Options(jitter=jitter, catch_up=CatchUp(policy, 7200 if limited else None))
    answer = due(schedule, options, T0, T0 + length, job="a")
    whole = list(takewhile(lambda target: target.at <= T0 + length, upcoming(schedule, options, T0, job="a")))

    assert len(whole) == len(answer.targets) + sum(dropped.count for dropped in answer.dropped)
    assert whole[len(whole) - len(answer.targets) :] == list(answer.targets)


@settings(max_examples=50, deadline=None)
@given(schedules(), st.integers(1, 100_000))
def test_jitter_moves_and_never_reorders(schedule: Schedule, jitter: int) -> None:
    """Each time moves later by whole seconds, by no more than the jitter, and not up to the next on the schedule."""
    plain = list(islice(schedule.after(T0), 11))
    moved = list(islice(upcoming(schedule, Options(jitter=jitter), T0 - 0.5, job="a"), 80))
    by_time = {(target.scheduled, target.args["date"]): target.at for target in moved}
    for target, following in pairwise(plain[:10]):
        at = by_time[target.scheduled, target.args["date"]]

        assert 0 <= at - target.at <= jitter
        assert (at - target.at).is_integer() or at == pytest.approx(target.at + round(at - target.at))
        assert at < following.at or following.at == target.at


def test_jitter_is_the_same_after_a_restart() -> None:
    """It is made of job, args and time: others move otherwise, the same moves the same. These numbers must stay."""
    options = Options(jitter=600, args={"region": "us"})
    moved = [int(t.at - t.scheduled) for t in islice(upcoming(Every(3600), options, T0, job="reports/build"), 6)]
    other = [int(t.at - t.scheduled) for t in islice(upcoming(Every(3600), options, T0, job="reports/other"), 6)]

    assert [137, 2, 438, 58, 71, 232] == moved
    assert other != moved


def test_a_long_jitter_takes_no_time() -> None:
    """Years of jitter on a schedule of seconds move nothing past the next second, and need no look at all of them."""
    found = upcoming(Every(1), Options(jitter=10**9), 1.6e9, job="a")

    assert [1.6e9 + 1, 1.6e9 + 2] == [target.at for target in islice(found, 2)]


def test_jitter_keeps_what_is_told() -> None:
    """A run that was moved is still told the time on the schedule."""
    target = next(upcoming(Every(3600), Options(jitter=3000), T0, job="b"))

    assert target.at > target.scheduled
    assert utc(target.args["schedule_time"][:19]) == target.scheduled


def test_all_late_runs() -> None:
    """`all` makes up for each time that was missed."""
    assert [3600.0 * n for n in range(1, 6)] == ats(due(Every(3600), ALL, 0, 5 * 3600 + 10, job="a"))


def test_the_latest_of_the_late_runs() -> None:
    """`latest` makes up for the newest only, and tells how many it left out."""
    answer = due(Every(3600), LATEST, 0, 5 * 3600 + 1000, job="a")

    assert [5 * 3600.0] == ats(answer)
    assert [4] == [dropped.count for dropped in answer.dropped]
    assert "late, and catch_up: latest makes up for the newest only" == answer.dropped[0].reason


def test_a_run_on_time_makes_up_for_the_late_ones() -> None:
    """`latest` needs no late run where a newer one is on time."""
    assert [5 * 3600.0] == ats(due(Every(3600), LATEST, 0, 5 * 3600 + 5, job="a"))


def test_no_late_runs() -> None:
    """`none` starts what is on time, and nothing that is later than a scheduler that lives can be."""
    assert [] == ats(due(Every(3600), NONE, 0, 5 * 3600 + ON_TIME, job="a"))
    assert [5 * 3600.0] == ats(due(Every(3600), NONE, 0, 5 * 3600 + ON_TIME - 1, job="a"))


@pytest.mark.parametrize("policy", list(Policy))
def test_whoever_asks_often_gets_all(policy: Policy) -> None:
    """The policy is about late runs only: while the scheduler lives, every time runs."""
    found = due_in_pieces(Every(60), Options(catch_up=CatchUp(policy)), [n * 59.0 for n in range(2440)])

    assert 40 * 60 == len(found)


def test_what_is_too_old_is_dropped() -> None:
    """max_age limits every policy."""
    options = Options(catch_up=CatchUp(Policy.ALL, max_age=7200))
    answer = due(Every(3600), options, 0, 5 * 3600 + 10, job="a")

    assert [4 * 3600.0, 5 * 3600.0] == ats(answer)
    assert [(3, "later than max_age")] == [(dropped.count, dropped.reason) for dropped in answer.dropped]
    assert [] == ats(due(Once((100.0,)), Options(catch_up=CatchUp(Policy.LATEST, 60)), 0, 1000, job="a"))


def test_years_of_seconds_take_no_time() -> None:
    """After three years away, the newest of a hundred million times is found by halving, and the rest is not walked."""
    now = T0 + 3 * 365 * 86400.5
    answer = due(Every(1), LATEST, T0, now, job="a")
    busy = due(Every(1), ALL, T0, now, job="a")

    assert answer.targets[-1].at == now // 1
    assert [1000] == [dropped.count for dropped in answer.dropped]
    assert (1000, T0 + 1000.0) == (len(busy.targets), busy.until)


def test_what_is_due_at_one_instant_is_not_cut_apart() -> None:
    """Two dates whose windows overlap have runs at the same instant; an answer holds both, however short it is."""
    schedule = DailyInterval("UTC", Bound(time(0)), Bound(time(6), Shift(date_shift=1)), 6 * 3600)
    answer = due(schedule, ALL, utc("2024-01-01 23:00"), utc("2024-01-03 00:00"), job="a", at_once=1)

    assert ["2024-01-01", "2024-01-02"] == [target.args["date"] for target in answer.targets]
    assert utc("2024-01-02 00:00") == answer.until


def test_a_clock_that_was_set_back_runs_nothing_twice() -> None:
    """Before the instant up to which everything is done, nothing is due."""
    assert Due((), (), 7200.0) == due(Every(60), ALL, 7200.0, 3600.0, job="a")


def test_disabled() -> None:
    """A disabled schedule has no times, but can still be explained."""
    options = Options(enabled=False)

    assert Due((), (), 1e6) == due(Every(60), options, 0, 1e6, job="a")
    assert [] == list(upcoming(Every(60), options, 0, job="a"))
    assert 60.0 == next(explain(Every(60), options, 0, job="a")).at


@pytest.mark.parametrize("jitter", [0, 1000])
def test_valid_times(jitter: int) -> None:
    """`from` counts and `until` does not, by the time on the schedule; after it comes the word that it is over."""
    options = Options(jitter=jitter, valid=Valid(7200, 4 * 3600))
    *targets, end = explain(Every(3600), options, 0, job="a")

    assert [7200.0, 10800.0] == [target.scheduled for target in targets if isinstance(target, Target)]
    assert isinstance(end, Skip)
    assert (Why.NOT_VALID, 14400.0, "valid until 1970-01-01T04:00:00+00:00") == (end.why, end.at, end.note)


def test_args_of_a_run() -> None:
    """What is given wins over what the schedule offers; of that a run gets only what it has params for."""
    options = Options(args={"region": "us", "daytime": "noon"})
    target = next(Daily("UTC", (time(9),)).after(utc("2024-01-01 00:00")))

    expected = {"region": "us", "daytime": "noon", "date": "2024-01-01"}

    assert expected == options.run_args(target, ["date", "daytime", "x"])


@pytest.mark.parametrize(
    ("daytime", "scheduled", "expected"),
    [
        (time(11), "2023-06-01 10:59-04:00", "2023-06-01 11:00-04:00"),
        (time(11), "2023-06-01 11:00-04:00", "2023-06-02 11:00-04:00"),  # strictly after
        (time(2, 30), "2023-03-12 01:00-05:00", "2023-03-12 03:00-04:00"),  # in a gap: right after it
        (time(2, 30), "2023-03-12 03:00-04:00", "2023-03-13 02:30-04:00"),
        (time(1, 30), "2023-11-05 01:00-04:00", "2023-11-05 01:30-04:00"),
        (time(1, 30), "2023-11-05 01:30-04:00", "2023-11-05 01:30-05:00"),  # in an overlap: whichever comes next
        (time(1, 30), "2023-11-05 01:30-05:00", "2023-11-06 01:30-05:00"),
    ],
)
def test_stop_at_a_time_of_day(daytime: time, scheduled: str, expected: str) -> None:
    """The next such time strictly after the scheduled one; changes of clocks never leave a run without its stop."""
    at = datetime_of(scheduled)

    assert datetime_of(expected) == Options(stop=StopAt(daytime, NEW_YORK)).stop_time(Target(at, at))


def datetime_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_stop_after_a_duration() -> None:
    """It counts from the time on the schedule, not from the start."""
    assert 1800.0 == Options(jitter=10, stop=StopAfter(1800)).stop_time(Target(at=7.0, scheduled=0.0))
    assert None is Options().stop_time(Target(0.0, 0.0))


def test_a_calendar_is_missed_months_ahead() -> None:
    """A warning comes 120 days before the calendar ends, and stays afterwards."""
    schedule = Daily("UTC", (time(9),), dates("closed", "START 2024-01-01\nSTOP 2025-01-01\n2024-07-01"))

    assert None is warning(schedule, utc("2024-08-30 00:00"))
    assert "its calendar ends with 2024-12-31; add the next dates to it" in (warning(schedule, utc("2024-09-03")) or "")
    assert "its calendar ended with 2024-12-31" in (warning(schedule, utc("2025-01-01")) or "")
    assert None is warning(Cron("0 0 * * *"), 1e11)


def test_a_schedule_is_a_value() -> None:
    """What a file says twice is equal, and a changed stop is a change."""
    assert Options(stop=StopAt(time(9), NEW_YORK)) == Options(stop=StopAt(time(9), NEW_YORK))
    assert Options(stop=StopAt(time(9), NEW_YORK)) != Options(stop=StopAfter(60))
    assert Cron("0 0 * * *", NEW_YORK) == Cron("0 0 * * *", NEW_YORK)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Options(jitter=-1), "jitter: -1 must be between 0 and a hundred years, in whole seconds"),
        (
            lambda: Options(jitter=60, stop=StopAfter(60)),
            "jitter: 60 s must be shorter than stop, which comes 60 s",
        ),
        (lambda: StopAfter(0), "stop: 0 s must be at least 1 s"),
        (lambda: StopAt(time(9), "Nowhere/City"), "time zone: unknown 'Nowhere/City'"),
        (
            lambda: Valid(10, 10),
            "valid: until 1970-01-01T00:00:10+00:00 must come after from 1970-01-01",
        ),
        (lambda: CatchUp(max_age=0), "max_age: 0 s must be at least 1 s"),
    ],
)
def test_what_is_wrong_is_named(make: object, message: str) -> None:
    """What cannot be meant is refused when it is made, in one line with the remedy."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        make()  # type: ignore[operator]

    assert message in str(raised.value)


@pytest.mark.parametrize("seed", range(25))
def test_asking_later_gives_the_rest(seed: int) -> None:
    """From any instant on, the times are those after it: a restart sees the same list."""
    random = Random(seed)
    tz = random.choice(zoo.ZONES)
    schedule = zoo.animal(seed).schedule(tz)
    begin = float(zoo.instant(random, tz, random.choice(zoo.YEARS)))
    targets = list(islice(schedule.after(begin), 40))
    for target in targets[:30]:
        for instant in (target.at - 0.25, target.at, target.at + 0.25):
            rest = [other for other in targets if other.at > instant]

            assert rest[:5] == list(islice(schedule.after(instant), 5))


def test_gaps_are_explained_with_jitter_too() -> None:
    """A Skip stays where it is, between the moved times around it."""
    options = Options(jitter=600)
    entries = list(islice(explain(Daily(NEW_YORK, (time(2, 30),)), options, local("2023-03-11", NEW_YORK), job="a"), 3))

    assert [Target, Skip, Target] == [type(entry) for entry in entries]
    assert entries[0].at < entries[1].at < entries[2].at
