"""The states of a run and every move between them.

Rule: nobody assigns a state except through `move()`, and `move()` only reads `MOVES`.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a run stands. `docs/guarantees.md` says what each one promises."""

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


# A host tells us late or all at once, so `starting` may end directly. A stop that arrives before the program began
# seals the claim: that run was skipped by hand. A workflow's root has no host to start on, and begins by running.
# There is no way back from a finished state, and no force.
MOVES: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.WAITING, State.SKIPPED, State.ERROR}),
    State.WAITING: frozenset({State.STARTING, State.RUNNING, State.SKIPPED, State.ERROR}),
    State.STARTING: frozenset(
        {State.RUNNING, State.STOPPING, State.SUCCESS, State.FAILURE, State.ERROR},
    ),
    State.RUNNING: frozenset({State.STOPPING, State.SUCCESS, State.FAILURE, State.ERROR}),
    State.STOPPING: frozenset({State.SUCCESS, State.FAILURE, State.ERROR, State.SKIPPED}),
    State.SUCCESS: frozenset(),
    State.FAILURE: frozenset(),
    State.ERROR: frozenset(),
    State.SKIPPED: frozenset(),
}

FINISHED = frozenset(state for state, after in MOVES.items() if not after)
LIVE = frozenset(MOVES) - FINISHED
MARKS = {state: FINISHED - {state} for state in FINISHED}
"""What a finished state may be turned into, by hand only: somebody knows better how the run is to be taken."""
ON_HOST = frozenset({State.STARTING, State.RUNNING, State.STOPPING})


class MoveError(ValueError):
    """A move that the table does not list: always a mistake of ours, never of a user."""


def move(old: State, new: State) -> State:
    """The new state, if the table lists the move. Raises MoveError otherwise."""
    if new not in MOVES[old]:
        raise MoveError(f"no move from {old} to {new}")
    return new
