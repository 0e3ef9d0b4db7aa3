"""The daily digest: what the last day was like, from the store and the job files alone.

Rule: it is put together when its time comes and kept with the notice, so that a second delivery says the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Protocol

from sshsched.config.telling import Digest
from sshsched.domain.instructions import Notice
from sshsched.domain.model import Run
from sshsched.domain.states import LIVE, State
from sshsched.engine.rounds import DIGEST, Look, Round
from sshsched.kinds.actions.base import DIGEST as OCCASION
from sshsched.kinds.actions.facts import what
from sshsched.kinds.actions.follow import notices
from sshsched.kinds.due import upcoming
from sshsched.kinds.jobs import Job
from sshsched.kinds.rules import action
from sshsched.kinds.schedules.daily import Daily
from sshsched.kinds.zones import wall
from sshsched.store.filter import RunFilter

MOST = 20  # lines of each kind; how many more there are is said
MOST_LIVE = 1000
AD_HOC = "(ad hoc)"


class Past(Protocol):
    """What is asked of the store. Blocks."""

    def ended(self, since: float, until: float) -> Mapping[str | None, Mapping[State, int]]: ...
    def runs(self, where: RunFilter, *, limit: int, before: int | None = None) -> list[Run]: ...
    def holds(self) -> Mapping[str, str]: ...
    def untold(self) -> Sequence[Notice]: ...


@dataclass(frozen=True, slots=True)
class Digests:
    """`facts` puts them together, and blocks: from when to when, and in which zone."""

    facts: Callable[[float, float, str], Mapping[str, Any]]

    def round(self, wanted: Digest, usual_tz: str) -> Round:
        """The digest that somebody wants."""
        tz = wanted.tz or usual_tz
        times = Daily(tz, (wanted.at,))

        async def look(at: Look) -> Sequence[Notice]:
            facts = await asyncio.to_thread(self.facts, at.since, at.by, tz)
            name = f"{OCCASION}-{round(at.by * 1000)}"
            return list(notices(action(wanted.deed), wanted.deed, name, OCCASION, facts, at.now))

        return Round(("", f"{DIGEST}{times}"), times, look)


def facts_of_day(past: Past, jobs: Iterable[Job], since: float, until: float, tz: str) -> dict[str, Any]:
    """What runs came to between two instants, how things stand, and what comes next."""
    live = past.runs(RunFilter(states=frozenset(LIVE)), limit=MOST_LIVE)
    ended = past.ended(since, until)
    return {
        "since": shown(since, tz),
        "until": f"{shown(until, tz)} ({tz})",
        "jobs": {name or AD_HOC: {str(state): n for state, n in counts.items()} for name, counts in ended.items()},
        "late": _few([_run(run) for run in live if "late" in run.warned and run.started_at is None]),
        "long": _few([_run(run) for run in live if "long" in run.warned]),
        "held": _few(
            [f"{key}: {words}" for key, words in past.holds().items()]
            + [_run(run, run.held) for run in live if run.held]
        ),
        "unreachable": _few([_run(run) for run in live if run.unreachable_since is not None]),
        "untold": _few([_untold(each) for each in past.untold() if each.problem]),
        "next": [f"{shown(at, tz)}  {name}" for at, name in coming(jobs, until, 10)],
    }


def _untold(notice: Notice) -> str:
    whose = f"r{notice.run_id}" if notice.run_id else notice.job_id
    return f"{whose}: {what(notice)}: {notice.problem}" if whose else f"{what(notice)}: {notice.problem}"


def coming(jobs: Iterable[Job], after: float, count: int) -> list[tuple[float, str]]:
    """The next time of each of the jobs that come first."""
    firsts = (
        (target.at, job.id)
        for job in jobs
        for timed in job.schedules
        if timed.options.enabled
        and (target := next(upcoming(timed.schedule, timed.options, after, job=job.id), None)) is not None
    )
    return nsmallest(count, firsts)


def shown(at: float, tz: str) -> str:
    return f"{wall(at, tz):%Y-%m-%d %H:%M}"


def _run(run: Run, why: str = "") -> str:
    where = f" on {run.host}" if run.host else ""
    words = why or run.message
    return f"{run.name} {run.job_id or AD_HOC}{where}: {run.state}{f', {words}' if words else ''}"


def _few(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST
    return [*lines[:MOST], f"and {more} more"] if more > 0 else list(lines)
