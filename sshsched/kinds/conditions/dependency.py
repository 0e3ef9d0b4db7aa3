"""Another job has to have come to an end first, as a rule with success.

A run *matches* if it is of that job and its args hold those that are given; an arg that is not given counts as the
waiting run's own wherever both have one of that name. A run never matches itself, nor does a step of a workflow, nor an
attempt after which another was made.

The past counts back from the time for which the waiting run was scheduled, so what has been good enough for it stays so
however long it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated

from msgspec import Meta

from sshsched.domain import keys
from sshsched.domain.model import Run
from sshsched.domain.states import FINISHED, MOVES, State
from sshsched.domain.view import Answer, Never, Ready, View, Wait
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.written import Seconds

States = tuple[State, ...]


class Dependency(Condition, frozen=True, kw_only=True):
    """A run of another job is in one of these states."""

    job: Annotated[str, Meta(min_length=1, description="the job whose run is waited for")]
    args: Annotated[Mapping[str, str], Meta(description="what that run's args must be; others are this run's own")] = {}
    states: Annotated[States, Meta(min_length=1, description="what it must have come to")] = (State.SUCCESS,)
    exist: Annotated[
        bool | States,
        Meta(description="true: an error at once unless such a run exists that can still come to it; or these states"),
    ] = False
    within: Annotated[
        Seconds | None, Meta(description="how long before this run's scheduled time it may have ended at most")
    ] = None

    def ask(self, run: Run, view: View, at: float) -> Answer:
        wanted = frozenset(self.states)
        if self._found(wanted, run, view):
            return Ready()
        what = f"{' or '.join(self.states)} of {self._named(run)}"
        if self.exist is not False:
            enough = reaching(wanted) if self.exist is True else frozenset(self.exist)
            if not self._found(enough, run, view):
                return Never(f"it depends on {what}, and there is no run that could come to it")
        key = keys.ended if wanted <= FINISHED and isinstance(self.exist, bool) else keys.job
        return Wait(what, (key(self.job, self._whole(run, view)), keys.names(self.job)))

    def targets(self, run_args: Mapping[str, str]) -> Iterable[tuple[str, Mapping[str, str]]]:
        return ((self.job, self.args),)

    def remembers(self) -> Iterable[tuple[str, float]]:
        return () if self.within is None else ((self.job, self.within),)

    def _found(self, states: frozenset[State], run: Run, view: View) -> bool:
        since = 0.0 if self.within is None else run.due_at - self.within
        if any(other.state in states for other in self._live(run, view, since)):
            return True
        ended = states & FINISHED
        return bool(ended) and view.past.found(self.job, self.args, ended, since, self._own(run)) is not None

    def _live(self, run: Run, view: View, since: float) -> Iterator[Run]:
        own = self._own(run)
        for other in view.by_job.get(keys.job(self.job, self._whole(run, view)), {}).values():
            if other.id == run.id or other.retried_by is not None:
                continue
            if other.finished and (other.finished_at or 0.0) < since:
                continue
            if holds(other.args, self.args) and all(
                other.args.get(name, value) == value for name, value in own.items()
            ):
                yield other

    def _whole(self, run: Run, view: View) -> dict[str, str] | None:
        """All args of the run that is waited for, if its job's newest run shows which there are and all are known.

        So thousands that wait for one job, each with args of its own, cost each other nothing.
        """
        names = view.names.get(self.job)
        names = view.past.names(self.job) if names is None else names
        known = {**run.args, **self.args}
        if names is None or not self.args.keys() <= names or not names <= known.keys():
            return None
        return {name: known[name] for name in names}

    def _own(self, run: Run) -> dict[str, str]:
        return {name: value for name, value in run.args.items() if name not in self.args}

    def _named(self, run: Run) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.args.items())
        return f"{self.job} ({told})" if told else self.job


def holds(args: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether args have all of these values."""
    return all(args.get(name) == value for name, value in wanted.items())


@cache
def reaching(targets: frozenset[State]) -> frozenset[State]:
    """The states from which one of these can be reached, and these."""
    found = set(targets)
    while more := {state for state, after in MOVES.items() if after & found} - found:
        found |= more
    return frozenset(found)
