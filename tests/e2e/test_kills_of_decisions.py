"""kill -9 of a whole scheduler while runs are tried again, follow each other, wait for each other and for a lock."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from sshsched.errors import SchedulerError
from tests.e2e.kit import Lab, Shape, lab
from tests.sshd import Sshd
from tests.support import wait_until

KILLER = (sys.executable, "-m", "tests.e2e.killer")
STRIDE = 21
OK = ["success"]


def draft(made: Lab, job: str, command: str = "", **plan: object) -> Shape:
    """A run that notes that it began, and does as it is told."""
    program = {"command": f"{made.mark()}; {command or 'true'}"}
    return {"host": "box", "program": program, "job": job, "by": "e2e", "plan": plan}


def begin(made: Lab) -> None:
    """A run that fails once, one that follows it, two that wait for that one and share a lock, and a workflow."""
    (made.config / "jobs").mkdir(exist_ok=True)
    (made.config / "jobs" / "second.yaml").write_text(f"host: box\ncommand: '{made.mark()}'\n")
    follows = {"kind": "schedule", "options": {"job": "second"}, "on": ["success"]}
    tells = {"kind": "exec", "options": {"command": f'echo "$SSHSCHED_NOTICE" >>{made.folder}/told'}, "on": ["success"]}
    waits = {"kind": "dependency", "options": {"job": "second"}}
    once = f"mkdir {made.folder}/failed || exit 0; exit 3"
    steps = [
        {"name": name, "host": "box", "program": {"command": made.mark()}, "needs": list(needs)}
        for name, needs in (("a", ""), ("b", "a"), ("c", "ab"))
    ]
    with suppress(SchedulerError):  # it died before it answered: what was asked for may be saved or not
        if not made.stored():
            made.client.submit(
                [
                    *[draft(made, "after", conditions=[waits], locks={"db": 1})] * 2,
                    draft(made, "flaky", once, retry={"count": 1, "delay": 0.1}, actions=[follows, tells]),
                    {**draft(made, "steps", flow={"steps": steps}), "host": "", "program": {}},
                ]
            )


def has_ended(made: Lab) -> bool:
    """Whether all that follows has been made, has ended, and is told of."""
    return len(made.stored()) == 9 and not made.client.status()["live"] and (made.folder / "told").exists()


def killed(folder: Path, sshd: Sshd, at: int) -> bool:
    """All of it, with a kill at that step, gone on with by the next scheduler. Whether the step was ever reached."""
    with lab(folder, sshd) as made:
        made.start(command=KILLER, KILL_AT=str(at), KILL_NOTE=str(made.folder / "killed"))
        begin(made)
        with suppress(SchedulerError):
            wait_until(lambda: not made.lives() or has_ended(made), within=60)
        made.kill()
        made.start()
        begin(made)
        wait_until(lambda: has_ended(made), within=60)
        ends: dict[str, list[str]] = {}
        for run in made.stored():
            ends.setdefault(run["step"] or run["job"], []).append(run["state"])
        programs = [run["run"] for run in made.stored() if run["job"] != "steps" or run["step"]]

        assert {
            "after": OK * 2,
            "flaky": ["failure", *OK],
            "second": OK,
            "steps": OK,
            "a": OK,
            "b": OK,
            "c": OK,
        } == ends
        assert Counter(programs) == Counter(made.marked()), "a program was started twice, or never"
        assert 1 == len(set((made.folder / "told").read_text().split()))
        return (made.folder / "killed").exists()


@pytest.mark.parametrize("at", range(5, 105, STRIDE))
def test_kill_and_restart(tmp_path: Path, sshd: Sshd, at: int) -> None:
    """A scheduler killed at some step of many runs' lives makes nothing twice, and forgets nobody."""
    assert killed(tmp_path, sshd, at), "it was not killed"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_third_step(tmp_path: Path, sshd: Sshd) -> None:
    """There is no step at which a kill costs anything."""
    at = 1
    while killed(tmp_path / str(at), sshd, at):
        at += 3

    assert 60 < at, "hardly any step was reached: the doors are not wired"
