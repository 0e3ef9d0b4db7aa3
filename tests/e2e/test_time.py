"""Schedules in whole scheduler processes, on the host `local`: killed, restarted, and with files that change."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.e2e.kit import Lab, Shape, lab
from tests.support import wait_until

KILLER = (sys.executable, "-m", "tests.e2e.killer")
STRIDE = 9


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Lab]:
    """A lab without other hosts; no scheduler runs yet."""
    with lab(tmp_path) as made:
        (made.config / "jobs").mkdir()
        yield made


def write(made: Lab, name: str, text: str) -> None:
    """A job file, whole at once."""
    path = made.config / "jobs" / f"{name}.yaml"
    path.with_suffix(".new").write_text(f"host: local\n{text}\n")
    path.with_suffix(".new").rename(path)


def every_second(made: Lab) -> None:
    """A job that notes, of each run, for which time it is."""
    write(made, "tick", f"schedule: {{every: 1s, catch_up: all}}\ncommand: {made.mark()}")


def quiet(made: Lab) -> None:
    """No runs come any more, and those that came have ended."""
    for path in (made.config / "jobs").glob("*.yaml"):
        path.unlink()
    made.client.reload()
    made.settled()


def of(made: Lab, name: str) -> list[Shape]:
    """The runs of a job, oldest first."""
    return [run for run in made.stored() if run["job"] == name]


def seconds(runs: list[Shape]) -> list[float]:
    return [datetime.fromisoformat(run["schedule_time"]).timestamp() for run in runs]


def none_lost_or_doubled(made: Lab) -> None:
    """Each second from the first to the last has one run, and each run's program ran once."""
    runs = of(made, "tick")
    times = seconds(runs)

    assert [times[0] + number for number in range(len(times))] == times
    assert {"success"} == {run["state"] for run in runs}
    assert sorted(run["run"] for run in runs) == sorted(made.marked())


def test_killed_again_and_again(here: Lab) -> None:
    """A job every second under a scheduler that is killed in between: no second is lost, and none runs twice."""
    every_second(here)
    for count in (2, 4, 6, 8):
        here.start()
        wait_until(lambda: len(here.marked()) >= count, within=15)  # noqa: B023
        here.kill()
    here.start()
    quiet(here)

    none_lost_or_doubled(here)


@pytest.mark.parametrize("at", range(1, 50, STRIDE))
def test_killed_at_a_step(here: Lab, at: int) -> None:
    """The same for a kill at any step of the scheduler's work."""
    every_second(here)
    here.start(command=KILLER, KILL_AT=str(at))
    wait_until(lambda: not here.lives() or len(here.marked()) > 5, within=30)
    here.kill()
    here.start()
    before = len(here.marked())
    wait_until(lambda: len(here.marked()) > before + 1, within=15)
    quiet(here)

    none_lost_or_doubled(here)


def test_files_are_followed(here: Lab) -> None:
    """A new, a changed, a broken and a removed file are taken up soon, by themselves."""
    here.start()
    write(here, "a", f"schedule: every 1s\ncommand: {here.mark('old')}")
    wait_until(lambda: here.marked("old"), within=15)
    write(here, "a", f"schedule: every 1s\ncommand: {here.mark('new')}")
    wait_until(lambda: here.marked("new"), within=15)
    write(here, "a", "comand: false")
    wait_until(lambda: here.client.status()["jobs"]["problems"], within=15)
    before = len(here.marked("new"))
    wait_until(lambda: len(here.marked("new")) > before + 1, within=15)
    broken = here.cli("status")
    (here.config / "jobs" / "a.yaml").unlink()
    wait_until(lambda: here.client.status()["jobs"]["count"] == 0, within=15)
    here.settled()
    before = len(here.stored())
    write(here, "b", "schedule: every 1s\ncommand: 'true'")
    wait_until(lambda: of(here, "b"), within=15)
    quiet(here)

    assert "jobs/a.yaml:2:1: " in broken.stdout
    assert before == len(of(here, "a"))


def test_reload(here: Lab) -> None:
    """After `reload` the scheduler has the files as they were when it was typed; problems end it with 2."""
    for name in ("same", "gone"):
        write(here, name, "command: 'true'")
    here.start()
    wait_until(lambda: here.client.status()["jobs"]["count"] == 2)
    write(here, "new", "command: 'true'\nschedule: every 9d")
    (here.config / "jobs" / "gone.yaml").unlink()
    good = here.cli("reload")
    after = here.client.status()["jobs"]
    write(here, "same", "nonsense: yes")
    bad = here.cli("reload")
    dry = here.cli("reload", "--dry-run", "--json")

    assert 0 == good.returncode
    assert (2, 1, "new", []) == (after["count"], after["schedules"], after["next"]["job"], after["problems"])
    assert (2, "! same\n2 jobs\n") == (bad.returncode, bad.stdout)
    assert "jobs/same.yaml:2:1: " in bad.stderr
    assert (["same"], True) == (json.loads(dry.stdout)["kept"], json.loads(dry.stdout)["dry_run"])


def test_stop_times(here: Lab) -> None:
    """A schedule's stop ends the program on its host, and a rerun gets a stop of its own."""
    write(here, "long", "command: sleep 60\nschedule: {every: 3s, stop: 1s}")
    here.start()
    wait_until(lambda: of(here, "long"), within=15)
    run = of(here, "long")[0]["run"]
    (here.config / "jobs" / "long.yaml").unlink()
    here.client.reload()
    ended = here.finished(run)
    again = here.finished(here.client.rerun([run], same=True)[0]["run"])
    here.settled()

    for each in (ended, again):
        assert ("failure", "stopped", 15, "stop") == (each["state"], each["reason"], each["signal"], each["cause"])
        assert f"its stop time, {each['stop_at']}, came" in each["message"]
        assert 3 > each["elapsed"]
    assert ended["stop_at"] < again["stop_at"]


def test_a_stop_time_that_comes_too_early(here: Lab) -> None:
    """A run whose stop time comes while it waits for its host is never started, and says why."""
    write(here, "never", "command: 'true'\nschedule: {every: 3s, stop: 1s}")
    (here.config / "jobs" / "never.yaml").write_text(
        "host: nowhere.invalid\ncommand: 'true'\nschedule: {every: 3s, stop: 1s}\n"
    )
    here.start()
    wait_until(lambda: of(here, "never"), within=15)
    run = of(here, "never")[0]["run"]
    (here.config / "jobs" / "never.yaml").unlink()
    here.client.reload()
    ended = here.finished(run)

    assert ("error", "not-started") == (ended["state"], ended["reason"])
    assert f"its stop time, {ended['stop_at']}, came before it could start" in ended["message"]


def test_ad_hoc_schedulers_run_no_schedules(here: Lab) -> None:
    """A scheduler that `run` has started leaves schedules alone, and says so."""
    every_second(here)
    here.start("--adhoc")
    here.finished(here.submit("true", "local")[0])
    refused = here.cli("reload")
    here.settled()

    assert 1 == refused.returncode
    assert "`sshsched serve` takes over" in refused.stderr
    assert [] == of(here, "tick")
