"""Approvals, hosts, fixed answers, times of day, and conditions made of others."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain import keys
from sshsched.domain.states import State
from sshsched.domain.view import Fact, HostView, Never, Ready, Wait
from tests.kinds.conditions.scene import NOW, Scene, ask, run, told

YES, NO, NEVER = ({"type": "const", "value": value} for value in ("true", "false", "never"))


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("true", "ready"),
        ("false", "waits for what never comes: its condition is `const: false`"),
        ("never", "never (error): its condition is `const: never`"),
    ],
)
def test_const(value: str, answer: str) -> None:
    """A fixed answer."""
    assert answer == told(ask("const", {"value": value}, run()))


def test_manual() -> None:
    """Only somebody's start releases it, and it tells how."""
    answer = ask("manual", {"message": "after the release"}, run(7))

    assert Wait("somebody's approval (after the release); `sshsched start r7` gives it") == answer


UP = HostView("nas", up=True)
DOWN = HostView("nas", problem="connection refused")


def test_host_up() -> None:
    """A host that is connected is up; waiting for its key has it connected."""
    unknown = ask("host_up", {}, run())
    down = ask("host_up", {"host": "nas"}, run(asked="other"), Scene(hosts=(DOWN,)))

    assert Ready() == ask("host_up", {}, run(), Scene(hosts=(UP,)))
    assert Wait("nas to be reachable", (keys.host("nas"),)) == unknown
    assert {"nas"} == keys.hosts((keys.host("nas"),))
    assert "waits for nas to be reachable; nas cannot be reached: connection refused" == told(down)


@pytest.mark.parametrize("asked", ["@web", "tags:gpu", ""])
@pytest.mark.parametrize("kind", ["host_up", "file", "command"])
def test_which_host(kind: str, asked: str) -> None:
    """A run that asks for no single host has to name the host of its condition."""
    options: dict[str, Any] = {"host_up": {}, "file": {"path": "x"}, "command": {"command": "x"}}[kind]
    with pytest.raises(ValueError, match="name one under 'host'"):
        ask(kind, options, run(asked=asked))

    assert isinstance(ask(kind, {**options, "host": "nas"}, run(asked=asked)), Wait)


# Time windows -------------------------------------------------------------------------------------------------------


def at(text: str, tz: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).timestamp()


@pytest.mark.parametrize(
    ("begin", "until", "days", "now", "opens"),
    [
        ("09:00", "17:00", "all", "2026-03-04T09:00", None),
        ("09:00", "17:00", "all", "2026-03-04T16:59:59", None),
        ("09:00", "17:00", "all", "2026-03-04T17:00", "2026-03-05T09:00"),
        ("09:00", "17:00", "all", "2026-03-04T08:59", "2026-03-04T09:00"),
        ("22:00", "06:00", "all", "2026-03-04T05:59", None),
        ("22:00", "06:00", "all", "2026-03-04T06:00", "2026-03-04T22:00"),
        ("22:00", "06:00", "Fri", "2026-03-07T03:00", None),  # Saturday, in Friday's window
        ("22:00", "06:00", "Fri", "2026-03-06T03:00", "2026-03-06T22:00"),
        ("09:00", "17:00", "Mon-Fri", "2026-03-07T12:00", "2026-03-09T09:00"),
        ("02:10", "02:50", "all", "2026-03-29T01:00", "2026-03-30T02:10"),  # a gap: that day it never opens
        ("02:30", "09:00", "all", "2026-03-29T01:00", "2026-03-29T03:00"),  # opens at the end of the gap
        ("02:30", "09:00", "all", "2026-10-25T02:30", None),
    ],
)
def test_time_window(begin: str, until: str, days: str, now: str, opens: str | None) -> None:
    """It may start within the window; before it, it is asked again when the window opens."""
    options = {"from": begin, "until": until, "calendar": days, "tz": "Europe/Berlin"}
    answer = ask("time_window", options, run(), at=at(now))

    assert (None if opens is None else at(opens)) == (answer.until if isinstance(answer, Wait) else None)
    assert (opens is None) == isinstance(answer, Ready)


def test_what_a_window_says() -> None:
    """It tells the day and time at which it opens."""
    answer = ask("time_window", {"from": "22:00", "until": "6:00", "calendar": "Fri", "tz": "Europe/Berlin"}, run())

    assert "waits for Fri 22:00 (Europe/Berlin): it may start from 22:00 until 6:00 on Fri" == told(answer)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"from": "9", "until": "17:00"}, "'9' is no time of day"),
        ({"from": "09:00", "until": "09:00"}, "closes when it opens"),
        ({"from": "09:00", "until": "17:00", "tz": "Europe/Berln"}, "did you mean 'Europe/Berlin'"),
        ({"from": "09:00", "until": "17:00", "calendar": "Mo"}, "Mo"),
        ({"until": "17:00"}, "the key 'from' is missing"),
    ],
)
def test_a_window_that_cannot_be(options: dict[str, Any], message: str) -> None:
    """Times, zones and days that are none are named."""
    with pytest.raises(ValueError, match=message):
        ask("time_window", options, run())


