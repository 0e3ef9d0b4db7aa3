"""What may go, and what stays whatever the limits."""

from __future__ import annotations

from typing import Any

import pytest

from sshsched.domain.model import Run
from sshsched.domain.retention import RECENT, Retention, Then, removable
from sshsched.domain.states import FINISHED, State
from tests.store.samples import run

NOW = 1_800_000_000.0
ANY = Retention(count=1)


def ended(state: State, ago: float, **more: Any) -> Run:
    return run(1, state, **{"created_at": NOW - 10 * RECENT, "finished_at": NOW - ago, "cleaned": True, **more})


@pytest.mark.parametrize("state", State)
def test_only_what_has_ended(state: State) -> None:
    """A run goes only once it is over."""
    assert (state in FINISHED) == removable(ended(state, 2 * RECENT), NOW, ANY)


def test_only_what_is_settled() -> None:
    """And only once nothing of it is left on its host."""
    assert not removable(ended(State.SUCCESS, 2 * RECENT, cleaned=False), NOW, ANY)


@pytest.mark.parametrize(("ago", "goes"), [(0, False), (RECENT - 1, False), (RECENT, True), (-5, False)])
def test_only_after_a_while(ago: float, goes: bool) -> None:
    """What has just ended, or ended in the future of a clock that was set back, stays."""
    assert goes == removable(ended(State.FAILURE, ago), NOW, ANY)


def test_without_an_end() -> None:
    """A run that never knew its end is as old as it is."""
    assert removable(ended(State.ERROR, 0, finished_at=None), NOW, ANY)


def test_in_words() -> None:
    """Limits can be read."""
    assert "at most 90 d, 5 runs, 1.5 MB; then delete" == str(Retention(90 * 86400, 5, 1_500_000, Then.DELETE))
    assert "at most 0.5 d; then archive" == str(Retention(43200))
    assert Retention().unlimited
