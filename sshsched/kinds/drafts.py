"""A run of a job that other runs ask for, bound to the job as it is now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sshsched.domain.draft import Draft, draft_flaws
from sshsched.errors import UsageError
from sshsched.kinds.jobs import Bound, Job, Render, bind


def draft_of(job: Job, args: Mapping[str, str], spare: Mapping[str, str], by: str, render: Render) -> Draft:
    """The draft of a run with these args, and with those of `spare` that its params are named after.

    Raises ValueError with what is wrong.
    """
    inherited = {param.name: spare[param.name] for param in job.params if param.name in spare}
    try:
        bound = bind(job, {**inherited, **args}, render)
    except UsageError as error:
        raise ValueError(str(error)) from None
    draft, wrong = drafted(bound, by)
    if wrong:
        raise ValueError(wrong)
    return draft


def drafted(bound: Bound, by: str, schedule_time: float | None = None, stop_rule: str = "") -> tuple[Draft, str]:
    """The draft of a job that is bound, and what is wrong with it; empty if nothing is."""
    draft = Draft(
        bound.host,
        bound.program,
        bound.job_id,
        bound.args,
        bound.labels,
        by,
        plan=bound.plan,
        schedule_time=schedule_time,
        start_within=bound.start_within,
        stop_rule=stop_rule,
    )
    wrong = "; ".join(f"{path}: {message}" for path, message in draft_flaws(draft))
    return draft, wrong and f"job '{bound.job_id}': {wrong}"