# Groups -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "answer"),
    [
        ("all", {"of": [YES, YES]}, "ready"),
        ("all", {"of": [YES, NO]}, "waits for"),
        ("all", {"of": [YES, NEVER]}, "never"),
        ("all", {"of": [NO, NEVER]}, "never"),
        ("any", {"of": [NO, YES]}, "ready"),
        ("any", {"of": [NEVER, YES]}, "ready"),
        ("any", {"of": [NEVER, NO]}, "waits for"),
        ("any", {"of": [NEVER, NEVER]}, "never"),
        ("n_of", {"n": "2", "of": [YES, NO, YES]}, "ready"),
        ("n_of", {"n": "2", "of": [YES, NO, NO]}, "waits for"),
        ("n_of", {"n": "2", "of": [YES, NEVER, NEVER]}, "never"),
        ("any", {"of": [{"all": [YES, YES]}, NO]}, "ready"),
    ],
)
def test_groups(kind: str, options: dict[str, Any], answer: str) -> None:
    """All, any, or so many: ready when enough hold, never when too few are left that could."""
    assert told(ask(kind, options, run())).startswith(answer)


@given(st.lists(st.sampled_from([YES, NO, NEVER]), min_size=1, max_size=6), st.data())
def test_groups_count(parts: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever the parts say: enough yes is ready, too many never is never, and all else waits."""
    n = data.draw(st.integers(1, len(parts)))
    answer = ask("n_of", {"n": n, "of": parts}, run())
    yes, never = parts.count(YES), parts.count(NEVER)

    assert (yes >= n) == isinstance(answer, Ready)
    assert (len(parts) - never < n) == isinstance(answer, Never)


def test_a_group_waits_for_all_that_may_help() -> None:
    """It is asked again when any of its parts may have changed, at the first time that one of them names."""
    parts = [
        {"type": "dependency", "job": "a"},
        {"type": "time_window", "from": "09:00", "until": "10:00"},
        {"type": "dependency", "job": "b"},
    ]
    answer = ask("any", {"of": parts}, run(job="c"))

    assert isinstance(answer, Wait)
    assert (keys.ended("a"), keys.names("a"), keys.ended("b"), keys.names("b")) == answer.on
    assert None is not answer.until
    assert answer.why.startswith("success of a; or ")
    assert answer.why.endswith("; or success of b")


def test_a_group_asks_one_host_at_a_time() -> None:
    """The host that answers is asked first; when its answer is here, the next one's turn has come."""
    parts = [{"type": "file", "path": "x", "host": host} for host in ("away", "nas")]
    first = ask("any", {"of": parts}, run(), Scene(hosts=(UP,)))
    assert isinstance(first, Wait)
    assert first.probe is not None
    second = ask("any", {"of": parts}, run(), Scene(hosts=(UP,), facts={first.probe.key: Fact(NOW, False)}))

    assert "nas" == first.probe.host
    assert isinstance(second, Wait)
    assert second.probe is not None
    assert "away" == second.probe.host


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("any", {"of": []}, "of: expected a list of length >= 1"),
        ("any", {"of": [{"type": "cnst"}]}, r"of\[0\]: unknown 'cnst'; did you mean 'const'"),
        ("any", {"of": [YES, {"type": "const", "value": "x"}]}, r"of\[1\].value: "),
        ("any", {"of": [{"job": "x"}]}, r"of\[0\]: the key 'type' is missing"),
        ("any", {"of": ["load"]}, r"of\[0\]: 'load' is no condition"),
        ("n_of", {"n": 3, "of": [YES, NO]}, "n: 3 of 2 can never hold"),
    ],
)
def test_what_is_wrong_in_a_group(kind: str, options: dict[str, Any], message: str) -> None:
    """What is wrong with a part is named with its place."""
    with pytest.raises(ValueError, match=message):
        ask(kind, options, run())


def test_a_group_ends_as_its_part_does() -> None:
    """A duplicate in a group is skipped, as one that stands alone is."""
    answer = ask("all", {"of": [YES, {"type": "skip_duplicate"}]}, run(9), Scene(live=(run(1, State.RUNNING),)))

    assert Never("r1, which is running, does the same", State.SKIPPED) == answer
