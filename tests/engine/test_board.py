"""What is on the board, and for how long."""

from __future__ import annotations

from dataclasses import replace

from sshsched.domain.model import Output, Run
from sshsched.domain.plan import Flow, Plan, Step
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.engine.board import Board

ROOT = Run(1, "", Program(), 0.0, State.RUNNING, plan=Plan(flow=Flow((Step("a", "box", Program("true")),))))
STEP = Run(2, "box", Program("true"), 0.0, State.RUNNING, "box", root=1, step="a")


def test_a_step_outlives_its_root() -> None:
    """A step whose output is still on its host stays when its root has ended, and goes when that is here."""
    board = Board((ROOT, STEP))
    ended = replace(STEP, state=State.SUCCESS)
    board.put(ended)
    board.put(replace(ROOT, state=State.SUCCESS, cleaned=True, output=Output(complete=True)))
    board.sweep()
    left = dict(board.view.runs)
    board.put(replace(ended, cleaned=True, output=Output(complete=True)))
    board.sweep()

    assert {2: ended} == left
    assert {} == board.view.runs == board.view.by_host == board.view.by_root == board.view.by_job


def test_steps_that_are_done_stay_with_their_root() -> None:
    """Decisions about a workflow look at all of its steps, so they stay until it has ended, and go with it."""
    board = Board((ROOT, STEP))
    board.put(replace(STEP, state=State.SUCCESS, cleaned=True, output=Output(complete=True)))
    board.sweep()
    during = set(board.view.by_root[1])
    board.put(replace(ROOT, state=State.SUCCESS, cleaned=True, output=Output(complete=True)))
    board.sweep()

    assert {2} == during
    assert {} == board.view.runs == board.view.by_root
