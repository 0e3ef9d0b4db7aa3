"""Dates, times and calendars in templates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sshsched.config.renderer import renderer
from sshsched.config.templates import faults, render
from sshsched.domain.program import Program
from sshsched.errors import UsageError
from sshsched.kinds.jobs import Job, bind

VALUES = {"date": "2026-11-23", "schedule_time": "2026-11-23T08:30:00+00:00", "job_id": "a/b"}
FILLED = {
    "{{ Date(date) - 1 }}": "2026-11-22",
    "{{ Date(date) + 30 }}": "2026-12-23",
    "{{ Date(date) - Date('2026-11-01') }}": "22",
    "{{ Date(date).strftime('%Y%m%d') }}": "20261123",
    "{{ Date(date).weekday() }}": "0",
    "{{ get_calendar('Mon-Fri').shift(date, -1) }}": "2026-11-20",
    "{{ get_calendar('workdays').shift(date, 3) }}": "2026-11-27",
    "{{ get_calendar('workdays').after('2026-11-26') }}": "2026-11-27",
    "{{ get_calendar('workdays').before(Date('2026-11-29')) }}": "2026-11-27",
    "{{ '2026-11-26' in get_calendar('workdays') }}": "False",
    "{{ get_calendar('workdays') }}": "Mon-Fri except free",
    "{{ to_local(schedule_time, 'America/New_York').date }}": "2026-11-23",
    "{{ to_local(schedule_time, TimeZone('America/New_York')).daytime }}": "03:30:00",
    "{{ Time(schedule_time).hour }}": "8",
    "{{ from_local(date, Daytime('09:30'), 'Europe/Berlin') }}": "2026-11-23T08:30:00+00:00",
    "{{ from_local(date, '09:30', 'Europe/Berlin') }}": "2026-11-23T08:30:00+00:00",
    "{{ job_id }} {{ schedule_time }}": "a/b 2026-11-23T08:30:00+00:00",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a calendar."""
    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars/free.cal").write_text("START 2026-01-01\nSTOP 2027-01-01\n2026-11-26\n")
    (tmp_path / "calendars/work.yaml").write_text("workdays: Mon-Fri except free")
    return tmp_path


@pytest.mark.parametrize("text", FILLED)
def test_templates_reckon_with_dates(folder: Path, text: str) -> None:
    """The names and meanings are ora's."""
    assert [] == faults(text, ["date"])
    assert FILLED[text] == renderer(folder)(text, VALUES)


REFUSED = {
    "{{ Date('soon') }}": "'soon' is no date; dates are written like 2026-11-22",
    "{{ get_calendar('workdys') }}": "calendar: unknown 'workdys'; did you mean 'workdays'?",
    "{{ get_calendar('workdays').shift(date, 100) }}": "calendar 'Mon-Fri except free' does not reach so far from "
    "2026-11-23",
    "{{ Time('soon') }}": "'soon' is no date and time; write 2024-03-10T02:30 or 2024-03-10T02:30Z",
    "{{ to_local(schedule_time, 'Mars') }}": "time zone: unknown 'Mars'",
    "{{ from_local('2026-03-29', '02:30', 'Europe/Berlin') }}": "'2026-03-29T02:30:00' does not exist in Europe/Berlin",
    "{{ Daytime('25:00') }}": "'25:00' is no time of day",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_reckoned_is_said(folder: Path, text: str) -> None:
    """No template puts None into a command."""
    with pytest.raises(ValueError, match=f"^the template fails: {re.escape(REFUSED[text])}"):
        renderer(folder)(text, VALUES)


def test_a_run_is_told_when_it_was_due() -> None:
    """`bind` gives job_id and schedule_time; where no time is known, asking for it is an error; a param goes before."""
    job = Job("a", "h", Program(command="{{ job_id }} {{ schedule_time }}"))

    assert "a 2026-11-23T08:30:00+00:00" == bind(job, {}, render, 1795422600.0).program.command
    with pytest.raises(UsageError, match="'schedule_time' is undefined"):
        bind(job, {}, render)
