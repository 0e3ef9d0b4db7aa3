"""The folder `calendars/`."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from sshsched.config.calendars import load_calendars
from sshsched.config.jobs import load_job, load_jobs
from sshsched.errors import ConfigError
from tests.config.reading import write

HOLIDAYS = "START 2026-01-01\nSTOP 2027-01-01\n2026-07-04\n2026-12-25 Christmas\n"


def put(folder: Path, **files: str) -> Path:
    """Files in calendars/, with _ for the last dot of their names."""
    (folder / "calendars").mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, kind = name.rpartition("_")
        (folder / "calendars" / f"{stem}.{kind}").write_text(text)
    return folder


def test_dates_and_expressions(tmp_path: Path) -> None:
    """Expressions use written calendars and each other, whichever file they are in."""
    put(tmp_path, holidays_cal=HOLIDAYS, a_yaml="open: workdays or Sat\n", b_yaml="workdays: Mon-Fri except holidays")
    loaded = load_calendars(tmp_path)

    assert [] == loaded.problems
    assert ["holidays", "open", "workdays"] == sorted(loaded.calendars)
    assert [False, True] == [day in loaded.calendars["workdays"] for day in (date(2026, 12, 25), date(2026, 12, 24))]
    assert date(2026, 12, 26) in loaded.calendars["open"]


def test_a_job_uses_them(tmp_path: Path) -> None:
    """By their names, also within an expression; so does a job that is loaded alone."""
    put(write(tmp_path, job="host: a\ncommand: b\nschedule: {type: daily, daytime: 09:30, calendar: all except free}"))
    put(tmp_path, free_cal=HOLIDAYS)

    assert [] == load_jobs(tmp_path).problems
    assert load_jobs(tmp_path).jobs["job"] == load_job(tmp_path, "job")


WRONG = {
    "bad_cal": ("START 2026-01-01\n2026-02-30\n", "calendars/bad.cal:2:1: '2026-02-30' is no date; "),
    "empty_cal": ("", "calendars/empty.cal:1:1: no dates; "),
    "Mon_cal": (HOLIDAYS, "calendars/Mon.cal:1:1: 'Mon' cannot name a calendar; "),
    "bad_yaml": ("a: Mon-Fri excpt x", "calendars/bad.yaml:1:4: a: 'excpt' stands where 'or' or 'except' should"),
    "twice_yaml": ("a: Mon\na: Tue", "calendars/twice.yaml:2:1: a: stands here twice"),
    "list_yaml": ("a: [Mon]", "calendars/list.yaml:1:4: a: a list stands where a text should be"),
    "circle_yaml": ("a: Mon or a", "calendars/circle.yaml:1:4: a: calendars use each other in a circle: a -> a"),
    "notes_txt": ("hello", "calendars/notes.txt:1:1: no calendar; dates belong in NAME.cal"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, name: str) -> None:
    """With its place; the other calendars are there."""
    text, message = WRONG[name]
    put(tmp_path, good_cal=HOLIDAYS, **{name: text})
    loaded = load_calendars(tmp_path)

    assert "good" in loaded.calendars
    assert [True] == [str(problem).startswith(message) for problem in loaded.problems]
    assert loaded.problems == load_jobs(tmp_path).problems


def test_a_name_may_stand_once(tmp_path: Path) -> None:
    """In all files together."""
    put(tmp_path, a_yaml="x: Mon", b_yaml="x: Tue", c_yaml="d: Mon", d_cal=HOLIDAYS)

    assert [
        "calendars/b.yaml:1:1: x: is also in calendars/a.yaml; rename one of them",
        "calendars/c.yaml:1:4: d: calendar 'd' is there twice; rename one",
    ] == [str(problem) for problem in load_calendars(tmp_path).problems]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """And one that has not changed is not."""
    put(tmp_path, a_cal="2026-01-01")
    before = load_calendars(tmp_path)
    again = load_calendars(tmp_path)
    put(tmp_path, a_cal="2026-01-02")
    os.utime(tmp_path / "calendars/a.cal", (1, 1))

    assert before is again
    assert [date(2026, 1, 2)] == [load_calendars(tmp_path).calendars["a"].start]


def test_a_job_says_why_its_calendar_is_not_there(tmp_path: Path) -> None:
    """Whoever asks for the job is told of the calendar's own problem, too."""
    put(write(tmp_path, job="host: a\ncommand: b\nschedule: {type: daily, daytime: 09:30, calendar: free}"))
    put(tmp_path, free_cal="nonsense")
    with pytest.raises(ConfigError) as raised:
        load_job(tmp_path, "job")

    assert ["calendars/free.cal", "jobs/job.yaml"] == [problem.file for problem in raised.value.problems]


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    """And costs nothing."""
    assert ({}, []) == load_calendars(tmp_path)
