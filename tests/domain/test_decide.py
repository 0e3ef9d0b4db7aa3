"""What follows from each event in each state: the whole table, and the decisions that have a story."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from sshsched.domain.decide import decide
from sshsched.domain.events import (
    Advanced,
    Asked,
    Claim,
    Cleaned,
    Considered,
    Delivered,
    Event,
    Extracted,
    FailedWanted,
    Fetched,
    HoldWanted,
    HostDown,
    HostUp,
    Learnt,
    MarkWanted,
    Moved,
    ReleaseWanted,
    Report,
    Reported,
    Restarted,
    StartRefused,
    StartWanted,
    StopWanted,
    Submitted,
    Swept,
    TimePassed,
    Told,
    Woken,
)
from sshsched.domain.instructions import Instruction, Notice, Save
from sshsched.domain.model import Cause, Outcome, Output, Reason, Run, Spool, StopAsked
from sshsched.domain.plan import Deed
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.domain.view import Fact, HostView
from sshsched.engine.board import Board

T0, NOW = 1000.0, 1005.0
ASKED = StopAsked(T0, "ann", grace=1.0)
LATER = StopAsked(NOW, "bob", signal="INT", grace=9.0)
HERE = Output(3, 0, complete=True)


def run_in(state: State, number: int = 1) -> Run:
    """A run as it usually is in this state."""
    run = Run(number, "box", Program(command="x"), T0, state, "box", key="k", schedule_time=None, waiting_since=T0)
    if state is State.SCHEDULED:
        return replace(run, schedule_time=NOW - 1, waiting_since=None)
    if state is State.WAITING:
        return replace(run, ready_since=T0)
    run = replace(run, spool=Spool(f"/spool/r{number}-k", "boot"), starting_since=T0)
    if state is State.STARTING:
        return run
    run = replace(run, started_at=T0, pid=7)
    if state is State.STOPPING:
        return replace(run, stop_asked=ASKED)
    return run if state is State.RUNNING else replace(run, finished_at=T0)


def board_of(*runs: Run, up: bool = True, slots: int | None = None) -> Board:
    board = Board(runs)
    board.set_host(HostView("box", slots=slots, up=up, boot="boot", spool="/spool"))
    return board


def told(state: State, event: Event) -> str:
    """The instructions in one line: `running Look` for a save in that state, then a look."""
    board = board_of(run_in(state))
    return " ".join(_word(each) for each in decide(board.view, event))


def _word(step: Instruction) -> str:
    return str(step.run.state) if isinstance(step, Save) else type(step).__name__


def report(claim: Claim = Claim.PROGRAM, **more: object) -> Report:
    claimed = claim is Claim.PROGRAM
    return replace(Report("boot", claim=claim, pid=7 if claimed else None, started_at=T0 if claimed else None), **more)  # type: ignore[arg-type]


def reported(claim: Claim = Claim.PROGRAM, **more: object) -> Reported:
    return Reported(NOW, 1, report(claim, **more))


S, W, B, R, P, F = (
    State.SCHEDULED,
    State.WAITING,
    State.STARTING,
    State.RUNNING,
    State.STOPPING,
    State.SUCCESS,
)

NOTICE = Notice("n1", Deed("notify"), "failure", {}, NOW)

# One line per event; a state that is not listed takes no notice of it.
TABLE: list[tuple[str, Event, dict[State, str]]] = [
    ("restarted", Restarted(NOW), {W: "Reconsider"}),
    ("woken", Woken(NOW, (1,)), {S: "waiting", W: "Reconsider"}),
    ("woken much later", Woken(T0 + 3600, (1,)), {S: "waiting", W: "error Consider"}),
    ("asked", Asked(NOW, 1), {W: "starting Start"}),
    ("considered", Considered(NOW, "box"), {W: "starting Start Consider"}),
    ("moved", Moved(NOW, None, run_in(State.SUCCESS)), {}),
    ("advanced", Advanced(NOW, 1), {}),
    ("extracted", Extracted(NOW, 7, 1, {}), {}),
    ("told", Told(NOW, (), ()), {}),
    ("delivered", Delivered(NOW, NOTICE), dict.fromkeys((S, W, B, R, P, F), "SaveNotice")),
    ("learnt", Learnt(NOW, "probe:box:true", Fact(NOW, True)), dict.fromkeys((S, W, B, R, P, F), "Stir")),
    ("held", HoldWanted(NOW, (1,), (), "ann"), {S: "scheduled Reconsider", W: "waiting Reconsider"}),
    ("released", ReleaseWanted(NOW, (1,), ("*",), "ann"), dict.fromkeys((S, W, B, R, P, F), "SaveHold Stir")),
    ("started by hand", StartWanted(NOW, (1,), "ann"), {S: "waiting", W: "waiting Reconsider"}),
    ("marked", MarkWanted(NOW, (run_in(State.SUCCESS),), State.FAILURE, "ann"), {F: "failure"}),
    (
        "host up",
        HostUp(NOW, "box", "boot", "/spool"),
        {
            S: "Stir Consider", W: "Stir Consider", B: "Start Look Stir Consider", R: "Look Stir Consider",
            P: "Look Stir Consider", F: "Fetch Stir Consider",
        },
    ),
    (
        "host up, rebooted",
        HostUp(NOW, "box", "boot-2", "/spool"),
        {
            S: "Stir Consider", W: "Stir Consider", B: "Look Stir Consider", R: "Look Stir Consider",
            P: "Look Stir Consider", F: "Fetch Stir Consider",
        },
    ),
    (
        "host down",
        HostDown(NOW, "box", "no route"),
        {
            S: "Stir Consider", W: "Stir Consider", B: "starting Stir Consider", R: "running Stir Consider",
            P: "stopping Stir Consider", F: "Stir Consider",
        },
    ),
    ("start refused", StartRefused(NOW, 1, "disk full"), {B: "starting Seal"}),
    ("nothing there", reported(Claim.NONE, exists=False), {R: "error Clean Consider", P: "error Clean Consider"}),
    ("no claim yet", reported(Claim.NONE), {R: "error Clean Consider", P: "error Clean Consider"}),
    (
        "no claim for long",
        Reported(T0 + 11, 1, report(Claim.NONE)),
        {B: "Start", R: "error Clean Consider", P: "error Clean Consider"},
    ),
    (
        "no claim, and too late",
        Reported(T0 + 3601, 1, report(Claim.NONE)),
        {B: "Seal", R: "error Clean Consider", P: "error Clean Consider"},
    ),
    (
        "an older look without a claim",
        Reported(NOW, 1, report(Claim.NONE), knew=False),
        {R: "Look", P: "Look"},
    ),
    (
        "sealed",
        reported(Claim.SEALED),
        {B: "error Clean Consider", R: "error Clean Consider", P: "error Clean Consider"},
    ),
    ("it lives", reported(alive=True), {B: "running", P: "StopProgram"}),
    ("it lives, just asked to stop", Reported(T0 + 1, 1, report(alive=True)), {B: "running"}),
    ("it lives, says the stop itself", Reported(NOW, 1, report(alive=True), sealing=True), {B: "running"}),
    ("it is being stopped", reported(alive=True, stopping=Cause.TIMEOUT), {B: "running stopping", R: "stopping"}),
    (
        "it survives",
        reported(alive=True, stopping=Cause.STOP, stop_done=True, survivors=(7,)),
        {B: "running stopping", R: "stopping", P: "stopping"},
    ),
    (
        "its ladder has vanished",
        Reported(T0 + 40, 1, report(alive=True, stopping=Cause.STOP)),
        {B: "running stopping", R: "stopping", P: "stopping StopProgram"},
    ),
    (
        "it is gone without a word",
        reported(),
        dict.fromkeys((B, R, P), "error Fetch Consider"),
    ),
    ("it ended well", reported(outcome=Outcome(exit_code=0)), dict.fromkeys((B, R, P), "success Fetch Consider")),
    ("it ended badly", reported(outcome=Outcome(exit_code=1)), dict.fromkeys((B, R, P), "failure Fetch Consider")),
    (
        "it ended well, at its timeout",
        reported(outcome=Outcome(exit_code=0, cause=Cause.TIMEOUT), stopping=Cause.TIMEOUT, stop_done=True),
        dict.fromkeys((B, R, P), "failure Fetch Consider"),
    ),
    (
        "it ended, its tree has not",
        reported(outcome=Outcome(signal=15), stopping=Cause.STOP),
        {B: "stopping", R: "stopping"},
    ),
    (
        "it ended, and all is here",
        Reported(NOW, 1, report(outcome=Outcome(exit_code=0)), HERE),
        dict.fromkeys((B, R, P), "success Clean Consider"),
    ),
    ("rebooted", Reported(NOW, 1, replace(report(), boot="boot-2")), dict.fromkeys((B, R, P), "error Fetch Consider")),
    (
        "rebooted after its end",
        Reported(NOW, 1, replace(report(outcome=Outcome(exit_code=0)), boot="boot-2")),
        dict.fromkeys((B, R, P), "success Fetch Consider"),
    ),
    (
        "fetched",
        Fetched(NOW, 1, HERE),
        {S: "scheduled", W: "waiting", B: "starting", R: "running", P: "stopping", F: "success Clean"},
    ),
    (
        "stop wanted",
        StopWanted((1,), LATER),
        {
            S: "skipped Consider", W: "skipped Consider", B: "stopping StopProgram", R: "stopping StopProgram",
            P: "stopping StopProgram",
        },
    ),
    ("cleaned", Cleaned(NOW, (1,)), {F: "success"}),
    ("failed steps wanted of what is no workflow", FailedWanted(NOW, (1,), "somebody"), {}),
    ("swept", Swept("box"), {B: "Look", R: "Look", P: "Look", F: "Fetch"}),
]  # fmt: skip


@pytest.mark.parametrize("state", [S, W, B, R, P, F])
@pytest.mark.parametrize(("name", "event", "expected"), TABLE, ids=[name for name, _, _ in TABLE])
def test_the_table(name: str, event: Event, expected: dict[State, str], state: State) -> None:
    """Each event in each state leads to exactly what the table says."""
    assert expected.get(state, "") == told(state, event)


def test_the_table_is_whole() -> None:
    """Every kind of event stands in the table; new runs are the one that begins in no state."""
    assert set(get_args(Event)) == {type(event) for _, event, _ in TABLE} | {Submitted, TimePassed}


@pytest.mark.parametrize("state", State)
def test_new_runs_are_saved_first(state: State) -> None:
    """A new run is stored before anything else is done for it."""
    run = run_in(state)
    first, *then = decide(board_of().view, Submitted(NOW, (run,)))

    assert isinstance(first, Save)
    assert (run, None, [(None, state)]) == (first.run, first.old, [(row.old, row.new) for row in first.log])
    assert [] == then


def test_a_stop_before_the_start() -> None:
    """A run that was asked to end before it was seen running, and is sealed, was skipped by hand."""
    run = replace(run_in(State.STOPPING), started_at=None, pid=None)
    save, *_ = decide(board_of(run).view, reported(Claim.SEALED))

    assert isinstance(save, Save)
    assert (State.SKIPPED, Reason.BY_HAND) == (save.run.state, save.run.reason)


def test_the_first_reason_is_kept() -> None:
    """A run that a host refused and then sealed says what the host said."""
    board = board_of(run_in(State.STARTING))
    for event in (StartRefused(NOW, 1, "disk full"), reported(Claim.SEALED)):
        for step in decide(board.view, event):
            if isinstance(step, Save):
                board.put(step.run)
    run = board.view.runs[1]

    assert (State.ERROR, Reason.NOT_STARTED, "disk full") == (run.state, run.reason, run.message)


def test_unreachable_since_the_first_loss() -> None:
    """A run is unreachable since the first loss, and the end of it is noted when the host is back."""
    board = board_of(run_in(State.RUNNING))
    rows = []
    for event in (
        HostDown(NOW, "box", "cut"),
        HostDown(NOW + 9, "box", "refused"),
        HostUp(NOW + 20, "box", "boot", "/spool"),
    ):
        for step in decide(board.view, event):
            if isinstance(step, Save):
                board.put(step.run)
                rows += [(row.at, row.message, step.run.unreachable_since) for row in step.log]

    assert [(NOW, "cut", NOW), (NOW + 20, "box is back", None)] == rows


@pytest.mark.parametrize(("state", "meanwhile"), [(State.RUNNING, "cut"), (State.STOPPING, "ann asked it to end")])
def test_a_run_out_of_sight_says_why(state: State, meanwhile: str) -> None:
    """What runs says what became of the link, and its process again when the host is back; a wish stays said."""
    said = "process 7" if state is State.RUNNING else meanwhile
    board = board_of(replace(run_in(state), pid=7, message=said))
    told = []
    for event in (HostDown(NOW, "box", "cut"), HostUp(NOW + 20, "box", "boot", "/spool")):
        for step in decide(board.view, event):
            if isinstance(step, Save):
                board.put(step.run)
        told.append(board.view.runs[1].message)

    assert [meanwhile, said] == told
