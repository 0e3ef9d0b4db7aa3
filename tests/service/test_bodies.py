"""What clients may send is taken exactly, and each mistake is one line with its place."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.draft import Draft
from sshsched.domain.plan import Deed, Flow, Plan, Retry, Rule, Step
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
    own = {"stop_rule", "attempt", "root", "step"}

    assert {each.name for each in fields(Program)} == set(ProgramBody.__struct_fields__)
    assert {each.name for each in fields(Stop)} == set(StopBody.__struct_fields__)
    assert {each.name.removesuffix("_id") for each in fields(Draft)} - own == set(DraftBody.__struct_fields__)


def test_a_plan_is_data() -> None:
    """What a job file decides can be sent as it is, and comes to the same plan."""
    plan = Plan(
        conditions=(Rule("dependency", {"job": "load", "args": {"date": "x"}}, 60.0, "skip"),),
        actions=(Deed("exec", {"command": "true"}, ("failure",)),),
        retry=Retry(3, 1.0, on=("error", "75")),
        locks={"db": 2},
        strategy="sticky",
        secrets={"A": "a/b"},
        flow=Flow((Step("one", "nas", Program(command="x"), plan=Plan(priority=3)),)),
    )

    assert plan == draft_of({**DRAFT, "plan": asdict(plan)}).plan


WRONG_PLANS: list[tuple[dict[str, Any], str]] = [
    ({"condition": []}, "plan: unknown 'condition'; did you mean 'conditions'?"),
    (
        {"conditions": [{"kind": "manual", "option": {}}]},
        "plan.conditions[0]: unknown 'option'; did you mean 'options'?",
    ),
    ({"conditions": [{"kind": "manul"}]}, "plan.conditions[0]: manul: unknown 'manul'; did you mean 'manual'?"),
    ({"conditions": [{"kind": "max_running", "options": {"count": 0}}]}, "plan.conditions[0]: max_running: count: "),
    ({"actions": [{"kind": "exec", "on": ["late"]}]}, "plan.actions[0]: exec: the key 'command' is missing"),
    (
        {"actions": [{"kind": "exec", "options": {"command": "x"}, "on": ["lat"]}]},
        "plan.actions[0].on: unknown 'lat'; did",
    ),
    ({"retry": {"count": -1}}, "plan.retry.count: -1 is no number from 0 to 100000"),
    (
        {"retry": {"factor": 0.5, "jitter": 2, "on": ["won"]}},
        "plan.retry.factor: 0.5 is no number from 1 to 100000; plan.",
    ),
    ({"locks": {"a b": 0}}, "plan.locks: 'a b': 0 is no lock; names have no spaces and no commas, counts are above 0"),
    ({"strategy": "stiky"}, "plan.strategy: unknown 'stiky'; did you mean 'sticky'?"),
    ({"max_wait": -1}, "plan.max_wait: -1.0 is no duration; give seconds, from 0 to 1000000000"),
    ({"secrets": {"1": "x"}}, "plan.secrets: '1': 'x' is no variable with a name of a secret"),
    ({"priority": "high"}, "plan.priority: Expected `int`, got `str`"),
    (
        {"flow": {"steps": [{"name": "a", "host": "b", "program": {"argv": ["x"]}, "plan": {"locks": {"db": 0}}}]}},
        "plan.flow.steps[0].plan.locks: 'db': 0 is no lock",
    ),
]


@pytest.mark.parametrize(("plan", "message"), WRONG_PLANS, ids=[message[:40] for _, message in WRONG_PLANS])
def test_a_wrong_plan_is_refused(plan: dict[str, Any], message: str) -> None:
    """With the place and the remedy, and before any run is made of it."""
    with pytest.raises(UsageError) as raised:
        draft_of({**DRAFT, "plan": plan})

    assert str(raised.value).startswith(message)


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
        ({"host": "nas", "program": {"argv": ["ls", "\udcff"]}}, "runs[0].program.argv[1]: is not valid UTF-8"),
        ({"host": "nas", "program": {"command": "x", "env": {"\udcff": "1"}}}, "runs[0].program.env: is not valid"),
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
