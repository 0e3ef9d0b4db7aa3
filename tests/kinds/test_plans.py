"""Binding a plan: what its conditions become once the args of a run are known, and what is refused then."""

from __future__ import annotations

from typing import Any

import pytest

from sshsched.domain.plan import Deed, Plan, Retry, Rule
from sshsched.domain.program import Program
from sshsched.errors import UsageError
from sshsched.kinds.jobs import Job, Param, bind
from tests.kinds.test_jobs import braces

PARAMS = (Param("date"), Param("region", "us"), Param("yes", "true"))


def bound(plan: Plan, **args: str) -> Plan:
    """The plan of a run with these args."""
    job = Job("a", "h", Program(command="c"), PARAMS, plan=plan)
    return bind(job, {"date": "d1", **args}, braces).plan


def test_all_texts_of_conditions_are_filled_in() -> None:
    """However deep they lie; what is no text stays."""
    written = {
        "of": [{"type": "dependency", "job": "load/<region>", "args": {"date": "<date>"}}, {"type": "const"}],
    }
    filled = {
        "of": [{"type": "dependency", "job": "load/us", "args": {"date": "d1"}}, {"type": "const"}],
    }
    plan = Plan(conditions=(Rule("any", written, 60.0, "skip"), Rule("max_running", {"count": 2})))

    assert (Rule("any", filled, 60.0, "skip"), Rule("max_running", {"count": 2})) == bound(plan).conditions


def test_a_number_may_come_out_of_a_template() -> None:
    """Its form is looked at when it has been filled in."""
    plan = Plan(conditions=(Rule("max_running", {"count": "<region>"}),))

    assert (Rule("max_running", {"count": "3"}),) == bound(plan, region="3").conditions
    with pytest.raises(UsageError, match=r"^job 'a': condition\[0\]: max_running: count: expected a whole number"):
        bound(plan, region="many")


@pytest.mark.parametrize("text", ["false", "False", "no", "NO", "off", "0", "none", "None", "", "  "])
def test_a_condition_that_is_not_enabled_is_left_out(text: str) -> None:
    """All that people and templates mean by no."""
    plan = Plan(conditions=(Rule("manual", {"enabled": "<yes>"}), Rule("skip_duplicate")))

    assert (Rule("skip_duplicate"),) == bound(plan, yes=text).conditions


@pytest.mark.parametrize("text", ["true", "yes", "1", "on", "whatever"])
def test_a_condition_that_is_enabled_stays(text: str) -> None:
    """All else means yes, and the word is gone."""
    plan = Plan(conditions=(Rule("manual", {"enabled": "<yes>", "message": "<date>"}),))

    assert (Rule("manual", {"message": "d1"}),) == bound(plan, yes=text).conditions


def test_locks_are_filled_in() -> None:
    """Two that come to the same name are one, of which both are held."""
    plan = Plan(locks={"db-<region>": 1, "db-us": 2, "tape": 1})

    assert {"db-us": 3, "tape": 1} == bound(plan).locks


def test_the_rest_stays_as_it_is() -> None:
    """The texts of actions tell of what has not happened yet."""
    plan = Plan(actions=(Deed("exec", {"command": "echo <state>"}, ("failure",)),), retry=Retry(3), priority=2)

    assert plan == bound(plan)


WRONG: dict[str, tuple[Rule, str]] = {
    "an unknown kind": (Rule("manul"), "condition[0]: manul: unknown 'manul'; did you mean 'manual'?"),
    "an unknown option": (Rule("manual", {"nope": "x"}), "condition[0]: manual: unknown 'nope'; "),
    "a template that fails": (Rule("manual", {"message": "<bad>"}), "condition[0].message: the template fails"),
    "in a part": (
        Rule("any", {"of": [{"type": "manual", "message": "<bad>"}]}),
        "condition[0].of[0].message: the template fails",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_an_error_of_the_run(case: str) -> None:
    """Before it waits for anything."""
    rule, message = WRONG[case]
    with pytest.raises(UsageError) as raised:
        bound(Plan(conditions=(rule,)))

    assert str(raised.value).startswith(f"job 'a': {message}")


ASKED: dict[str, Any] = {"@web": True, "tags:linux,gpu": True, "web1": True, "-x": False, "tags:": False, "@a b": False}


@pytest.mark.parametrize("host", ASKED)
def test_a_template_may_give_a_group(host: str) -> None:
    """A host, a group or tags, and nothing that ssh could take for an option."""
    job = Job("a", "<date>", Program(command="c"), PARAMS)
    try:
        found = bind(job, {"date": host}, braces).host
    except UsageError:
        found = ""

    assert (host if ASKED[host] else "") == found
