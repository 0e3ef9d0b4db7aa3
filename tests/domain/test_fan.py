"""A run on all hosts of a group: a workflow, with a canary before the rest and a limit of failures."""

from __future__ import annotations

from sshsched.domain.draft import Draft
from sshsched.domain.fan import fanned_out
from sshsched.domain.plan import Deed, Fan, Plan, Retry
from sshsched.domain.program import Program
from sshsched.domain.view import Group

GROUPS = {"@web": Group(("a", "b", "c")), "@all": Group(("a", "b", "c"), "all", Fan(1, 1)), "@none": Group((), "all")}
PROGRAM = Program(command="echo {{.Names}}")


def draft(host: str, **plan: object) -> Draft:
    return Draft(host, PROGRAM, plan=Plan(**plan))  # type: ignore[arg-type]


def test_what_is_not_fanned_out() -> None:
    """A host, a group out of which one is chosen, an empty one, and a step stay as they are."""
    for each in (draft("a"), draft("@web"), draft("@gone"), draft("@none"), draft("@all", strategy="first")):
        assert each is fanned_out(each, GROUPS)


def test_a_step_for_each_host() -> None:
    """Each host has a step of its name, with the program just as it is; the first is the canary."""
    made = fanned_out(draft("@all"), GROUPS)
    flow = made.plan.flow

    assert flow is not None
    assert ("", Program()) == (made.host, made.program)
    assert [("a", ()), ("b", ("a",)), ("c", ("a",))] == [(step.name, step.needs) for step in flow.steps]
    assert all(step.bound and step.program == PROGRAM for step in flow.steps)
    assert ("fail", 1) == (flow.on_failure, flow.max_fail)


def test_a_job_says_how() -> None:
    """What a job says goes before what its group says."""
    flow = fanned_out(draft("@web", strategy="all", fan=Fan(canary=2)), GROUPS).plan.flow

    assert flow is not None
    assert [(), (), ("a", "b")] == [step.needs for step in flow.steps]
    assert flow.max_fail is None


def test_what_is_each_steps_own() -> None:
    """Retries, locks and secrets are for each host; actions tell of the whole."""
    deed = Deed("notify", {}, ("failure",))
    made = fanned_out(draft("@all", retry=Retry(2), locks={"db": 1}, secrets={"A": "b"}, actions=(deed,)), GROUPS)
    flow = made.plan.flow

    assert flow is not None
    assert Plan(retry=Retry(2), locks={"db": 1}, secrets={"A": "b"}) == flow.steps[0].plan
    assert Plan(actions=(deed,), flow=flow) == made.plan
