"""A decision costs what it touches: counted, so that no noise hides it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.decisions import MIXES, Crowd, Mix
from sshsched.engine import turn


@pytest.mark.parametrize("mix", MIXES, ids=[mix.name for mix in MIXES])
def test_cost(mix: Mix, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty times as many that wait add nothing to what is decided when a program ends and another run comes."""
    assert cost(mix, 1_500, monkeypatch) <= cost(mix, 75, monkeypatch) * 1.3


def cost(mix: Mix, count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many instructions are given and how many events decided over forty rounds."""
    crowd = Crowd(mix, count)
    crowd.rate(1)
    decided = 0

    def counted(*args: Any) -> Any:
        nonlocal decided
        steps = turn_decide(*args)
        decided += 1 + len(steps)
        return steps

    turn_decide = turn.decide
    with monkeypatch.context() as patched:
        patched.setattr(turn, "decide", counted)
        crowd.rate(40)
    return decided
