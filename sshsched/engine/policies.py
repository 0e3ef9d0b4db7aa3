"""Which limits hold for which runs: what job files and config.yaml say, made into policies.

Rule: where a file cannot be read, nobody knows what it says of how long runs are kept, so the runs that it may be about
stay. So do those that a dependency with `within` may still be met by.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sshsched.config.jobs import load_jobs
from sshsched.config.settings import load_settings
from sshsched.config.templates import is_template
from sshsched.domain.model import Run
from sshsched.domain.retention import Retention, ended_at
from sshsched.engine.changes import Changes, compare
from sshsched.kinds.targets import remembers
from sshsched.store.history import Policy

ANY = ""
"""Stands for every job."""


@dataclass(frozen=True)
class Policies:
    """`spared` are runs that stay whatever a policy says."""

    policies: Sequence[Policy]
    spared: Callable[[Run], bool] = lambda _run: False


def policies_of(
    known: Changes, general: Retention | None, live: Iterable[Run] = (), now: float | None = None
) -> Policies:
    """A job's own limits hold for its runs; the general ones for all others, taken together.

    `live` are the runs whose conditions may still ask for the past, beside all that the jobs will make from `now` on.
    """
    own = {job.id: job.retention for job in known.jobs.values() if job.retention is not None}
    found = [Policy(limits, job=job_id) for job_id, limits in own.items()]
    if general is not None:
        found.append(Policy(general, apart=frozenset(own)))
    since = _needed(known, live, time.time() if now is None else now)

    def spared(run: Run) -> bool:
        if run.job_id is None:
            return False
        return known.holds(run.job_id) or ended_at(run) >= min(since.get(run.job_id, math.inf), since[ANY])

    return Policies(found, spared)


def _needed(known: Changes, live: Iterable[Run], now: float) -> dict[str, float]:
    """Since when ended runs of a job may still meet a dependency; of any job where its name is a template."""
    since = {ANY: math.inf}
    plans = [(job.plan, now) for job in known.jobs.values()]
    for plan, due in (*plans, *((run.plan, min(run.due_at, now)) for run in live)):
        steps = (step.plan for step in (plan.flow.steps if plan.flow else ()) if step.plan is not None)
        for rule in (rule for each in (plan, *steps) for rule in each.conditions):
            for name, within in remembers(rule):
                target = ANY if is_template(name) else name
                since[target] = min(since.get(target, math.inf), due - within)
    return since


def load_policies(config_dir: Path, known: Changes | None = None, live: Iterable[Run] = ()) -> Policies:
    """What holds now, for these jobs, or those of the files. Blocks. Raises ConfigError for a bad config.yaml."""
    general = load_settings(config_dir).retention
    if known is None:
        loaded = load_jobs(config_dir)
        known = compare({}, loaded.jobs, loaded.problems, time.time())
    return policies_of(known, general, live)
