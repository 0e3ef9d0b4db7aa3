"""What lies ahead of jobs: their coming times, and what does not run in between.

Rule: pure but for the texts that it makes; `now` is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple

from sshsched.cli.times import utc
from sshsched.domain.shape import iso
from sshsched.kinds.due import explain
from sshsched.kinds.jobs import Job, Scheduled
from sshsched.kinds.schedules.base import Schedule, Skip, Target, Why
from sshsched.kinds.zones import zone

MOST_SKIPS: Final = 100


class Coming(NamedTuple):
    """A time of a job's schedule, or one that is left out."""

    at: float
    job: Job
    timed: Scheduled
    entry: Target | Skip

    @property
    def skipped(self) -> bool:
        return isinstance(self.entry, Skip)


def coming(jobs: Iterable[Job], after: float, count: int) -> list[Coming]:
    """The first so many times of all these jobs after an instant, earliest first. Disabled schedules have none."""
    streams = [_stream(job, timed, after) for job in jobs for timed in job.schedules if timed.options.enabled]
    return list(islice(merge(*streams, key=lambda each: each.at), count))


def _stream(job: Job, timed: Scheduled, after: float) -> Iterator[Coming]:
    return (Coming(entry.at, job, timed, entry) for entry in explained(job, timed, after))


def explained(job: Job, timed: Scheduled, after: float) -> Iterator[Target | Skip]:
    """All that comes after an instant. A schedule whose code fails, which may be anybody's, ends there."""
    at = after
    try:
        for entry in explain(timed.schedule, timed.options, after, job=job.id):
            at = entry.at
            yield entry
    except Exception as error:
        yield Skip(at, Why.FAILED, f"its code fails: {type(error).__name__}: {error}")


def next_time(job: Job, now: float) -> float | None:
    """When the next run of a job is due."""
    firsts = (first_target(job, timed, now) for timed in job.schedules)
    return min((target.at for target in firsts if target is not None), default=None)


def first_target(job: Job, timed: Scheduled, now: float) -> Target | None:
    """The next time of a schedule."""
    if not timed.options.enabled:
        return None
    return next((entry for entry in explained(job, timed, now) if isinstance(entry, Target)), None)


def zone_of(schedule: Schedule, usual: str) -> str:
    """The zone that a schedule is meant in; intervals have none."""
    found: str = getattr(schedule, "tz", usual)
    return found


def local(at: float, tz: str) -> str:
    """A time for people, in the zone of its schedule."""
    return datetime.fromtimestamp(at, zone(tz)).strftime("%Y-%m-%d %H:%M:%S %z")


def comment(each: Coming) -> str:
    """What is special about a time, or why it does not come."""
    if isinstance(each.entry, Skip):
        return f"skipped: {each.entry.note}"
    moved = each.entry.at - each.entry.scheduled
    jitter = f"jitter: {moved:g} s after {utc(each.entry.scheduled)}" if moved else ""
    return "; ".join(filter(None, (each.entry.note, jitter)))


def coming_shape(each: Coming, usual: str) -> dict[str, Any]:
    """The same for scripts. `why` is null for a time that runs."""
    tz = zone_of(each.timed.schedule, usual)
    target = each.entry if isinstance(each.entry, Target) else None
    return {
        "job": each.job.id,
        "at": iso(each.at),
        "scheduled": iso(target.scheduled) if target else None,
        "local": datetime.fromtimestamp(each.at, zone(tz)).isoformat(),
        "tz": tz,
        "schedule": str(each.timed.schedule),
        "args": args_of(each.job, each.timed, target) if target else {},
        "why": None if isinstance(each.entry, Target) else str(each.entry.why),
        "note": comment(each),
    }


def args_of(job: Job, timed: Scheduled, target: Target) -> dict[str, str]:
    """What a run at that time is told by its schedule."""
    return timed.options.run_args(target, {param.name for param in job.params})


def summary(job: Job) -> str:
    """The schedules of a job in one cell."""
    texts = [str(timed.schedule) + ("" if timed.options.enabled else " [disabled]") for timed in job.schedules]
    return "; ".join(texts)


def never(job: Job, timed: Scheduled, now: float) -> str:
    """Why a schedule has no next run, for one that has none."""
    last = None
    for entry in islice(explained(job, timed, now), MOST_SKIPS):
        last = entry
    reason = last.note if isinstance(last, Skip) else "all its times have passed, or there is no such date"
    return f"{timed.schedule} never runs again: {reason}"
