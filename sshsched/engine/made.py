"""Runs before they are saved: from a draft, and from a time of a schedule.

Rule: a run that cannot be bound to its job is made all the same, and has failed with the reason: no time passes unseen.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sshsched.domain.draft import Draft
from sshsched.domain.fan import fanned_out
from sshsched.domain.instructions import Over
from sshsched.domain.line import is_group
from sshsched.domain.model import Output, Reason, Run
from sshsched.domain.states import State
from sshsched.domain.view import Group
from sshsched.domain.words import SCHEDULE
from sshsched.kinds.drafts import drafted
from sshsched.kinds.jobs import Job, Render, Scheduled, bind
from sshsched.kinds.options import stop_rule, stop_time
from sshsched.kinds.schedules.base import Target


@dataclass(frozen=True, slots=True)
class Made:
    """A run that is to be made. If there is a problem, it has failed before it began."""

    draft: Draft
    problem: str = ""

    @property
    def over(self) -> Over | None:
        return Over(State.ERROR, Reason.CONFIG, self.problem) if self.problem else None


def made(job: Job, timed: Scheduled, target: Target, render: Render) -> Made:
    """The run of a target, bound to its job as that is now."""
    args = timed.options.run_args(target, {param.name for param in job.params})
    rule = stop_rule(timed.options.stop)
    try:
        bound = bind(job, args, render, target.scheduled)
    except Exception as error:  # UsageError, or whatever a template's own code runs into: it costs this run only
        unbound = Draft(
            job.host,
            job.program,
            job.id,
            args,
            job.labels,
            SCHEDULE,
            schedule_time=target.scheduled,
            stop_rule=rule,
            plan=replace(job.plan, conditions=()),  # its actions tell of the error
        )
        return Made(unbound, str(error))
    return Made(*drafted(bound, SCHEDULE, target.scheduled, rule))


class Maker:
    """Gives ids to runs; `last_id` is the highest that the store has ever seen.

    A run on all hosts of a group becomes a workflow here, with the hosts that are in it now.
    """

    def __init__(self, last_id: int, groups: Mapping[str, Group] | None = None) -> None:
        self._last_id = last_id
        self._groups = {} if groups is None else groups

    def copy(self) -> Maker:
        """One whose runs nobody ever sees."""
        return Maker(self._last_id)

    def run(self, draft: Draft, now: float, not_before: float | None = None, over: Over | None = None) -> Run:
        """A new run. What lies ahead is scheduled; what is due, or was, waits, unless it is over before it begins."""
        self._last_id += 1
        draft = draft if over else fanned_out(draft, self._groups)
        later = any(time is not None and time > now for time in (draft.schedule_time, not_before))
        state = State.SCHEDULED if later else State.WAITING
        due_at = now if draft.schedule_time is None else draft.schedule_time
        run = Run(
            id=self._last_id,
            host="" if is_group(draft.host) else draft.host,
            asked=draft.host,
            program=draft.program,
            created_at=now,
            state=over.state if over else state,
            key=secrets.token_hex(4),
            job_id=draft.job_id,
            args=draft.args,
            labels=draft.labels,
            by=draft.by,
            rerun_of=draft.rerun_of,
            attempt=draft.attempt,
            root=draft.root,
            step=draft.step,
            plan=draft.plan,
            not_before=not_before,
            schedule_time=draft.schedule_time,
            start_within=draft.start_within,
            stop_rule=draft.stop_rule,
            stop_at=stop_time(draft.stop_rule, due_at),
            reason=over.reason if over else Reason.CREATED,
            message=over.why if over else "",
            waiting_since=None if later or over else now,
            finished_at=now if over else None,
            cleaned=over is not None,
            output=Output(complete=over is not None),
        )
        if over is None or (took := over.took) is None:
            return run
        return replace(run, host=took.host, outcome=took.outcome, values=took.values)
