"""A run of a job that other runs ask for, bound to the job as it is now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sshsched.domain.draft import Draft, draft_flaws
from sshsched.errors import UsageError
from sshsched.kinds.jobs import Job, Render, bind


def draft_of(job: Job, args: Mapping[str, str], spare: Mapping[str, str], by: str, render: Render) -> Draft:
    """The draft of a run with these args, and with those of `spare` that its params are named after.

    Raises ValueError with what is wrong.
    """
    inherited = {param.name: spare[param.name] for param in job.params if param.name in spare}
    try:
        bound = bind(job, {**inherited, **args}, render)
    except UsageError as error:
        raise ValueError(str(error)) from None
    draft = Draft(
        bound.host,
        bound.program,
        job.id,
        bound.args,
        bound.labels,
        by,
        plan=bound.plan,
        start_within=bound.start_within,
    )
    if wrong := "; ".join(f"{path}: {message}" for path, message in draft_flaws(draft)):
        raise ValueError(f"job '{job.id}': {wrong}")
    return draft
