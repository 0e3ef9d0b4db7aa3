"""Not too many at a time, and none twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain import keys
from sshsched.domain.model import Run
from sshsched.domain.states import ON_HOST, State
from sshsched.domain.view import Never, Ready, Wait
from tests.kinds.conditions.scene import Scene, ask, run, told

S = State
A, B = {"date": "a"}, {"date": "b"}


@pytest.mark.parametrize(
    ("options", "others", "ready"),
    [
        ({}, [], True),
        ({}, [run(1, S.RUNNING, args=A)], False),
        ({}, [run(1, S.STARTING, args=A)], False),
        ({}, [run(1, S.STOPPING, args=A)], False),
        ({}, [run(1, S.WAITING, args=A)], True),
        ({}, [run(1, S.SUCCESS, args=A)], True),
        ({}, [run(1, S.RUNNING, args=B)], True),
        ({"args": "any"}, [run(1, S.RUNNING, args=B)], False),
        ({"count": "2"}, [run(1, S.RUNNING, args=A)], True),
        ({"count": "2"}, [run(1, S.RUNNING, args=A), run(2, S.STOPPING, args=A)], False),
        ({}, [run(1, S.RUNNING, job="other", args=A)], True),
        ({}, [run(1, S.RUNNING, args=A, root=4)], True),
        ({"jobs": ["load", "other"]}, [run(1, S.RUNNING, job="other", args=B)], False),
        ({"jobs": ["load", "other"], "count": "2"}, [run(1, S.RUNNING, job="other")], True),
    ],
)
def test_max_running(options: dict[str, Any], others: list[Run], ready: bool) -> None:
    """What is on its host counts, *stopping* too: with the same args, with any, or over several jobs."""
    answer = ask("max_running", options, run(9, args=A), Scene(live=tuple(others)))

    assert ready == isinstance(answer, Ready)


def test_what_max_running_waits_for() -> None:
    """It says whom it waits for, and is asked again when a run with the same args makes room."""
    others = tuple(run(number, S.RUNNING, args=A) for number in range(1, 6))
    answer = ask("max_running", {}, run(9, args=A), Scene(live=others))

    assert isinstance(answer, Wait)
    assert "r1, r2, r3 ... to end: at most 1 of load with the same args may run at a time" == answer.why
    assert (keys.room("load", A),) == answer.on


def test_every_end_makes_room_for_those_who_wait() -> None:
    """The key that a run waits for is stirred when a run that is counted ends."""
    ends = run(1, S.SUCCESS, args=A)
    stirred = set(keys.stirred(run(1, S.RUNNING, args=A), ends))

    for options in ({}, {"args": "any"}, {"jobs": ["load", "other"]}):
        answer = ask("max_running", options, run(9, args=A), Scene(live=(run(1, S.RUNNING, args=A),)))

        assert isinstance(answer, Wait)
        assert stirred & set(answer.on)


def test_args_of_several_jobs_are_not_compared() -> None:
    """`args: same` is for one job only."""
    with pytest.raises(ValueError, match="with 'jobs' all args count"):
        ask("max_running", {"jobs": ["a", "b"], "args": "same"}, run())


@given(st.lists(st.sampled_from(State), max_size=8), st.integers(1, 4))
def test_room_is_counted(states: list[State], count: int) -> None:
    """A run may start if and only if fewer than `count` others are on their hosts."""
    others = tuple(run(number, state) for number, state in enumerate(states, 1))
    answer = ask("max_running", {"count": count}, run(99), Scene(live=others))

    assert (sum(state in ON_HOST for state in states) < count) == isinstance(answer, Ready)


@pytest.mark.parametrize(
    ("options", "other", "answer"),
    [
        ({}, run(1, S.WAITING), "never (skipped): r1, which is waiting, does the same"),
        ({}, run(20, S.WAITING), "ready"),
        ({}, run(20, S.STARTING), "never (skipped): r20, which is starting, does the same"),
        ({}, run(1, S.RUNNING), "never (skipped): r1, which is running, does the same"),
        ({}, run(1, S.STOPPING), "never (skipped): r1, which is stopping, does the same"),
        ({}, run(1, S.SCHEDULED), "ready"),
        ({"states": ["scheduled"]}, run(1, S.SCHEDULED), "never (skipped): r1, which is scheduled, does the same"),
        ({}, run(1, S.SUCCESS), "ready"),
        ({}, run(1, S.RUNNING, args=B), "ready"),
        ({"args": "any"}, run(1, S.RUNNING, args=B), "never (skipped): r1, which is running, does the same"),
        ({}, run(1, S.RUNNING, job="other"), "ready"),
    ],
)
def test_skip_duplicate(options: dict[str, Any], other: Run, answer: str) -> None:
    """It gives way to what runs, and to what waits and was there before; it never waits."""
    assert answer == told(ask("skip_duplicate", options, run(9), Scene(live=(other,))))


@given(st.permutations(range(1, 7)), st.sampled_from(["skip_duplicate", "max_running"]))
def test_of_many_exactly_one(order: list[int], kind: str) -> None:
    """Of runs that become ready together exactly one starts, in whichever order they are asked."""
    live = {number: run(number) for number in order}
    for number in order:
        answer = ask(kind, {}, live[number], Scene(live=tuple(live.values())))
        if isinstance(answer, Ready):
            live[number] = run(number, S.STARTING)
        elif isinstance(answer, Never):
            live[number] = run(number, answer.state)

    assert 1 == sum(each.state is S.STARTING for each in live.values())
