"""A run waits for a run of another job: which one counts, from when on, and what follows if there is none."""

from __future__ import annotations

from typing import Any

import pytest

from sshsched.domain import keys
from sshsched.domain.model import Run
from sshsched.domain.states import State
from sshsched.domain.view import Never, Ready, Wait
from tests.kinds.conditions.scene import NOW, Scene, ask, run, told

S = State
DAY = 86400.0


def report(**more: Any) -> Run:
    """The run that waits."""
    return run(9, job="report", **more)


LIVE: list[tuple[str, dict[str, Any], Run, str]] = [
    ("nothing yet", {}, run(1, job="other"), "waits for success of load"),
    ("it runs", {}, run(1, S.RUNNING), "waits for success of load"),
    ("it just ended", {}, run(1, S.SUCCESS), "ready"),
    ("it failed", {}, run(1, S.FAILURE), "waits for success of load"),
    ("a failure will do", {"states": ["success", "failure"]}, run(1, S.FAILURE), "ready"),
    ("it runs, which will do", {"states": "running"}, run(1, S.RUNNING), "ready"),
    (
        "another date",
        {"args": {"date": "a"}},
        run(1, S.SUCCESS, args={"date": "b"}),
        "waits for success of load (date=a)",
    ),
    ("that date", {"args": {"date": "a"}}, run(1, S.SUCCESS, args={"date": "a"}), "ready"),
    ("more args than asked for", {"args": {"date": "a"}}, run(1, S.SUCCESS, args={"date": "a", "x": "y"}), "ready"),
    ("a step", {}, run(1, S.SUCCESS, root=5), "waits for success of load"),
    (
        "an attempt that is repeated",
        {"states": "failure"},
        run(1, S.FAILURE, retried_by=2),
        "waits for failure of load",
    ),
    ("exists", {"exist": "true"}, run(1, S.RUNNING), "waits for success of load"),
    ("is scheduled", {"exist": "true"}, run(1, S.SCHEDULED), "waits for success of load"),
    ("is there, but not so", {"exist": ["running"]}, run(1, S.WAITING), "never"),
    ("is there, and so", {"exist": ["running"]}, run(1, S.RUNNING), "waits for success of load"),
    ("cannot come to it", {"exist": "true"}, run(1, S.FAILURE), "never"),
    ("cannot go back", {"exist": "true", "states": "waiting"}, run(1, S.RUNNING), "never"),
    ("success now or an error", {"exist": ["success"]}, run(1, S.RUNNING), "never"),
]


# What has not ended is on the board; what has may be in the store alone.
PLACED = [(where, *row) for row in LIVE for where in ("live", "past") if where == "live" or row[2].finished]


@pytest.mark.parametrize(
    ("where", "name", "options", "other", "answer"), PLACED, ids=[f"{r[1]}, {r[0]}" for r in PLACED]
)
def test_what_counts(where: str, name: str, options: dict[str, Any], other: Run, answer: str) -> None:
    """A run of the job counts by its state and args; one that has ended counts alike on the board and in the store."""
    scene = Scene(live=(other,)) if where == "live" else Scene(past=(other,))

    assert told(ask("dependency", {"job": "load", **options}, report(), scene)).startswith(answer)


def test_what_it_waits_on() -> None:
    """It is asked again when a run of the other job ends that may be meant, and at no other time."""
    one = Scene((run(2, State.RUNNING, "load", args={"date": "a"}),))
    other = Scene((run(2, State.RUNNING, "load", args={"date": "a", "size": "1"}),))
    any_of_it, that_one = keys.ended("load"), keys.ended("load", {"date": "b"})

    assert Wait("success of load", (any_of_it, keys.names("load"))) == ask("dependency", {"job": "load"}, report())
    for scene, key in ((one, that_one), (other, any_of_it)):
        answer = ask("dependency", {"job": "load"}, report(args={"date": "b", "user": "me"}), scene)
        assert Wait("success of load", (key, keys.names("load"))) == answer


@pytest.mark.parametrize(
    ("options", "on"),
    [
        ({}, keys.ended("load", {})),
        ({"states": ["success", "failure"]}, keys.ended("load", {})),
        ({"states": ["success", "stopping"]}, keys.job("load", {})),
        ({"exist": True}, keys.ended("load", {})),
        ({"exist": ["running"]}, keys.job("load", {})),
    ],
)
def test_which_moves_it_waits_on(options: dict[str, Any], on: str) -> None:
    """Who waits for an end is left alone by all other moves."""
    answer = ask("dependency", {"job": "load", **options}, report(), Scene((run(2, State.RUNNING),)))

    assert isinstance(answer, Wait)
    assert on == answer.on[0]


