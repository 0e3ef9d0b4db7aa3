"""Kinds as decisions ask them: a mistake in one is an answer about that run, and about no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sshsched.config.templates import render
from sshsched.domain.draft import Draft
from sshsched.domain.instructions import Make, SaveNotice
from sshsched.domain.plan import Deed, Plan, Rule
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.domain.view import Never, Ready, Wait
from sshsched.errors import StoreBusyError
from sshsched.kinds.rules import AGAIN, KindRules
from tests.kinds.conditions.scene import NOW, Scene, run


def a_draft(job_id: str, args: Mapping[str, str], spare: Mapping[str, str], by: str) -> Draft:
    return Draft("nas", Program("true"), job_id, args)


RULES = KindRules(render, a_draft)


def asked(rule: Rule) -> Any:
    return RULES.ask(rule, run(), Scene().view, NOW)


def test_options_are_those_of_the_stored_run() -> None:
    """A rule is read as it was written, also after it has been through the store."""
    assert Ready() == asked(Rule("const", {"value": "true"}))
    assert Wait("success of load", ("ended:job:load", "names:load")) == asked(
        Rule("dependency", {"job": "load", "states": "success"})
    )


OWN = """
from sshsched.domain.view import Never, Ready, Wait
from sshsched.kinds.conditions.base import Condition


class Odd(Condition, frozen=True, kw_only=True):
    what: str = ""

    def ask(self, run, view, at):
        if self.what == "raise":
            raise ZeroDivisionError("division by zero")
        if self.what == "value":
            raise ValueError("the port is closed")
        if self.what == "recurse":
            return self.ask(run, view, at)
        return {"ready": Ready(), "yes": True}.get(self.what)
"""


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (Rule("gone"), "its condition is of kind 'gone', which is not installed here: unknown 'gone'; known: "),
        (Rule("gone.Tide"), "its condition is of kind 'gone.Tide', which is not installed here: 'gone.Tide' cannot be"),
        (Rule("const", {"valu": "x"}), "its condition 'const' failed: unknown 'valu'; did you mean 'value'?"),
        (Rule("dependency", {}), "its condition 'dependency' failed: the key 'job' is missing"),
        (Rule("odd.Odd", {"what": "raise"}), "its condition 'odd.Odd' failed: ZeroDivisionError: division by zero"),
        (Rule("odd.Odd", {"what": "value"}), "its condition 'odd.Odd' failed: the port is closed"),
        (Rule("odd.Odd", {"what": "recurse"}), "its condition 'odd.Odd' failed: RecursionError: "),
        (Rule("odd.Odd", {"what": "yes"}), "its condition 'odd.Odd' failed: it answered True, and not Ready, Wait or"),
        (Rule("odd.Odd", {}), "its condition 'odd.Odd' failed: it answered None, and not Ready, Wait or Never"),
    ],
)
def test_a_mistake_costs_that_run_only(own_folder: Path, rule: Rule, why: str) -> None:
    """Whatever is wrong with a condition ends its run with words that name it; another run's is asked as before."""
    (own_folder / "odd.py").write_text(OWN)
    answer = asked(rule)

    assert isinstance(answer, Never)
    assert State.ERROR is answer.state
    assert answer.why.startswith(why)
    assert Ready() == asked(Rule("odd.Odd", {"what": "ready"}))


def test_a_store_that_is_busy_is_no_mistake() -> None:
    """A run whose condition needs the past waits while the database cannot be read."""

    class Busy:
        def __getattr__(self, name: str) -> object:
            raise StoreBusyError("state.db: locked by another program")

    view = replace(Scene().view, past=Busy())
    answer = RULES.ask(Rule("dependency", {"job": "load"}), run(), view, NOW)

    assert Wait("the database: state.db: locked by another program", until=NOW + AGAIN) == answer


def test_a_condition_of_a_package(tides: Path) -> None:
    """A third party's condition is asked like ours."""
    answer = asked(Rule("tide", {"port": "Husum", "margin": "1h"}))

    assert isinstance(answer, Wait)
    assert "high water in Husum" == answer.why
    assert answer.until is not None
    assert Ready() == RULES.ask(Rule("tide", {"port": "Husum", "margin": "1h"}), run(), Scene().view, answer.until)


Follow = Callable[[Deed], list[Any]]


def follow(deed: Deed, **more: Any) -> list[Any]:
    """What an action of a run that has failed comes to."""
    return list(RULES.follow(run(7, State.FAILURE, plan=Plan(actions=(deed,)), **more), "failure", Scene().view, NOW))


def test_an_action_of_a_package(tides: Path) -> None:
    """A third party's action makes its run in the same turn, on its occasions and on no others."""
    (made,) = follow(Deed("bell", {"times": "3"}, ("failure",)))

    assert isinstance(made, Make)
    assert ("echo", "dong", "3", "r7") == made.draft.program.argv
    assert [] == follow(Deed("bell", {}, ("success",)))


@pytest.mark.parametrize(
    ("deed", "job", "problem"),
    [
        (Deed("bell", {}, ("failure",)), "mute", "the bell is cracked"),
        (Deed("bell", {"times": "0"}, ("failure",)), "load", "times: expected a whole number >= 1"),
        (Deed("gong", {}, ("failure",)), "load", "unknown 'gong'; known: bell, exec, notify, schedule"),
    ],
)
def test_a_mistake_in_an_action_is_told(tides: Path, deed: Deed, job: str, problem: str) -> None:
    """What is wrong with an action is kept with its run; the run's other actions follow."""
    good = Deed("bell", {}, ("failure",))
    plan = Plan(actions=(deed, good))
    told = list(RULES.follow(run(7, State.FAILURE, job=job, plan=plan), "failure", Scene().view, NOW))

    assert isinstance(told[0], SaveNotice)
    assert problem in told[0].notice.problem
    assert 2 == len(told)
    assert isinstance(told[1], Make) or job == "mute"


def test_templates() -> None:
    """Texts are filled in by the renderer that was given; what is wrong with one is a ValueError."""
    assert "a b" == RULES.fill("a {{ x }}", {"x": "b"})
    with pytest.raises(ValueError, match="nope"):
        RULES.fill("{{ nope }}", {})
