"""What `show`, `status`, `runs` and `next` tell people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sshsched.domain.instructions import Save
from sshsched.domain.model import Cause, LogEntry, Outcome, Reason
from sshsched.domain.states import State
from sshsched.store.store import open_store
from tests.cli.driver import Place
from tests.store.samples import run

AT = datetime(2025, 11, 22, 14, 30, tzinfo=UTC).timestamp()
SCHEDULED = run(
    1, State.FAILURE, host="local", job_id="reports/build", args={"region": "us"}, by="schedule", created_at=AT,
    schedule_time=AT, started_at=AT + 90, finished_at=AT + 93.2, outcome=Outcome(exit_code=3), cleaned=True,
)  # fmt: skip
JOB = "host: local\ncommand: 'true'\nschedule: {type: daily, daytime: 09:30, tz: America/New_York}\n"


@pytest.fixture
async def stored(tmp_path: Path) -> Place:
    """A run that a schedule has made, and its job."""
    place = Place(tmp_path)
    entry = LogEntry(1, AT + 93.2, State.RUNNING, State.FAILURE, Reason.EXITED, "exit 3")
    async with open_store(place.state) as store:
        await store.commit([Save(SCHEDULED, None, (entry,))])
    (place.config / "jobs/reports").mkdir(parents=True)
    (place.config / "jobs/reports/build.yaml").write_text(JOB)
    return place


async def test_times_in_the_zone_of_the_run(stored: Place) -> None:
    """Of its schedule, in UTC, and how long ago; how late it began; and plain text for a pipe."""
    shown = stored("show", "r1").text

    assert re.search(r"^due +2025-11-22 09:30:00 -0500 America/New_York  2025-11-22 14:30:00Z  \d+ d ago$", shown, re.M)
    assert re.search(r"^late +it began 1 m 30 s after its time$", shown, re.M)
    assert re.search(r"^state +failure: exit 3 after 3.2 s$", shown, re.M)
    assert "2025-11-22 09:31:33 -0500 America/New_York   +1 m 33 s  running -> failure (exited): exit 3" in shown
    assert "\x1b" not in shown


async def test_the_past_outlives_its_job(stored: Place) -> None:
    """Where the job is gone, or cannot be read, times are those of this machine."""
    (stored.config / "jobs/reports/build.yaml").write_text("nonsense: [")
    done = stored("show", "r1", env={"TZ": "UTC"})

    assert 0 == done.code
    assert re.search(r"^due +2025-11-22 14:30:00 \+0000  \d+ d ago$", done.text, re.M)


async def test_on_a_terminal(stored: Place) -> None:
    """States have marks and colours, and arguments are columns; with NO_COLOR there are only the marks."""
    _, shown = stored.on_terminal("show", "r1")
    _, listed = stored.on_terminal("runs", "job:reports/build")
    _, stats = stored.on_terminal("runs", "--stats")
    stored.env["NO_COLOR"] = "1"
    _, plain = stored.on_terminal("runs", "--stats")
    _, uncoloured = stored.on_terminal("runs")

    assert "\x1b[31m✘ failure: exit 3 after 3.2 s\x1b[0m" in shown
    assert "\x1b[1mreports/build\x1b[0m" == listed.splitlines()[0]
    assert "REGION" in listed
    assert "\x1b[31m█\x1b[0m" in stats
    assert "\x1b" not in plain + uncoloured
    assert ("x", "✘ failure") == (plain.split()[-1], " ".join(uncoloured.splitlines()[-1].split()[1:3]))


async def test_wrong_words_are_one_line(stored: Place) -> None:
    """What cannot be meant is named, with its place and what is near."""
    done = [stored("runs", *words) for words in (["is:failed", "hots:x"], ["--sort", "tok"], ["--columns", "+hots"])]

    assert [2, 2, 2] == [each.code for each in done]
    assert [
        "sshsched: filter: 'hots:x' at character 11: unknown 'hots'; did you mean 'host'?; "
        "a text with a colon goes in quotes\n",
        "sshsched: --sort: unknown 'tok'; did you mean 'took'?\n",
        "sshsched: --columns: unknown 'hots'; did you mean 'host'?\n",
    ] == [each.err for each in done]


@pytest.mark.parametrize(("cause", "told"), [(None, True), (Cause.STOP, False), (Cause.TIMEOUT, False)])
async def test_what_a_program_leaves_behind(tmp_path: Path, cause: Cause | None, told: bool) -> None:
    """Processes that outlived a program are told, but not those that its stop has ended since."""
    place = Place(tmp_path)
    outcome = Outcome(exit_code=0, cause=cause, leftover=True)
    ended = run(1, State.FAILURE, host="local", started_at=AT, finished_at=AT + 1, outcome=outcome, cleaned=True)
    entry = LogEntry(1, AT + 1, State.RUNNING, State.FAILURE, Reason.EXITED, "")
    async with open_store(place.state) as store:
        await store.commit([Save(ended, None, (entry,))])

    assert told == ("left over" in place("show", "r1").text)
