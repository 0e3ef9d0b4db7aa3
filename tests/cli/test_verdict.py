"""Exit codes for scripts and sentences for people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sshsched.cli.verdict import ending, exit_code, last_word, standing, work
from sshsched.domain.model import Cause, Outcome, Reason, Run
from sshsched.domain.program import Program
from sshsched.domain.shape import run_shape
from sshsched.domain.states import State

RUN = Run(id=12, host="nas", program=Program(command="true"), created_at=1000.0, state=State.RUNNING, started_at=1000.0)


def ended(state: State, reason: Reason = Reason.EXITED, message: str = "", **outcome: Any) -> dict[str, Any]:
    run = replace(RUN, state=state, reason=reason, message=message, finished_at=1003.25)
    return run_shape(replace(run, outcome=Outcome(**outcome)) if outcome else run)


CASES = [
    (0, "success after 3.2 s", ended(State.SUCCESS, exit_code=0)),
    (0, "success: exit 3 after 3.2 s", ended(State.SUCCESS, exit_code=3)),
    (3, "failure: exit 3 after 3.2 s", ended(State.FAILURE, exit_code=3)),
    (
        0,
        "success: by-hand: marked by ann; it was failure: exit 3",
        ended(State.SUCCESS, Reason.BY_HAND, "marked by ann; it was failure: exit 3", exit_code=3),
    ),
    (255, "failure: exit 255 after 3.2 s", ended(State.FAILURE, exit_code=255)),
    (1, "failure after 3.2 s", ended(State.FAILURE, exit_code=0)),
    (137, "failure: signal KILL after 3.2 s", ended(State.FAILURE, Reason.SIGNALLED, signal=9)),
    (
        143,
        "failure: exit 143 (or a signal: this host cannot tell) after 3.2 s",
        ended(State.FAILURE, exit_code=143, certain=False),
    ),
    (
        124,
        "failure: signal TERM, it reached its timeout after 3.2 s",
        ended(State.FAILURE, Reason.TIMEOUT, signal=15, cause=Cause.TIMEOUT),
    ),
    (
        143,
        "failure: signal TERM, it was stopped after 3.2 s",
        ended(State.FAILURE, Reason.STOPPED, signal=15, cause=Cause.STOP),
    ),
    (255, "error: not-started: host nas: refused", ended(State.ERROR, Reason.NOT_STARTED, "host nas: refused")),
    (255, "error: host-refused: no such folder", ended(State.ERROR, Reason.HOST_REFUSED, "no such folder")),
    (69, "error: lost", ended(State.ERROR, Reason.LOST)),
    (69, "error: rebooted", ended(State.ERROR, Reason.REBOOTED)),
    (69, "error: spool-gone", ended(State.ERROR, Reason.SPOOL_GONE)),
    (125, "error: config", ended(State.ERROR, Reason.CONFIG)),
    (125, "skipped: by-hand", ended(State.SKIPPED, Reason.BY_HAND)),
]


@pytest.mark.parametrize(("code", "sentence", "run"), CASES)
def test_one_run_speaks_for_itself(code: int, sentence: str, run: dict[str, Any]) -> None:
    """The exit code of one waited run is the design's; the sentence says how it ended and in how long."""
    assert code == exit_code([run])
    assert sentence == ending(run)


def test_several_runs_only_say_if_all_is_well() -> None:
    """1 if any did not succeed."""
    good, bad = ended(State.SUCCESS, exit_code=0), ended(State.FAILURE, exit_code=7)

    assert 0 == exit_code([good, good])
    assert 1 == exit_code([good, bad])


def test_the_last_word() -> None:
    """One run says how it ended and where; several how many succeeded, and which did not and why."""
    good, bad = ended(State.SUCCESS, exit_code=0), ended(State.FAILURE, exit_code=7)
    lost = {**ended(State.ERROR, Reason.LOST), "run": "r4"}

    assert "r12 failure: exit 7 after 3.2 s on nas" == last_word([bad])
    assert "r4 on nas error: lost" == last_word([lost])
    assert "all 2 succeeded" == last_word([good, good])
    assert "1 of 3 succeeded; r12 failure: exit 7, r4 error: lost" == last_word([good, bad, lost])
    assert last_word([bad] * 9).endswith(" and 4 more")


def test_where_a_run_stands() -> None:
    """A live run says what holds it, and for how long it has been out of sight."""
    waiting = replace(RUN, state=State.WAITING, waiting_since=1000.0, started_at=None, message="connection refused")
    cut = replace(RUN, unreachable_since=1090.0, message="link lost")

    assert "waiting for 12 s: connection refused" == standing(run_shape(waiting), 1012.0)
    assert "running for 1 m 40 s, unreachable for 10 s: link lost" == standing(run_shape(cut), 1100.0)


def test_what_a_host_said_is_harmless() -> None:
    """Escape sequences in a message do not reach the terminal."""
    assert "error: lost: \\x1b[2J" == ending(ended(State.ERROR, Reason.LOST, "\x1b[2J"))


def test_the_work_is_one_line() -> None:
    """A command as typed, words quoted for a shell, a job with its args."""
    words = replace(RUN, program=Program(argv=("echo", "a b", "c\n")))
    job = replace(RUN, job_id="backup", args={"disk": "a"})

    assert "true" == work(run_shape(RUN))
    assert "echo 'a b' 'c\\n'" == work(run_shape(words))
    assert "backup disk=a" == work(run_shape(job))
