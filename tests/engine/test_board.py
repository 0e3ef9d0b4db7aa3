"""What the board holds, and for how long."""

from __future__ import annotations

from dataclasses import replace

from sshsched.domain.model import Run
from sshsched.domain.plan import Flow, Plan
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.engine.board import Board

ROOT = Run(1, "", Program(), 0.0, State.RUNNING, job_id="flow", plan=Plan(flow=Flow(())))
STEP = Run(2, "nas", Program("true"), 0.0, State.SUCCESS, asked="nas", root=1, step="a", job_id="flow", finished_at=1.0)
OVER = replace(ROOT, state=State.SUCCESS, finished_at=1.0, cleaned=True)


def test_steps_stay_with_their_root() -> None:
    """All steps of a live workflow are there, also those of which nothing is left to do."""
    board = Board([ROOT, replace(STEP, cleaned=True)])
    board.sweep()

    assert {1, 2} == set(board.view.runs)
    assert {2} == set(board.view.by_root[1])


def test_a_step_outlives_its_root_until_its_spool_is_gone() -> None:
    """A step whose spool is still there when its workflow ends is cleaned all the same, and then nothing is left."""
    board = Board([ROOT, STEP])
    board.put(OVER)
    board.sweep()
    left = set(board.view.runs)
    board.put(replace(STEP, cleaned=True))
    board.sweep()

    assert {2} == left
    assert {} == dict(board.view.runs)
    assert {} == dict(board.view.by_host)
    assert {} == dict(board.view.by_root)
    assert {} == dict(board.view.by_job)


def test_after_a_restart_a_step_is_cleaned_without_its_root() -> None:
    """A step whose workflow has ended before is taken up like any run."""
    board = Board([STEP])
    board.put(replace(STEP, cleaned=True))
    board.sweep()

    assert {} == dict(board.view.runs)
    assert {} == dict(board.view.by_root)
