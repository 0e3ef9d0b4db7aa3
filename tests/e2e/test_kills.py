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
BYTES = bytes(random.Random(7).randbytes(100_000))  # more than comes with a look


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


def refused(made: Lab) -> None:
    """A program that cannot even be tried."""
    if not made.stored():
        made.submit(made.mark(), cwd="/no/such/folder")


def is_refused(made: Lab, run: Shape) -> None:
    assert ("error", "not-started", []) == (run["state"], run["reason"], made.marked())
    assert "/no/such/folder" in run["message"]


STORIES = {
    "by itself": (by_itself, is_by_itself),
    "stopped": (stopped, is_stopped),
    "refused": (refused, is_refused),
}


def told(folder: Path, sshd: Sshd, story: str, **kill: str) -> bool:
    """A story with a kill at some step, gone on with under the next scheduler. Whether the step was ever reached."""
    act, check = STORIES[story]
    with lab(folder, sshd) as made:
        made.start(command=KILLER, KILL_NOTE=str(made.folder / "killed"), **kill)
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


# Every door that a run goes through, in the order in which it does. The numbers of steps would not stay the same.
@pytest.mark.parametrize(
    ("story", "when", "door"),
    [
        ("by itself", "BEFORE", "Link.start"),
        ("by itself", "AFTER", "Link.start"),
        ("by itself", "AFTER", "OutputFiles.write"),
        ("by itself", "AFTER", "OutputFiles.sync"),
        ("by itself", "AFTER", "Link.fetch_bulk"),
        ("by itself", "BEFORE", "Link.clean"),
        ("by itself", "AFTER", "Link.clean"),
        ("by itself", "AFTER", "OutputFiles.finish"),
        ("stopped", "BEFORE", "Link.stop"),
        ("stopped", "AFTER", "Link.stop"),
        ("refused", "BEFORE", "Link.settle"),
        ("refused", "AFTER", "Link.settle"),
    ],
)
def test_kill_and_restart(tmp_path: Path, sshd: Sshd, story: str, when: str, door: str) -> None:
    """A scheduler killed before or after it does something for a run loses nothing, and does nothing twice."""
    assert told(tmp_path, sshd, story, **{f"KILL_{when}": door}), "it was not killed"


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("story", STORIES)
def test_every_step(tmp_path: Path, sshd: Sshd, story: str) -> None:
    """There is no step at which a kill costs anything."""
    at = 1
    while told(tmp_path / str(at), sshd, story, KILL_AT=str(at)):
        at += 1

    assert 20 < at, "hardly any step was reached: the doors are not wired"
