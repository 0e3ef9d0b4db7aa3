"""Alerts on absence: whether a job has succeeded by the times that its file expects.

Rule: what we do not know is no absence. While a run of the job may have ended on a host that has not been heard of
since this scheduler came up, the look waits; but not for long, for then it is news in itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sshsched.domain.instructions import Notice
from sshsched.domain.model import Run
from sshsched.domain.plan import Deed
from sshsched.domain.shape import iso
from sshsched.engine.rounds import EXPECT, Look, Round
from sshsched.kinds.actions.base import is_delivered
from sshsched.kinds.actions.follow import notices
from sshsched.kinds.jobs import Expect, Job
from sshsched.kinds.rules import action
from sshsched.kinds.schedules.daily import Daily
from sshsched.kinds.zones import wall

PATIENCE = 60.0  # seconds after the start of a scheduler for which news of runs are waited for
ABSENT = "absent"

log = logging.getLogger("sshsched")


@dataclass(frozen=True, slots=True)
class Absences:
    """`succeeded` asks the store, and blocks; `live` are the runs of a job that are not settled.

    `usual` are the actions of all jobs, and `began` is when this scheduler did.
    """

    succeeded: Callable[[str, float, float], bool]
    live: Callable[[str], Mapping[int, Run]]
    usual: Callable[[], Sequence[Deed]]
    began: float

    def rounds(self, jobs: Iterable[Job]) -> Iterator[Round]:
        """One for each expectation of these jobs."""
        for job in jobs:
            for expect in job.expects:
                yield self._round(job, expect)

    def _round(self, job: Job, expect: Expect) -> Round:
        times = Daily(expect.tz, (expect.success_by,), expect.calendar)

        async def look(at: Look) -> Sequence[Notice] | None:
            live = self.live(job.id).values()
            if at.by < self.began and at.now < self.began + PATIENCE and any(run.on_host for run in live):
                return None
            if await asyncio.to_thread(self.succeeded, job.id, at.since, at.by):
                return ()
            return list(absent(job, deeds(job, expect, self.usual()), expect, at, live))

        return Round((job.id, f"{EXPECT}{times}"), times, look)


def absent(job: Job, told: Sequence[Deed], expect: Expect, look: Look, live: Iterable[Run]) -> Iterator[Notice]:
    """The notices that a job has not succeeded in time, one for each recipient."""
    facts = {
        "job": job.id,
        "by": f"{wall(look.by, expect.tz):%Y-%m-%d %H:%M} ({expect.tz})",
        "since": f"{wall(look.since, expect.tz):%Y-%m-%d %H:%M}",
        "by_time": iso(look.by),
        "missed": look.missed,
        "live": [_line(run) for run in live if not run.finished],
    }
    for index, deed in enumerate(told):
        name = f"{ABSENT}-{job.id}-{index}-{round(look.by * 1000)}"
        yield from notices(action(deed), deed, name, ABSENT, facts, look.now, job_id=job.id)


def deeds(job: Job, expect: Expect, usual: Sequence[Deed]) -> Sequence[Deed]:
    """Who is told: whom the expectation names; else what answers `absent`; else what answers failures."""
    if expect.deeds:
        return expect.deeds
    every = [deed for deed in (*job.plan.actions, *usual) if _tells(deed)]
    found = [deed for deed in every if ABSENT in deed.on]
    return found or [deed for deed in every if "failure" in deed.on]


def _tells(deed: Deed) -> bool:
    try:
        return is_delivered(action(deed))
    except ValueError as error:  # of a kind that is gone, say
        log.warning("action '%s': %s", deed.kind, error)
        return False


def _line(run: Run) -> str:
    host = f" on {run.host}" if run.host else ""
    away = f", not heard of since {iso(run.unreachable_since)}" if run.unreachable_since else ""
    return f"{run.name} {run.state}{host}{away}{f': {run.message}' if run.message else ''}"
