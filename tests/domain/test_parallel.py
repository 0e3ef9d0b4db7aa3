"""How many steps of a workflow run at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sshsched.domain.decide import decide
from sshsched.domain.events import Asked, Submitted
from sshsched.domain.instructions import Park, Save
from sshsched.domain.model import Run
from sshsched.domain.parallel import limited
from sshsched.domain.plan import Flow, Plan, Step
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.domain.view import HostView
from sshsched.engine.board import Board

STEPS = (
    Step("test[a]", "box", Program("x"), max_parallel=2),
    Step("each", "box", Program("x"), foreach="1", max_parallel=1),
    Step("free", "box", Program("x")),
)


def root(most: int | None = None, number: int = 1) -> Run:
    return Run(number, "", Program(), 1.0, State.RUNNING, plan=Plan(flow=Flow(STEPS, max_parallel=most)))


def a_step(name: str, number: int = 2, **more: object) -> Run:
    run = Run(number, "box", Program("x"), 1.0, State.WAITING, "box", root=1, step=name, waiting_since=1.0)
    return replace(run, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("most", "name", "rooms"),
    [
        (None, "free", {}),
        (3, "free", {"steps of r1": 3}),
        (None, "test[a]", {"test of r1": 2}),
        (None, "each[7]", {"each of r1": 1}),
        (3, "each[7]", {"steps of r1": 3, "each of r1": 1}),
        (3, "gone", {"steps of r1": 3}),
    ],
)
def test_the_rooms_of_a_step(most: int | None, name: str, rooms: dict[str, int]) -> None:
    """All steps share the room of the workflow, and those of a matrix or a list share that of their step."""
    run = limited(a_step(name, plan=Plan(locks={"db": 2})), root(most))

    assert (rooms, {"db": 2, **dict.fromkeys(rooms, 1)}) == (run.plan.rooms, run.plan.locks)


def test_a_step_of_another_workflow() -> None:
    """A step that was made for one workflow and is made again for another has the room of that one."""
    first = limited(a_step("each[7]", plan=Plan(locks={"db": 2})), root(3))
    again = limited(first, root(number=9))

    assert {"db": 2, "each of r9": 1} == again.plan.locks


def test_a_step_waits_for_room() -> None:
    """A new step waits while as many as may run do, and says so."""
    (made,) = decide(Board([root()]).view, Submitted(2.0, (a_step("each[2]", 3),)))
    assert isinstance(made, Save)
    busy = replace(limited(a_step("each[1]"), root()), state=State.RUNNING, started_at=2.0)
    board = Board([root(), busy, made.run])
    board.set_host(HostView("box", up=True, boot="boot", spool="/s"))
    steps = decide(board.view, Asked(3.0, 3))

    assert ["waits for the lock 'each of r1', which r2 holds"] == [
        step.run.message for step in steps if isinstance(step, Save)
    ]
    assert [("room:lock:each of r1",)] == [step.on for step in steps if isinstance(step, Park)]
