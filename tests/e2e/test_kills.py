"""kill -9 of the scheduler at every step it takes: each run ends as it would have, and ran once."""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sshsched.errors import SchedulerError
from tests.e2e.kit import Lab, Shape, lab
from tests.sshd import Sshd
from tests.support import wait_until

KILLER = (sys.executable, "-m", "tests.e2e.killer")
STRIDE = 9
BYTES = bytes(random.Random(7).randbytes(40_000))


def by_itself(made: Lab) -> None:
    """A program that writes to both streams and fails."""
    if not made.stored():
        (made.folder / "data").write_bytes(BYTES)
        made.submit(f"{made.mark()}; cat {made.folder}/data; echo last >&2; exit 3")


def is_by_itself(made: Lab, run: Shape) -> None:
    assert ("failure", "exited", 3) == (run["state"], run["reason"], run["exit_code"])
    assert (BYTES, b"last\n") == (made.output(run["run"]), made.output(run["run"], "stderr"))
    assert [run["run"]] == made.marked()


def stopped(made: Lab) -> None:
    """A program that tells of its signal, and is stopped while it runs."""
    told = f"trap '{made.mark('signals')}; echo bye' TERM; {made.mark('ready')}"
    if not made.stored():
        made.submit(f"{made.mark()}; {told}; until [ -s {made.marks}/signals ]; do sleep 0.05; done; sleep 1")
    wait_until(lambda: made.marked("ready") or not made.lives(), within=10)
    if made.stored()[0]["stop_asked"] is None:
        made.client.stop(["r1"], grace=20, by="e2e")


def is_stopped(made: Lab, run: Shape) -> None:
    assert ("success", "stopped", 0, "stop") == (run["state"], run["reason"], run["exit_code"], run["cause"])
    assert b"bye\n" == made.output(run["run"])
    assert ([run["run"]], [run["run"]]) == (made.marked(), made.marked("signals"))


STORIES = {"by itself": (by_itself, is_by_itself), "stopped": (stopped, is_stopped)}


def told(folder: Path, sshd: Sshd, story: str, at: int) -> bool:
    """A story with a kill at that step, gone on with under the next scheduler. Whether the step was ever reached."""
    act, check = STORIES[story]
    with lab(folder, sshd) as made:
        made.start(command=KILLER, KILL_AT=str(at), KILL_NOTE=str(made.folder / "killed"))
        with suppress(SchedulerError):  # it died before it answered: what was asked for may be saved or not
            act(made)
            wait_until(lambda: not made.lives() or not made.client.status()["live"], within=30)
        made.kill()
        killed = (made.folder / "killed").exists()
        made.start()
        act(made)
        made.settled()
        (run,) = made.stored()
        check(made, run)
    return killed


@pytest.mark.parametrize("at", range(1, 60, STRIDE))
def test_kill_and_restart(tmp_path: Path, sshd: Sshd, at: int) -> None:
    """A scheduler killed at some step of a run's life loses nothing, and starts nothing twice."""
    told(tmp_path, sshd, "by itself", at)


@pytest.mark.parametrize("at", range(1 + STRIDE // 2, 60, 2 * STRIDE))
def test_kill_and_restart_of_a_stop(tmp_path: Path, sshd: Sshd, at: int) -> None:
    """A scheduler killed at some step of a stop stops the program all the same, with one signal."""
    told(tmp_path, sshd, "stopped", at)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("story", STORIES)
def test_every_step(tmp_path: Path, sshd: Sshd, story: str) -> None:
    """There is no step at which a kill costs anything."""
    at = 1
    while told(tmp_path / str(at), sshd, story, at):
        at += 1

    assert 20 < at, "hardly any step was reached: the doors are not wired"
