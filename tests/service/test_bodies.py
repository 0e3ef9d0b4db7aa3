"""What clients may send is taken exactly, and each mistake is one line with its place."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.draft import Draft
from sshsched.domain.program import Program, Stop
from sshsched.errors import UsageError
from sshsched.service.bodies import DraftBody, ProgramBody, StopBody, SubmitBody, decode, draft_of, drafts, instant
from tests.service.scheduler import DRAFT


def test_defaults() -> None:
    """What is left out is as the model says."""

    assert Draft("nas", Program(command="true")) == draft_of(DRAFT)


def test_all() -> None:
    """Every field arrives."""
    value: dict[str, Any] = {
        "host": "nas",
        "program": {
            "argv": ["a", "b"], "env": {"A": "1"}, "cwd": "/", "stdin": "x", "umask": "022", "user": "app",
            "stop": {"signal": "sigint", "grace": 3}, "timeout": 5, "accept": [0, 3], "abandon_after": 7.5,
        },
        "job": "a/b", "args": {"x": "y"}, "labels": ["l"], "by": "me", "rerun_of": "r7",
        "schedule_time": "2026-11-22T03:30:00Z", "start_within": 9,
    }  # fmt: skip
    program = Program(
        None, ("a", "b"), {"A": "1"}, "/", "x", "022", "app", Stop("INT", 3.0), 5.0, (0, 3), 7.5
    )  # fmt: skip

    expected = Draft(
        "nas", program, "a/b", {"x": "y"}, ("l",), "me", rerun_of=7, schedule_time=1795318200.0, start_within=9.0
    )

    assert expected == draft_of(value)


def test_no_field_forgotten() -> None:
    """What the model can hold, a body can say, but for what only the scheduler gives: a stop rule, attempts, steps."""
    own = {"stop_rule", "attempt", "root", "step", "plan"}

    assert {each.name for each in fields(Program)} == set(ProgramBody.__struct_fields__)
    assert {each.name for each in fields(Stop)} == set(StopBody.__struct_fields__)
    assert {each.name.removesuffix("_id") for each in fields(Draft)} - own == set(DraftBody.__struct_fields__)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({}, "runs[0]: lacks 'host'"),
        ({"host": "nas"}, "runs[0]: lacks 'program'"),
        ({**DRAFT, "hosts": 1}, "runs[0]: unknown 'hosts'; did you mean 'host'?"),
        ({"host": "nas", "program": {"comand": "x"}}, "runs[0].program: unknown 'comand'; did you mean 'command'?"),
        (
            {"host": "nas", "program": {"command": "x", "stop": {"sig": "x"}}},
            "runs[0].program.stop: unknown 'sig'; did you mean 'signal'?",
        ),
        ({"host": 3, "program": {}}, "runs[0].host: expected text, got a whole number"),
        ({"host": "nas", "program": {"argv": "ls"}}, "runs[0].program.argv: expected a list, got text"),
        (
            {"host": "nas", "program": {"command": "x", "timeout": "2h"}},
            "runs[0].program.timeout: expected a number or null, got text",
        ),
        ({"host": "a b", "program": {"command": "x"}}, "runs[0].host: 'a b' cannot be the name of a host"),
        ({**DRAFT, "rerun_of": "x"}, "runs[0].rerun_of: 'x' is no run"),
        ({**DRAFT, "schedule_time": "2026-11-22T03:30:00"}, "runs[0].schedule_time: '2026-11-22T03:30:00' lacks"),
        ({**DRAFT, "schedule_time": "tomorrow"}, "runs[0].schedule_time: 'tomorrow' is no time"),
        ({"host": "nas", "program": {"command": "a\0b"}}, "runs[0].program.command: holds a NUL byte"),
        (
            {"host": "nas", "program": {"command": "x", "stop": {"signal": 99}}},
            "runs[0].program.stop.signal: no signal is called '99'",
        ),
    ],
)  # fmt: skip
def test_mistake(run: dict[str, Any], message: str) -> None:
    """A mistake is one line that begins with its place."""
    with pytest.raises(UsageError) as caught:
        drafts(decode(json.dumps({"runs": [run]}).encode(), SubmitBody))

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_all_flaws() -> None:
    """All flaws of a run are named at once."""
    with pytest.raises(UsageError, match=r"host: .*; program\.umask: .*; program\.timeout: "):
        draft_of({"host": "", "program": {"command": "x", "umask": "9", "timeout": -1}})


@given(st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["runs", "host", "program", "x"]), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_garbage(data: bytes) -> None:
    """Whatever is sent, it is taken or refused with one line, and nothing else happens."""
    said = ""
    try:
        drafts(decode(data, SubmitBody))
    except UsageError as error:
        said = str(error)

    assert "\n" not in said


def test_instant() -> None:
    """A time is the same in every way of writing it."""

    assert {1795318200.0} == {
        instant(text, "at") for text in ("2026-11-22T03:30:00Z", "2026-11-22T04:30:00+01:00", "1795318200")
    }


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", ""])
def test_no_instant(text: str) -> None:
    """What is no point in time is none."""
    with pytest.raises(UsageError, match="at: "):
        instant(text, "at")
