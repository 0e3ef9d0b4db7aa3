"""What time alone brings to a run: its hour, the end of its patience, and warnings that it is late or takes long.

A program's time is held by its host; that of a workflow as a whole is held here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sshsched.domain import words
from sshsched.domain.instructions import Instruction, Save
from sshsched.domain.model import Cause, Run, StopAsked
from sshsched.domain.saves import note
from sshsched.domain.states import State
from sshsched.domain.view import View


def warnings(view: View, run: Run, at: float) -> Iterator[Instruction]:
    """Those whose time has come."""
    late, long = late_at(run), long_at(run)
    if late is not None and late <= at:
        yield from _warn(view, run, "late", f"not started {words.seconds(run.plan.late_after or 0)} after its time", at)
    if long is not None and long <= at:
        yield from _warn(view, run, "long", f"still running after {words.seconds(run.plan.long_after or 0)}", at)


def _warn(view: View, run: Run, occasion: str, message: str, at: float) -> Iterator[Instruction]:
    told = replace(run, warned=(*run.warned, occasion))
    yield Save(told, run.state, (note(told, at, message),))
    yield from view.rules.follow(told, occasion, view, at)


def late_at(run: Run) -> float | None:
    """When a run that has not begun is late enough for a warning."""
    if run.plan.late_after is None or "late" in run.warned or run.state not in (State.SCHEDULED, State.WAITING):
        return None
    return run.due_at + run.plan.late_after


def long_at(run: Run) -> float | None:
    """When a run that is under way has taken long enough for a warning."""
    if run.plan.long_after is None or "long" in run.warned or run.started_at is None or run.finished:
        return None
    return run.started_at + run.plan.long_after


def ends_at(root: Run) -> float | None:
    """When a workflow that has begun is stopped, and with it all its steps; None if it may take its time."""
    within = None if root.plan.flow is None else root.plan.flow.finish_within
    limit = None if within is None or root.started_at is None else root.started_at + within
    return min((time for time in (root.stop_at, limit) if time is not None), default=None)


def time_over(root: Run, at: float) -> StopAsked | None:
    """The wish to end a workflow whose time is over; None for all else."""
    end = ends_at(root) if root.plan.flow is not None and root.on_host and root.stop_asked is None else None
    if end is None or end > at:
        return None
    by_schedule = end == root.stop_at
    return StopAsked(at, words.SCHEDULE) if by_schedule else StopAsked(at, words.TIME_LIMIT, Cause.TIMEOUT)


def wakes_at(run: Run) -> float | None:
    """When time alone may change something about a run, apart from what its conditions say."""
    times = [late_at(run), long_at(run)]
    if run.state is State.SCHEDULED:
        times.append(run.due_at)
    elif run.state is State.WAITING:
        times += [run.stop_at, None if run.ready_since is None else run.ready_since + run.start_within]
    elif run.plan.flow is not None and run.on_host and run.stop_asked is None:
        times.append(ends_at(run))
    return min((time for time in times if time is not None), default=None)