@pytest.mark.parametrize("where", ["live", "past"])
@pytest.mark.parametrize(
    ("its", "own", "ready"),
    [
        ({"date": "a"}, {"date": "a"}, True),
        ({"date": "a"}, {"date": "b"}, False),
        ({"date": "a"}, {"region": "eu"}, True),
        ({"date": "a", "region": "eu"}, {"region": "eu", "user": "me"}, True),
        ({"date": "a", "region": "us"}, {"region": "eu", "user": "me"}, False),
    ],
)
def test_args_are_inherited_by_name(where: str, its: dict[str, str], own: dict[str, str], ready: bool) -> None:
    """An arg that is not given counts as the run's own, if both have one of that name."""
    other = run(1, S.SUCCESS, args=its)
    scene = Scene(live=(other,)) if where == "live" else Scene(past=(other,))

    assert ready == isinstance(ask("dependency", {"job": "load"}, report(args=own), scene), Ready)


def test_a_given_arg_goes_before_the_run_s_own() -> None:
    """What is given under `args` is not overruled by an arg of the run."""
    scene = Scene(past=(run(1, S.SUCCESS, args={"date": "yesterday"}),))
    answer = ask("dependency", {"job": "load", "args": {"date": "yesterday"}}, report(args={"date": "today"}), scene)

    assert Ready() == answer


@pytest.mark.parametrize("where", ["live", "past"])
@pytest.mark.parametrize(
    ("ended", "within", "ready"),
    [
        (NOW - 2 * DAY, None, True),
        (NOW - 2 * DAY, "1d", False),
        (NOW - DAY, "1d", True),
        (NOW + 5, "0", True),
        (NOW - 1, "0", False),
    ],
)
def test_an_ancient_success_need_not_count(where: str, ended: float, within: str | None, ready: bool) -> None:
    """With `within` only what ended so long before the run's scheduled time, or later, counts."""
    other = run(1, S.SUCCESS, finished_at=ended)
    scene = Scene(live=(other,)) if where == "live" else Scene(past=(other,))
    options = {"job": "load"} if within is None else {"job": "load", "within": within}

    assert ready == isinstance(ask("dependency", options, report(schedule_time=NOW), scene, NOW + 100), Ready)


def test_what_was_good_enough_stays_so() -> None:
    """However long a run waits for something else, a success that counted once goes on to count."""
    scene = Scene(past=(run(1, S.SUCCESS, finished_at=NOW - 3000),))
    asked = [
        ask("dependency", {"job": "load", "within": "1h"}, report(schedule_time=NOW), scene, NOW + h) for h in (0, 9000)
    ]

    assert [Ready(), Ready()] == asked


def test_no_run_depends_on_itself() -> None:
    """A run of a job that depends on its own job waits for another run."""
    own = run(9, S.WAITING)

    assert told(ask("dependency", {"job": "load", "exist": "true"}, own, Scene(live=(own,)))).startswith("never")
    assert Ready() == ask("dependency", {"job": "load"}, own, Scene(live=(own, run(8, S.SUCCESS))))


def test_a_failed_attempt_that_is_tried_again_is_no_end() -> None:
    """With `exist`, a failure after which another attempt was made does not end the wait."""
    scene = Scene(live=(run(1, S.FAILURE, retried_by=2), run(2, S.SCHEDULED, attempt=2)))

    assert isinstance(ask("dependency", {"job": "load", "exist": "true"}, report(), scene), Wait)


def test_the_last_failure_ends_the_wait() -> None:
    """With `exist`, a run ends as an error as soon as nothing can meet it any more."""
    answer = ask("dependency", {"job": "load", "exist": "true"}, report(), Scene(live=(run(1, S.FAILURE),)))

    assert Never("it depends on success of load, and there is no run that could come to it") == answer


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the key 'job' is missing"),
        ({"job": ""}, "job: expected a text of length >= 1"),
        ({"job": "a", "states": ["succes"]}, r"states\[0\]: invalid enum value 'succes'"),
        ({"job": "a", "within": "soon"}, "within: 'soon' is no duration"),
    ],
)
def test_what_cannot_be_meant(options: dict[str, Any], message: str) -> None:
    """Options that cannot be meant are named."""
    with pytest.raises(ValueError, match=message):
        ask("dependency", options, report())
