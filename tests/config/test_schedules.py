"""`schedule:` in job files: what each form means, and what is said of the wrong ones."""

from __future__ import annotations

from datetime import time
from itertools import islice
from pathlib import Path

import pytest

from sshsched.config.jobs import load_jobs
from sshsched.kinds.calendars import ALL, calendar
from sshsched.kinds.options import CatchUp, Options, Policy, StopAfter, StopAt, Valid
from sshsched.kinds.schedules.base import Schedule
from sshsched.kinds.schedules.cron import Cron
from sshsched.kinds.schedules.daily import Daily, Shift
from sshsched.kinds.schedules.daily_interval import Bound, DailyInterval
from sshsched.kinds.schedules.every import Every
from sshsched.kinds.schedules.once import Once
from sshsched.kinds.schedules.reboot import Reboot
from tests.config.reading import job_of, problems_of

GOOD = "host: a\ncommand: b\n"
BERLIN = "Europe/Berlin"


@pytest.fixture(autouse=True)
def in_berlin(tmp_path: Path) -> None:
    """The zone of schedules that name none."""
    (tmp_path / "config.yaml").write_text(f"tz: {BERLIN}")


WEEKDAYS = calendar("Mon-Fri")
SCHEDULES: dict[str, Schedule] = {
    "30 3 * * *": Cron("30 3 * * *", BERLIN),
    "'@daily'": Cron("@daily", BERLIN),
    "'@reboot'": Reboot(BERLIN),
    "CRON_TZ=Asia/Kathmandu 0 6 * * 1": Cron("0 6 * * 1", "Asia/Kathmandu"),
    "every 15m": Every(900.0),
    "'@every 1h30m'": Every(5400.0),
    "{cron: 30 3 * * *}": Cron("30 3 * * *", BERLIN),
    "{type: cron, cron: 30 3 * * *, tz: UTC}": Cron("30 3 * * *", "UTC"),
    "{every: 15m, phase: 5m}": Every(900.0, 300.0),
    "{type: interval, every: 90}": Every(90.0),
    "{type: daily, daytime: 09:30}": Daily(BERLIN, (time(9, 30),)),
    "{type: daily, tz: UTC, daytime: [09:30, 16:00:30], calendar: Mon-Fri, cal_shift: -1, date_shift: 2}": Daily(
        "UTC", (time(9, 30), time(16, 0, 30)), WEEKDAYS, Shift(-1, 2)
    ),
    "{type: daily_interval, start: 08:00, stop: 17:00, interval: 10m}": DailyInterval(
        BERLIN, Bound(time(8)), Bound(time(17)), 600.0, ALL
    ),
    "{type: daily-interval, start: {daytime: 22:00, cal_shift: -1}, stop: {daytime: 02:00, date_shift: 1}, interval: 1h"
    ", calendar: Mon-Fri}": DailyInterval(
        BERLIN, Bound(time(22), Shift(-1)), Bound(time(2), Shift(0, 1)), 3600.0, WEEKDAYS
    ),
    "{type: once, at: 2026-12-24T18:00}": Once((1798131600.0,), BERLIN),
    "{type: explicit, at: [2026-12-24T18:00Z, 2026-12-25], tz: UTC}": Once((1798135200.0, 1798156800.0), "UTC"),
}


@pytest.mark.parametrize("text", SCHEDULES)
def test_a_schedule_is_what_it_says(tmp_path: Path, text: str) -> None:
    """Short forms, long forms, and the names that Apsis has."""
    job = job_of(tmp_path, f"{GOOD}schedule: {text}")

    assert [(SCHEDULES[text], Options())] == [(found.schedule, found.options) for found in job.schedules]


OPTIONS = {
    "args: {x: '1'}": Options(args={"x": "1"}),
    "enabled: false": Options(enabled=False),
    "jitter: 2m": Options(jitter=120),
    "catch_up: all": Options(catch_up=CatchUp(Policy.ALL)),
    "catch_up: none, max_age: 1h": Options(catch_up=CatchUp(Policy.NONE, 3600.0)),
    "stop: 30m": Options(stop=StopAfter(1800.0)),
    "stop: {duration: 30m}": Options(stop=StopAfter(1800.0)),
    "stop: {daytime: 17:00}": Options(stop=StopAt(time(17), BERLIN)),
    "stop: {daytime: 17:00, tz: UTC}": Options(stop=StopAt(time(17), "UTC")),
    "valid: {from: 2026-01-01, until: 2026-07-01T00:00Z}": Options(valid=Valid(1767222000.0, 1782864000.0)),
}


