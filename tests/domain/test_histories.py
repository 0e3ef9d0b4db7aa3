"""Random histories of a host: whatever happens in whatever order, the promises hold."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sshsched.domain.model import Reason
from sshsched.domain.states import State
from tests.domain.sim import World

STEPS = (
    "submit", "submit", "stop", "time", "sweep", "connect", "connect", "cut", "work", "work", "hear", "hear", "notice",
    "claim", "claim", "finish", "climb", "kill", "remove", "reboot", "fill",
)  # fmt: skip
History = list[tuple[str, int]]
HISTORIES = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=120)


def after(history: History, slots: int | None) -> World:
    world = World(slots=slots)
    for step, which in history:
        getattr(world, step)(which)
        assert all(times == 1 for times in world.begun.values()), "a program was started twice"
    return world


def promises_hold(history: History, slots: int | None) -> None:
    world = after(history, slots)
    world.calm()

    assert {} == dict(world.board.view.runs), "a run was left behind"
    assert all(times == 1 for times in world.begun.values()), "a program was started twice"
    assert {} == world.spools
    for number, run in world.last.items():
        begun = number in world.begun
        if run.state in (State.SUCCESS, State.FAILURE):
            assert begun
            assert run.output.complete or run.output.lost
            assert run.outcome is not None
            assert run.outcome.signal == 15 or number % 2 == run.outcome.exit_code
        elif run.state is State.SKIPPED or run.reason is Reason.NOT_STARTED:
            assert not begun or number in world.harmed  # the claim was the only trace, and somebody removed it
        else:
            assert run.state is State.ERROR
            assert number in world.harmed, f"{run.reason}: {run.message}"


RACE = [("connect", 0), ("submit", 1), ("work", 0), ("sweep", 0), ("work", 0), ("claim", 0), ("notice", 0), ("hear", 0)]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=HISTORIES, slots=st.sampled_from([None, 1, 2]))
@example(history=RACE, slots=None)  # a look that was on its way when the journal told of the claim
def test_histories(history: History, slots: int | None) -> None:
    """No program starts twice, no finished run changes, no slot is passed, and nothing is left behind."""
    promises_hold(history, slots)


@pytest.mark.parametrize("seed", range(10))
def test_long_histories(seed: int) -> None:
    """The same, through hundreds of steps."""
    walks(seed, 40)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_long_histories() -> None:
    """The same, far more often."""
    walks(-1, 20_000)


def walks(seed: int, count: int) -> None:
    chance = random.Random(seed)
    for _ in range(count):
        history = [(chance.choice(STEPS), chance.randrange(6)) for _ in range(chance.randrange(150))]
        try:
            promises_hold(history, chance.choice([None, 1, 2]))
        except BaseException:
            print(history)  # noqa: T201
            raise
