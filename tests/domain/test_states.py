"""The table of moves."""

from __future__ import annotations

from itertools import product

import pytest

from sshsched.domain.states import FINISHED, LIVE, MOVES, ON_HOST, MoveError, State, move


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_only_listed_moves_happen(old: State, new: State) -> None:
    """A listed move gives the new state, and every other one is refused with both names."""
    if new in MOVES[old]:
        assert new is move(old, new)
    else:
        with pytest.raises(MoveError, match=f"no move from {old} to {new}"):
            move(old, new)


def test_every_state_has_its_row() -> None:
    """No state is forgotten in the table."""
    assert set(State) == set(MOVES)


def test_finished_is_derived() -> None:
    """Finished is what nothing follows; the rest is live, and each live state leads to a finished one."""
    assert {State.SUCCESS, State.FAILURE, State.ERROR, State.SKIPPED} == FINISHED
    assert set(State) - FINISHED == LIVE
    assert all(_reachable(state) & FINISHED for state in LIVE)


def test_a_program_runs_only_on_its_host() -> None:
    """Success and failure come from a host, and nothing comes back from there to waiting."""
    assert {State.STARTING, State.RUNNING, State.STOPPING} == ON_HOST
    assert {old for old in State if MOVES[old] & {State.SUCCESS, State.FAILURE}} == ON_HOST
    assert not any(MOVES[old] & {State.SCHEDULED, State.WAITING} for old in ON_HOST)


def _reachable(state: State) -> set[State]:
    found: set[State] = set()
    ahead = [state]
    while ahead:
        new = MOVES[ahead.pop()] - found
        found |= new
        ahead += new
    return found