@pytest.mark.parametrize("text", OPTIONS)
def test_options_are_what_they_say(tmp_path: Path, text: str) -> None:
    """Times without a zone are in that of the schedule."""
    job = job_of(tmp_path, f"{GOOD}params: {{x: a}}\nschedule: {{cron: '@daily', {text}}}")

    assert [OPTIONS[text]] == [found.options for found in job.schedules]


def test_a_daily_interval_stops_its_runs_by_another_name(tmp_path: Path) -> None:
    """Its `stop` is the end of its part of the day."""
    text = "{type: daily_interval, start: 08:00, stop: 17:00, interval: 10m, stop_run: 5m}"
    (found,) = job_of(tmp_path, f"{GOOD}schedule: {text}").schedules

    assert StopAfter(300.0) == found.options.stop


def test_a_job_may_have_several_schedules(tmp_path: Path) -> None:
    """Each remembers its line, which is no part of what it is."""
    text = f"{GOOD}schedule:\n- every 1h\n- {{cron: '@daily', jitter: 5}}\n"
    job, moved = job_of(tmp_path, text), job_of(tmp_path, f"# moved down\n{text}")

    assert [(Every(3600.0), 4), (Cron("@daily", BERLIN), 5)] == [(f.schedule, f.line) for f in job.schedules]
    assert job == moved
    assert job != job_of(tmp_path, text.replace("jitter: 5", "jitter: 6"))


