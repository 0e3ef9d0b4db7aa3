"""Random histories of a crowd of runs: limits hold, order holds, and nobody is forgotten."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sshsched.domain.states import State
from tests.domain.crowd import HOSTS, JOBS, Crowd

HANDS = ("stop", "start", "hold", "hold host", "release", "mark")
Step = tuple[str, str, int]
STEPS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(sorted(JOBS)), st.integers(0, 3)),
    st.tuples(st.sampled_from(["connect", "cut"]), st.sampled_from(sorted(HOSTS)), st.just(0)),
    st.tuples(st.just("end"), st.sampled_from(["0", "1"]), st.integers(0, 9)),
    st.tuples(st.just("time"), st.sampled_from(["1", "7", "40"]), st.just(0)),
    st.tuples(st.just("hand"), st.sampled_from(HANDS), st.integers(0, 30)),
    st.tuples(st.just("restart"), st.just(""), st.just(0)),
)


def follow(history: list[Step]) -> Crowd:
    crowd = Crowd()
    for what, text, number in history:
        match what:
            case "submit":
                crowd.submit(text, number, 1 + number)
            case "connect":
                crowd.connect(text)
            case "cut":
                crowd.cut(text)
            case "end":
                crowd.end_one(number, int(text))
            case "time":
                crowd.pass_time(float(text))
            case "hand":
                crowd.by_hand(text, number)
            case "restart":
                crowd.restart()
    return crowd


def promises_hold(history: list[Step]) -> None:
    crowd = follow(history)
    crowd.calm()

    left = [f"{run.name} {run.job_id} {run.state}: {run.message}" for run in crowd.last.values() if not run.finished]
    assert [] == left, "a run was left behind"
    assert all(times == 1 for times in crowd.begun.values()), "a program was started twice"
    assert {} == dict(crowd.board.view.runs)
    assert {} == dict(crowd.board.view.busy)
    assert {} == dict(crowd.board.view.locks)
    assert {} == dict(crowd.board.view.parked)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=60))
def test_histories(history: list[Step]) -> None:
    """No limit is passed, nothing starts twice or before what it depends on, and in the end nobody is left behind."""
    promises_hold(history)


@pytest.mark.parametrize("seed", range(6))
def test_long_histories(seed: int) -> None:
    """The same, through hundreds of steps."""
    walks(seed, 15)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_long_histories() -> None:
    """The same, far more often."""
    walks(-1, 5_000)


def walks(seed: int, count: int) -> None:
    chance = random.Random(seed)
    choices: list[tuple[str, tuple[str, ...], int]] = [
        ("submit", tuple(sorted(JOBS)), 4), ("submit", tuple(sorted(JOBS)), 4), ("connect", tuple(HOSTS), 1),
        ("connect", tuple(HOSTS), 1), ("cut", tuple(HOSTS), 1), ("end", ("0", "1"), 10), ("end", ("0", "1"), 10),
        ("time", ("1", "7", "40"), 1), ("hand", HANDS, 60), ("restart", ("",), 1),
    ]  # fmt: skip
    for _ in range(count):
        history = []
        for _ in range(chance.randrange(250)):
            what, texts, numbers = chance.choice(choices)
            history.append((what, chance.choice(texts), chance.randrange(numbers)))
        try:
            promises_hold(history)
        except BaseException:
            print(history)  # noqa: T201
            raise


@pytest.mark.parametrize(("job", "starts"), [("one", 1), ("once", 1), ("greedy", 1), ("two", 2), ("locked", 2)])
def test_of_many_released_together(job: str, starts: int) -> None:
    """Of 128 runs that are released together, exactly as many start as may."""
    crowd = Crowd()
    for host in HOSTS:
        crowd.connect(host)
    crowd.turn()
    crowd.submit(job, 0, 128)

    assert starts == len(crowd.programs)
    kept = [run for run in crowd.last.values() if run.state is not State.SKIPPED]
    assert (1 if job == "once" else 128) == len(kept)


def test_who_gives_up_its_turn_lets_the_next_one_pass() -> None:
    """A run that came first for a lock, and is held before it has a place, keeps nobody behind it waiting."""
    crowd = Crowd()
    for host in HOSTS:
        crowd.connect(host)
    crowd.submit("greedy", 0, host="c")
    crowd.submit("plain", 0)
    crowd.submit("locked", 1, 2)
    crowd.finish(1, 0)
    crowd.by_hand("hold", 2)
    crowd.finish(2, 0)

    assert [State.SUCCESS, State.SUCCESS, State.WAITING, State.STARTING] == [
        State.STARTING if number in crowd.programs else crowd.last[number].state for number in range(1, 5)
    ]


def test_a_lock_is_offered_on_every_host() -> None:
    """When a lock comes free, whoever has a place goes first, also behind one whose host is full."""
    crowd = Crowd()
    for host in HOSTS:
        crowd.connect(host)
    crowd.submit("greedy", 0, host="c")
    crowd.submit("plain", 0)
    crowd.submit("locked", 1, 2)
    crowd.submit("locked", 0)
    crowd.finish(1, 0)

    assert {2, 5} == set(crowd.programs)
