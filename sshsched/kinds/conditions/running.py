"""Conditions that count a job's other runs: not too many at a time, and none twice.

Rule: *stopping* counts as running. A run counts itself never, and steps of a workflow count as their root.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Literal

from msgspec import Meta

from sshsched.domain import keys
from sshsched.domain.model import Run
from sshsched.domain.states import FINISHED, ON_HOST, State
from sshsched.domain.view import Answer, Never, Ready, View, Wait
from sshsched.kinds.conditions.base import Condition

Same = Literal["same", "any"]
_SHOWN = 3


class MaxRunning(Condition, frozen=True, kw_only=True):
    """At most so many runs at a time: of this job with the same args, or with any, or of several jobs together."""

    count: Annotated[int, Meta(ge=1, description="how many may run at a time")] = 1
    args: Annotated[Same | None, Meta(description="which runs count: those with the same args (as a rule), or any")] = (
        None
    )
    jobs: Annotated[
        tuple[str, ...], Meta(description="count the runs of these jobs instead, with any args; each of them names all")
    ] = ()

    def __post_init__(self) -> None:
        if self.jobs and self.args == "same":
            raise ValueError("args: same is for the runs of one job; with 'jobs' all args count")

    def ask(self, run: Run, view: View, at: float) -> Answer:
        same = not self.jobs and self.args != "any"
        jobs = self.jobs or ((run.job_id,) if run.job_id is not None else ())
        kin = [view.running.get(keys.job(job, run.args if same else None), {}) for job in jobs]
        count = sum(len(some) - (run.id in some) for some in kin)
        if count < self.count:
            return Ready()
        others = (other.name for some in kin for other in some.values() if other.id != run.id)
        names = ", ".join(islice(others, _SHOWN)) + (" ..." if count > _SHOWN else "")
        alike = " with the same args" if same and run.args else ""
        most = f"at most {self.count} of {', '.join(jobs)}{alike} may run at a time"
        room = tuple(keys.room(job, run.args if same else None) for job in jobs)
        return Wait(f"{names} to end: {most}", room)


class SkipDuplicate(Condition, frozen=True, kw_only=True):
    """Skipped if the same is running, or waits and was there before. It never waits."""

    states: Annotated[
        tuple[State, ...], Meta(min_length=1, description="what the other run must be in to be one too many")
    ] = (State.WAITING, State.STARTING, State.RUNNING, State.STOPPING)
    args: Annotated[Same, Meta(description="what is the same: runs with the same args, or any of the job")] = "same"

    def ask(self, run: Run, view: View, at: float) -> Answer:
        key = keys.job(run.job_id or "", run.args if self.args == "same" else None)
        for other in self._others(run, key, view):
            if other.id != run.id and other.state in self.states and (other.state not in _BEFORE or other.id < run.id):
                return Never(f"{other.name}, which is {other.state}, does the same", State.SKIPPED)
        return Ready()

    def _others(self, run: Run, key: str, view: View) -> Iterator[Run]:
        """Those that may be one too many: of the many that may wait, the oldest is enough, for the oldest stays."""
        yield from view.running.get(key, {}).values()
        if not ON_HOST.issuperset(self.states):
            for other in view.by_job.get(key, {}).values():
                if other.id >= run.id:
                    break
                yield other
        if not FINISHED.isdisjoint(self.states):
            yield from view.by_job.get(key, {}).values()


_BEFORE = frozenset({State.SCHEDULED, State.WAITING})