WRONG = {
    "61 3 * * *": "3:11: schedule: minute: '61' is not possible; write * or */5, or numbers of 0-59",
    "daily": "3:11: schedule: 'daily' is no schedule; write @daily",
    "'@dayly'": "3:11: schedule: unknown '@dayly'; did you mean '@daily'?",
    "every 5x": "3:11: schedule: '5x' is no duration; write 90s, 15m, 2h or 1d",
    "every 0": "3:11: schedule: every: 0 s must be at least 0.1 s and less than 3.15576e+09 s",
    "[]": "3:11: schedule: is an empty list; take the key out, or write at least one schedule",
    "[[]]": "3:12: schedule[0]: a list stands where a schedule should be, like @daily or every 15m",
    "{}": "3:11: schedule: the key 'type' is missing; known: cron, every, daily, daily_interval, once",
    "{type: dayly}": "3:18: schedule.type: unknown type 'dayly'; did you mean 'daily'?",
    "{type: daily}": "3:11: schedule: the key 'daytime' is missing: times of day, like 09:30",
    "{type: daily, daytime: [09:30, 24:00]}": "3:42: schedule.daytime[1]: '24:00' is no time of day; "
    "write 00:00, on the next day with date_shift: 1",
    "{type: daily, daytime: [09:30, 09:30]}": "3:34: schedule.daytime: 09:30:00 is named twice; remove one",
    "{type: daily, daytime: 09:30, calendar: workdys}": "3:51: schedule.calendar: unknown 'workdys'; "
    "known: Fri, Mon, Mon-Fri, Sat, Sun, Thu, Tue, Wed, all",
    "{type: daily, daytime: 09:30, tz: Europe/Berln}": "3:45: schedule.tz: unknown 'Europe/Berln'; "
    "did you mean 'Europe/Berlin'?",
    "{type: once, at: 2026-03-29T02:30}": "3:28: schedule.at: '2026-03-29T02:30' does not exist in Europe/Berlin, "
    "whose clocks jump to 03:00; write a later time",
    "{type: daily_interval, start: 10:00, stop: 09:00, interval: 5m}": "3:54: schedule.stop: 09:00:00 must come after "
    "start 10:00:00; for a stop on the next day give it date_shift: 1",
    "{every: 5m, phase: 5m}": "3:30: schedule.phase: 300 s must be at least 0 s and less than 300 s",
    "{every: 5m, jitter: 1.5}": "3:31: schedule.jitter: 1.5 s is no whole number of seconds; leave the fraction out",
    "{every: 5m, jitter: 5m, stop: 1m}": "3:31: schedule.jitter: 300 s must be shorter than stop, which comes 60 s "
    "after the scheduled time",
    "{every: 5m, enabled: yes}": "3:32: schedule.enabled: 'yes' is neither true nor false",
    "{every: 5m, catch_up: last}": "3:33: schedule.catch_up: 'last' is no policy; did you mean 'latest'?",
    "{every: 5m, interval: 5m}": "3:23: schedule.interval: unknown key; here it is called 'every'",
    "{every: 5m, stop: {duration: 1m, daytime: 09:00}}": "3:29: schedule.stop: needs one of duration and daytime: "
    '{duration: 30m} or {daytime: "17:00"}',
    "{every: 5m, valid: {from: 2026-02-01, until: 2026-01-01}}": "3:30: schedule.valid: until 2025-12-31T23:00:00+00:00"
    " must come after from 2026-01-31T23:00:00+00:00",
    "{cron: TZ=UTC 0 3 * * *, tz: UTC}": "3:18: schedule.cron: the time zone stands here and under 'tz'; keep one",
    "{cron: '@daily', args: {x: '1'}}": "3:35: schedule.args.x: the job has no such param",
    "'@daily'\nparams: [x]": "3:11: schedule: gives no value to the param 'x', which has no default; "
    "add it under 'args'",
    "{cron: '@daily', args: {y: '1'}}\nparams: {yy: a}": "3:35: schedule.args.y: the job has no such param; "
    "did you mean 'yy'?",
    "{cron: '@daily', args: {y: '1'}}\nparams: {y: {choices: [a, b]}}": "3:38: schedule.args.y: '1' is not among a, b",
    "'@daily'\nparams: [calendar]": "3:11: schedule: gives no value to the param 'calendar', which has no default; "
    "add it under 'args'",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    """Each mistake is one line at the very text that is wrong."""
    assert [WRONG[text]] == problems_of(tmp_path, f"{GOOD}schedule: {text}")


def test_all_that_is_wrong_is_said(tmp_path: Path) -> None:
    """In each schedule, and in the rest of the job."""
    text = "host: -x\ncommand: b\nschedule:\n- 61 * * * *\n- {every: x, nope: 1}\n- every 1h\n"

    assert ["1:7", "4:3", "5:11", "5:14"] == [line.partition(": ")[0] for line in problems_of(tmp_path, text)]


GIVEN = {
    "'@daily'": "[date, time, daytime, schedule_time, tz]",
    "{type: daily, daytime: 09:30}": "[date, calendar]",
    "{type: daily_interval, start: 09:00, stop: 10:00, interval: 1m}": "[date, sched_date]",
}


@pytest.mark.parametrize("text", GIVEN)
def test_a_schedule_gives_args_of_its_own(tmp_path: Path, text: str) -> None:
    """What it promises to give, its targets have."""
    job = job_of(tmp_path, f"{GOOD}params: {GIVEN[text]}\nschedule: {text}")
    (found,) = job.schedules
    targets = list(islice(found.schedule.after(0.0), 3))

    assert [found.schedule.gives] * 3 == [set(target.args) for target in targets]
    assert {param.name for param in job.params} == set(found.options.run_args(targets[0], GIVEN[text]))


def test_without_a_word_the_zone_is_that_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TZ goes first, as for all programs."""
    (tmp_path / "config.yaml").unlink()
    monkeypatch.setenv("TZ", ":Asia/Kathmandu")
    (found,) = job_of(tmp_path, f"{GOOD}schedule: '@daily'").schedules

    assert Cron("@daily", "Asia/Kathmandu") == found.schedule


def test_a_bad_schedule_stops_no_other_job(tmp_path: Path) -> None:
    """Its own job does not load: half of a job is none."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/bad.yaml").write_text(f"{GOOD}schedule: [every 1h, nope]")
    (tmp_path / "jobs/good.yaml").write_text(f"{GOOD}schedule: every 1h")
    loaded = load_jobs(tmp_path)

    assert ["good"] == list(loaded.jobs)
    assert ["jobs/bad.yaml"] == [problem.file for problem in loaded.problems]
