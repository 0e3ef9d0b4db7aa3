"""The saves that decisions are made of: a move with its row in the run log, a note, an end.

Rule: a run ends only through `end()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sshsched.domain.instructions import Clean, Consider, Fetch, Instruction, Save, Seal, Start
from sshsched.domain.model import LogEntry, Reason, Run
from sshsched.domain.states import State, move


def moved(run: Run, state: State, at: float, reason: Reason, message: str, **changes: Any) -> Save:
    """A move by the table, with what changes along with it. Raises MoveError."""
    new = replace(run, state=move(run.state, state), reason=reason, message=message, **changes)
    return Save(new, run.state, (LogEntry(run.id, at, run.state, state, reason, message),))


def note(run: Run, at: float, message: str) -> LogEntry:
    """A row of the run log where nothing moves."""
    return LogEntry(run.id, at, run.state, run.state, run.reason, message)


def end(
    run: Run,
    state: State,
    at: float,
    reason: Reason,
    message: str,
    *,
    cleaned: bool = False,
    never: bool = False,
    lost: bool = False,
) -> Iterator[Instruction]:
    """The one way to a finished state.

    `cleaned`: nothing of it ever was on the host; `never`: it never began, so there is no output, but there may be a
    spool; `lost`: what was there is gone.
    """
    finished = min(at, run.outcome.ended_at) if run.outcome and run.outcome.ended_at else at
    output = replace(run.output, lost=run.output.lost or lost, complete=run.output.complete or cleaned or never)
    save = moved(
        run,
        state,
        at,
        reason,
        message,
        finished_at=finished,
        unreachable_since=None,
        cleaned=cleaned,
        output=output,
    )
    yield save
    if not cleaned:
        yield rest(save.run)
    if run.host:
        yield Consider(run.host)


def rest(run: Run) -> Instruction:
    """What a finished run still needs."""
    return Clean(run) if run.output.complete or run.output.lost else Fetch(run)


def stop_passed(run: Run, at: float) -> bool:
    """Whether its schedule would end it before it began."""
    return run.stop_at is not None and run.stop_at <= at


def start(run: Run, at: float) -> Instruction:
    """Have it start, with what is left until its stop time; have it never start if nothing is left."""
    if run.stop_at is None:
        return Start(run)
    return Seal(run) if stop_passed(run, at) else Start(run, run.stop_at - at)
