"""What a workflow takes over from one that has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sshsched.domain.after import after
from sshsched.domain.decide import decide
from sshsched.domain.events import Moved, Submitted
from sshsched.domain.flow import begun
from sshsched.domain.instructions import Make
from sshsched.domain.model import Outcome, Output, Reason, Run
from sshsched.domain.plan import Deed, Flow, Plan, Retry, Step
from sshsched.domain.program import Program
from sshsched.domain.resume import take_over, taken
from sshsched.domain.states import State
from sshsched.engine.board import Board
from sshsched.engine.made import Maker
from tests.domain.workflows import step

FLOW = Flow(
    (
        step("a"),
        step("list", outputs={"v": "text"}),
        step("each", "list", foreach="x\ny"),
        step("b", "a"),
        step("c", "b"),
        step("tidy", "b", when="always"),
    )
)
OLD = Run(1, "", Program(), 1.0, State.FAILURE, plan=Plan(flow=FLOW), finished_at=9.0)


def ended(number: int, name: str, state: State = State.SUCCESS, **more: object) -> Run:
    plan = Plan(retry=Retry(3), actions=(Deed("notify", on=("success", "failure")),))
    run = Run(number, "box", Program("x"), 1.0, state, "box", root=1, step=name, plan=plan, finished_at=2.0)
    return replace(run, **more)  # type: ignore[arg-type]


A, LIST, X, Y = ended(2, "a"), ended(3, "list"), ended(4, "each[x]"), ended(5, "each[y]", State.FAILURE)
B, TIDY = ended(6, "b", State.FAILURE), ended(7, "tidy")


@pytest.mark.parametrize(
    ("runs", "names"),
    [
        ((A, B), "a"),
        ((A, B, TIDY), "a"),
        ((A, B, ended(8, "b")), "a b"),
        ((A, B, ended(8, "b"), TIDY), "a tidy b"),
        ((B, TIDY), ""),
        ((ended(3, "list", State.SKIPPED), X), ""),
        ((LIST, X, Y), "list each[x] each[y]"),
        ((LIST, replace(X, state=State.FAILURE), Y), "list"),
        ((replace(LIST, started_at=1.5),), ""),
        ((replace(LIST, started_at=1.5, values={"v": "1"}),), "list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_taken_over(runs: tuple[Run, ...], names: str) -> None:
    """What succeeded, all of whose needs did, by its newest run; and all of what succeeded in part."""
    assert names.split() == [run.step for run in taken(FLOW, runs)]


def test_it_ends_as_it_did() -> None:
    """What is taken over hands on what it did before, says from which run it comes, and nothing follows it again."""
    old = replace(A, values={"v": "1"}, outcome=Outcome(exit_code=0), output=Output(stdout=3, complete=True))
    new = replace(OLD, id=20, state=State.WAITING, finished_at=None)
    (make,) = [each for each in decide(Board().view, Submitted(30.0, (new,), taken=(old,))) if isinstance(each, Make)]
    run = Maker(20).run(make.draft, 30.0, make.not_before, make.over)
    failed = Maker(20).run(make.draft, 30.0, over=replace(make.over, state=State.FAILURE))  # type: ignore[type-var]

    assert (20, "a", 2, "box") == (run.root, run.step, run.rerun_of, run.host)
    assert ({"v": "1"}, Outcome(exit_code=0)) == (run.values, run.outcome)
    assert (State.SUCCESS, Reason.TAKEN_OVER, "taken over from r2") == (run.state, run.reason, run.message)
    assert run.settled
    assert [] == [*after(Board().view, Moved(30.0, None, run)), *after(Board().view, Moved(30.0, None, failed))]


def test_what_failed_in_part_runs_again() -> None:
    """An item that failed is made again when the new workflow begins, and one that was skipped on the way too."""
    new = replace(OLD, id=20, state=State.WAITING, finished_at=None)
    old = (LIST, X, Y, ended(8, "each[z]", State.SKIPPED))
    maker = Maker(20)
    runs = [maker.run(make.draft, 30.0, over=make.over) for make in take_over(new, old)]
    makes = begun(Board([new, *runs]).view, replace(new, state=State.RUNNING), 31.0)

    assert ["each[y]", "each[z]"] == [each.draft.step for each in makes if isinstance(each, Make)]


def test_a_step_that_the_flow_does_not_have() -> None:
    """What is no step of the workflow is passed over."""
    assert () == taken(Flow((Step("z", "box", Program("x")),)), (A,))
