"""Steps of a workflow that are runs of other jobs: what those jobs are now becomes part of the workflow.

Rule: pure. What a root run needs is in it, so a job that changes later changes no workflow that has begun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sshsched.domain.plan import NO_PLAN, Step
from sshsched.kinds.jobs import Job

Find = Callable[[str], Job | None]
Flaw = tuple[str, str]
"""The name of a step, and what is wrong with it."""


def names_jobs(job: Job) -> bool:
    """Whether a step of it is a run of another job."""
    return job.plan.flow is not None and any(step.job for step in job.plan.flow.steps)


def with_jobs(job: Job, find: Find) -> tuple[Job, list[Flaw]]:
    """The job with those that its steps name, and all that is wrong with them."""
    flow = job.plan.flow
    if flow is None or not names_jobs(job):
        return job, []
    wrong: list[Flaw] = []
    steps = []
    for step in flow.steps:
        found, flaw = _with_job(step, find) if step.job else (step, "")
        steps.append(found)
        if flaw:
            wrong.append((step.name.partition("[")[0], flaw))
    plan = replace(job.plan, flow=replace(flow, steps=tuple(steps)))
    return replace(job, plan=plan), list(dict.fromkeys(wrong))


def _with_job(step: Step, find: Find) -> tuple[Step, str]:
    other = find(step.job)
    if other is None:
        return step, f"there is no good job '{step.job}'"
    if other.plan.flow is not None:
        return step, f"job '{step.job}' is a workflow itself; a step cannot be one"
    params = {param.name: param for param in other.params}
    if unknown := [name for name in step.args if name not in params]:
        return step, f"job '{step.job}' has no param '{unknown[0]}'; it has {', '.join(params) or 'none'}"
    args = {name: step.args.get(name, param.default) for name, param in params.items()}
    if missing := [name for name, value in args.items() if value is None]:
        return step, f"job '{step.job}' needs the arg '{missing[0]}'"
    for name, value in args.items():
        choices = params[name].choices
        if choices and "{" not in (value or "") and value not in choices:
            return step, f"{name} must be one of {', '.join(choices)}; it is {value!r}"
    whole = {name: value for name, value in args.items() if value is not None}
    plan = None if other.plan == NO_PLAN else other.plan
    return replace(step, host=other.host, program=other.program, plan=plan, args=whole), ""
