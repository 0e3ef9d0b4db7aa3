"""What is wrong right now, and how to mend each of it.

Rule: pure. `findings()` judges a snapshot that somebody else has taken. What that does not hold is unknown, which is
said too and is nothing wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sshsched.cli.times import ago, span
from sshsched.domain.model import Run
from sshsched.domain.states import State
from sshsched.kinds.due import upcoming
from sshsched.kinds.jobs import Job
from sshsched.kinds.timetable import identities

Shape = dict[str, Any]

LATE: Final = 300.0
"""Seconds after which a run that is due and has not started is worth a word; a scheduler makes it within one."""

OVERDUE: Final = 120.0
"""Seconds after which a time of a schedule without a run is missing."""

LONG: Final = 3600.0
"""Seconds after which what should pass by itself has not."""

LITTLE: Final = 500_000_000
"""Bytes of free space."""


class Finding(NamedTuple):
    """One thing that is wrong. `kind` is for scripts, and stays."""

    kind: str
    message: str
    mend: str


@dataclass(frozen=True)
class Condition:
    """The snapshot. None is unknown; `scheduler` is what it says of itself, None if none runs.

    `integrity` is "ok" or what SQLite complains of, `loose` are paths that others may read or write, and `hosts` is
    what each host that was asked has answered, or why it has not.
    """

    now: float
    version: str
    state_dir: str
    scheduler: Shape | None = None
    store_problem: str = ""
    integrity: str | None = "ok"
    free: int | None = None
    inodes: int | None = None
    live: Sequence[Run] = ()
    timed: int = 0
    overdue: Sequence[tuple[str, float]] = ()
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    loose: Sequence[str] = ()
    service_ends: bool = False
    hosts: Mapping[str, Sequence[Shape] | str] = field(default_factory=dict)


def findings(at: Condition) -> list[Finding]:
    """All that is wrong, the gravest first."""
    return [*_scheduler(at), *_store(at), *_files(at), *_runs(at), *_hosts(at)]


def unknown(at: Condition) -> list[str]:
    """What could not be looked at, and what would tell it."""
    found = []
    if at.scheduler is None:
        found.append("how links to hosts stand: no scheduler runs")
    if at.integrity is None:
        found.append("whether the whole database is sound: it is too large to be read quickly")
    if not at.hosts:
        found.append("disks and settings of hosts: --hosts asks each of them")
    return found


def overdue(jobs: Iterable[Job], cursors: Mapping[tuple[str, str], float], now: float) -> Iterator[tuple[str, float]]:
    """Jobs of which a run is missing, and since when: a time that a schedule was not yet asked for.

    A schedule that no scheduler has ever seen has not begun.
    """
    for job in jobs:
        times = []
        for key, timed in zip(identities(job), job.schedules, strict=True):
            if timed.options.enabled and (cursor := cursors.get(key)) is not None:
                target = next(upcoming(timed.schedule, timed.options, cursor, job=job.id), None)
                if target is not None and target.at < now - OVERDUE:
                    times.append(target.at)
        if times:
            yield job.id, min(times)


def _scheduler(at: Condition) -> Iterator[Finding]:
    running = [run for run in at.live if run.on_host]
    if at.scheduler is None:
        if at.timed:
            yield Finding(
                "scheduler",
                f"no scheduler runs, and the schedules of {_count(at.timed, 'job')} wait for one",
                "`sshsched serve` is one; `sshsched service install` has the system keep it running",
            )
        elif running:
            yield Finding(
                "scheduler", f"no scheduler follows {_count(len(running), 'run')} on hosts", "`sshsched serve` does"
            )
    elif at.timed and at.scheduler["mode"] != "serve":
        yield Finding(
            "scheduler",
            f"the scheduler was started by `run` and runs no schedules; those of {_count(at.timed, 'job')} wait",
            "`sshsched serve` takes over from it",
        )
    if at.scheduler is not None and at.scheduler["version"] != at.version:
        yield Finding(
            "version",
            f"the scheduler is sshsched {at.scheduler['version']}, and this command {at.version}",
            "start the scheduler anew; programs on hosts go on",
        )
    if at.service_ends:
        yield Finding(
            "linger", "the service of the scheduler ends when you log out", "sudo loginctl enable-linger $USER"
        )


def _store(at: Condition) -> Iterator[Finding]:
    if at.store_problem:
        yield Finding("store", at.store_problem, "see there; nothing is started until it can be read and written")
    elif at.scheduler is not None and at.scheduler["store"] != "ok":
        yield Finding("store", str(at.scheduler["store"]), "see there; nothing is started until it can be written")
    if at.integrity not in ("ok", None):
        yield Finding(
            "integrity", f"{at.state_dir}/store.db is damaged: {at.integrity}", "end the scheduler, restore a backup"
        )
    if at.free is not None and at.free < LITTLE:
        yield Finding(
            "disk",
            f"{at.free / 1e6:.0f} MB are free for {at.state_dir}",
            "make room there; `sshsched archive --before 90d --to FILE` moves old runs to another disk",
        )
    if at.inodes == 0:
        yield Finding("disk", f"no more files can be made in {at.state_dir}: inodes are used up", "make room there")
    for path in at.loose:
        yield Finding("permissions", path, "chmod go-rwx on it, and on folders above it that are yours alone")


def _files(at: Condition) -> Iterator[Finding]:
    for problem in at.problems:
        yield Finding("job-files", problem, "`sshsched check` tells all; until then the job stays as it was last good")
    for warning in at.warnings:
        yield Finding("calendar", warning, "add what comes next to the calendar")
    for job, since in at.overdue:
        mend = "`sshsched serve` makes up for it" if at.scheduler is None else "`sshsched status` and its log tell more"
        yield Finding("overdue", f"job '{job}' was due {ago(since, at.now)}, and there is no run of that", mend)
    told = (at.scheduler or {}).get("jobs") or {}
    for each in told.get("dropped", ()):
        yield Finding("missed", f"job '{each['job']}': {each['message']}", "`sshsched run` makes up for what you need")


def _runs(at: Condition) -> Iterator[Finding]:
    for run in at.live:
        what = f"{run.name}{f' of {run.job_id}' if run.job_id else ''} on {run.host}"
        if run.state in (State.SCHEDULED, State.WAITING) and at.now - run.due_at > LATE:
            why = f": {run.message}" if run.message else ""
            yield Finding("late", f"{what} was due {ago(run.due_at, at.now)} and waits{why}", _why_late(run))
        elif run.on_host and run.unreachable_since is not None and at.now - run.unreachable_since > LONG:
            yield Finding(
                "orphaned",
                f"{what} is {run.state}, and its host has been out of reach for {span(at.now - run.unreachable_since)}",
                f"`sshsched hosts check {run.host}`; its end is found out as soon as the host answers",
            )
        elif run.state is State.STOPPING and run.survivors:
            pids = ", ".join(map(str, run.survivors))
            yield Finding(
                "survivors", f"{what} was stopped, and processes of it live on: {pids}", f"end them on {run.host}"
            )
        elif run.state is State.STOPPING and run.stop_asked and _stop_took(run, at.now) > LATE:
            yield Finding(
                "stopping",
                f"{what} was asked to stop {ago(run.stop_asked.at, at.now)} and has not",
                f"`sshsched show {run.name}` tells how it stands",
            )
        elif run.finished and not run.settled and at.now - (run.finished_at or run.created_at) > LONG:
            yield Finding(
                "unsettled",
                f"{what} ended {ago(run.finished_at or run.created_at, at.now)}, and its spool is still there",
                f"`sshsched hosts check {run.host}`; it is fetched as soon as the host answers",
            )


def _why_late(run: Run) -> str:
    return f"`sshsched show {run.name}` tells what holds it, `sshsched skip {run.name}` gives it up"


def _stop_took(run: Run, now: float) -> float:
    """Since the time at which the host was to have ended it."""
    assert run.stop_asked is not None
    return now - run.stop_asked.at - run.stop_asked.grace


def _hosts(at: Condition) -> Iterator[Finding]:
    for host in (at.scheduler or {}).get("hosts", ()):
        if host["state"] == "unreachable" and host["host"] not in at.hosts:
            yield Finding(
                "unreachable",
                f"{host['host']}: {host['problem']} (since {host['since']})",
                f"`sshsched hosts check {host['host']}`",
            )
    for name, answer in at.hosts.items():
        if isinstance(answer, str):
            yield Finding("unreachable", answer, f"`sshsched hosts check {name}`, and `ssh {name}`")
            continue
        for fact in answer:
            if fact["verdict"] == "warning":
                yield Finding(
                    "host", f"{name}: {fact['what']} {fact['value']}: {fact['meaning']}", fact["mend"] or "see there"
                )


def _count(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"
