"""Which runs stay because somebody may still ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from sshsched.domain.model import Run
from sshsched.domain.plan import Flow, Plan, Rule, Step
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.engine.changes import compare
from sshsched.engine.policies import policies_of
from sshsched.kinds.jobs import Job

NOW, DAY = 1_800_000_000.0, 86400.0
WEEK: dict[str, Any] = {"job": "load", "within": "7d"}


def rule(**options: Any) -> Rule:
    return Rule("dependency", {"job": "load", **options})


def ended(ago: float, job: str = "load") -> Run:
    return Run(1, "box", Program("x"), NOW - 99 * DAY, State.SUCCESS, job_id=job, finished_at=NOW - ago)


def spares(plan: Plan, run: Run, *live: Run) -> bool:
    jobs = {name: Job(name, "box", Program("x"), file=f"jobs/{name}.yaml") for name in ("load", "other")}
    report = Job("report", "box", Program("x"), plan=plan, file="jobs/report.yaml")
    return policies_of(compare({}, {**jobs, "report": report}, [], NOW), None, live, NOW).spared(run)


@pytest.mark.parametrize(
    "plan",
    [
        Plan((rule(within="7d"),)),
        Plan((rule(within="1d"), rule(within="7d", args={"a": "b"}))),
        Plan((rule(within="7d", enabled="{{ weekly }}"),)),
        Plan((Rule("any", {"of": [{"type": "const", "value": True}, {"type": "dependency", **WEEK}]}),)),
        Plan(flow=Flow((Step("a", "box", Program("x"), plan=Plan((rule(within="7d"),))),))),
    ],
)
def test_what_a_dependency_may_still_be_met_by(plan: Plan) -> None:
    """A run of the job that is waited for stays for the longest `within`, wherever that stands; others do not."""
    assert spares(plan, ended(7 * DAY - 1))
    assert not spares(plan, ended(7 * DAY + 1))
    assert not spares(plan, ended(DAY, "other"))


@pytest.mark.parametrize("plan", [Plan(), Plan((rule(),)), Plan((Rule("no-such-kind", {"job": "load"}),))])
def test_without_a_within(plan: Plan) -> None:
    """Nothing else makes runs stay."""
    assert not spares(plan, ended(DAY))


def test_a_template_may_be_any_job() -> None:
    """Where only the run will know which job it waits for, the runs of all jobs stay."""
    assert spares(Plan((rule(job="{{ source }}", within="7d"),)), ended(6 * DAY, "other"))


def test_a_run_that_waits_counts_from_its_time() -> None:
    """A run that has waited for two days needs what ended before that."""
    plan = Plan((rule(within="1d"),))
    waits = Run(2, "box", Program("x"), NOW - 2 * DAY, State.WAITING, plan=plan)

    assert spares(Plan(), ended(3 * DAY - 1), waits)
    assert not spares(Plan(), ended(3 * DAY + 1), waits)
