"""What a run's stop time does before its program begins; from then on the host sees to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sshsched.domain.decide import decide
from sshsched.domain.events import (
    Advanced,
    Asked,
    Claim,
    Considered,
    HostUp,
    Report,
    Reported,
    Submitted,
    TimePassed,
    Woken,
)
from sshsched.domain.instructions import Instruction, Save, SaveCursor, Seal, Start
from sshsched.domain.model import Cause, Outcome, Output, Reason, Run, Spool, StopAsked
from sshsched.domain.plan import Flow, Plan, Step
from sshsched.domain.program import Program, Stop
from sshsched.domain.states import State
from sshsched.domain.view import HostView, View
from sshsched.engine.board import Board

WAITS = Run(
    1,
    "box",
    Program("true"),
    100.0,
    State.WAITING,
    "box",
    waiting_since=100.0,
    ready_since=100.0,
    stop_at=150.0,
    by="schedule",
)
STARTS = replace(WAITS, state=State.STARTING, starting_since=110.0, spool=Spool("/s/r1", "boot"))
RUNS = replace(STARTS, state=State.RUNNING, started_at=111.0, pid=7)


def view(run: Run) -> View:
    """A host that is up, with this run."""
    board = Board([run])
    board.set_host(HostView("box", up=True, boot="boot", spool="/s"))
    return board.view


def ends(steps: list[Instruction]) -> list[tuple[State, Reason]]:
    return [(step.run.state, step.run.reason) for step in steps if isinstance(step, Save)]


def test_what_is_left_goes_with_the_start() -> None:
    """The host is told how long the program has until its stop time."""
    steps = decide(view(WAITS), Considered(120.0, "box"))

    assert [30.0] == [step.stop_in for step in steps if isinstance(step, Start)]


@pytest.mark.parametrize("event", [Considered(150.0, "box"), Asked(150.0, 1)])
def test_too_late_to_start(event: Considered | Asked) -> None:
    """A run whose stop time comes while it waits is not started to be stopped at once: it ends as not started."""
    steps = decide(view(WAITS), event)

    assert [(State.ERROR, Reason.NOT_STARTED)] == ends(steps)
    assert not [step for step in steps if isinstance(step, Start)]


def test_a_start_that_is_sent_again_has_less_left() -> None:
    """What was under way when the link broke is started with what is left, or never if nothing is."""
    report = Reported(130.0, 1, Report("boot", claim=Claim.NONE))

    assert [20.0] == [step.stop_in for step in decide(view(STARTS), report) if isinstance(step, Start)]
    assert [10.0] == [
        step.stop_in for step in decide(view(STARTS), HostUp(140.0, "box", "boot", "/s")) if isinstance(step, Start)
    ]
    assert [Seal(STARTS)] == [
        step for step in decide(view(STARTS), HostUp(150.0, "box", "boot", "/s")) if isinstance(step, Start | Seal)
    ]


def test_a_sealed_run_says_why() -> None:
    """A run that could not begin before its stop time says so."""
    steps = decide(view(STARTS), Reported(151.0, 1, Report("boot", claim=Claim.SEALED), sealing=True))
    (save,) = [step for step in steps if isinstance(step, Save)]

    assert (State.ERROR, Reason.NOT_STARTED) == (save.run.state, save.run.reason)
    assert "its stop time, 1970-01-01T00:02:30.000Z, came before it could start" == save.run.message


def test_the_host_stops_it_for_the_schedule() -> None:
    """A stop that nobody here has sent is that of the schedule."""
    report = Report("boot", claim=Claim.PROGRAM, alive=True, stopping=Cause.STOP)
    (save,) = decide(view(RUNS), Reported(150.0, 1, report, knew=True))
    assert isinstance(save, Save)

    assert (State.STOPPING, Reason.STOP_ASKED) == (save.run.state, save.run.reason)
    assert save.run.stop_asked
    assert "schedule" == save.run.stop_asked.by
    assert "its stop time, 1970-01-01T00:02:30.000Z, came" == save.run.message


@pytest.mark.parametrize(("code", "state"), [(0, State.SUCCESS), (3, State.FAILURE)])
def test_how_it_ended_says_its_exit_code(code: int, state: State) -> None:
    """A program that ends well when it is asked to has succeeded: a stop time is no timeout."""
    outcome = Outcome(exit_code=code, cause=Cause.STOP, ended_at=151.0)
    report = Report("boot", claim=Claim.PROGRAM, outcome=outcome, stopping=Cause.STOP, stop_done=True)

    assert [(state, Reason.STOPPED)] == ends(decide(view(RUNS), Reported(152.0, 1, report)))


ROOT = Run(
    1,
    "",
    Program(),
    100.0,
    State.RUNNING,
    started_at=110.0,
    stop_at=150.0,
    plan=Plan(flow=Flow((Step("a", "box", Program("true")),))),
)
A = replace(RUNS, id=2, root=1, step="a", stop_at=None, program=Program("true", stop=Stop("INT", 3.0)))


def limited(seconds: float) -> Run:
    flow = replace(ROOT.plan.flow, finish_within=seconds)  # type: ignore[type-var]
    return replace(ROOT, plan=replace(ROOT.plan, flow=flow))


@pytest.mark.parametrize(
    ("root", "over", "cause", "why"),
    [
        (ROOT, 150.0, Cause.STOP, "its stop time, 1970-01-01T00:02:30.000Z, came"),
        (limited(30.0), 140.0, Cause.TIMEOUT, "not finished within 30 s"),
        (replace(limited(30.0), stop_at=None), 140.0, Cause.TIMEOUT, "not finished within 30 s"),
        (limited(50.0), 150.0, Cause.STOP, "its stop time, 1970-01-01T00:02:30.000Z, came"),
    ],
)
def test_a_workflow_whose_time_is_over(root: Run, over: float, cause: Cause, why: str) -> None:
    """At the earlier of its stop time and its time limit a workflow is stopped; each step as its own program says."""
    board = Board([root, A])
    before = [save.run for save in decide(board.view, Woken(over - 1, (1,))) if isinstance(save, Save)]
    stopped = {save.run.id: save.run for save in decide(board.view, Woken(over, (1,))) if isinstance(save, Save)}

    assert [] == before
    assert over == board.next_at
    assert (State.STOPPING, why) == (stopped[1].state, stopped[1].message)
    assert StopAsked(over, "schedule", signal="INT", grace=3.0) == stopped[2].stop_asked
    assert stopped[1].stop_asked
    assert cause is stopped[1].stop_asked.cause


def test_a_workflow_is_stopped_once() -> None:
    """One that somebody has stopped by hand is not stopped again when its time is over."""
    root = replace(ROOT, state=State.STOPPING, stop_asked=StopAsked(120.0, "ann"))

    assert Board([root, A]).next_at is None
    assert [] == decide(Board([root, A]).view, Woken(150.0, (1,)))


def test_a_step_is_handed_what_is_left() -> None:
    """A new step has the stop time of its workflow, so its host holds it alone; however it was made."""
    new = replace(WAITS, id=2, root=1, step="a", stop_at=None)
    (save,) = decide(Board([limited(30.0)]).view, Submitted(120.0, (new,)))
    assert isinstance(save, Save)

    assert 140.0 == save.run.stop_at


def test_a_workflow_that_took_too_long_ends_so() -> None:
    """When its steps have come to their end it has failed, for the reason that it took too long."""
    asked = StopAsked(140.0, "its time limit", Cause.TIMEOUT)
    root = replace(limited(30.0), state=State.STOPPING, stop_asked=asked)
    step = replace(A, state=State.FAILURE, finished_at=141.0, cleaned=True, output=Output(complete=True))
    steps = decide(Board([root, step]).view, Advanced(141.0, 1))

    assert [(State.FAILURE, Reason.TIMEOUT)] == ends(steps)
    assert ["not finished within 30 s: 1 of 1 steps done, a failed (r2)"] == [
        step.run.message for step in steps if isinstance(step, Save)
    ]


def test_runs_and_cursors_go_together() -> None:
    """What fell due is saved with the places of its schedules, those first, as nothing else may come in between."""
    cursor = SaveCursor("job", "x", 150.0)
    steps = decide(Board().view, TimePassed(150.0, (WAITS,), (cursor,)))

    assert cursor == steps[0]
    assert [(State.WAITING, Reason.CREATED)] == ends(steps)
