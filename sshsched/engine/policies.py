"""Which limits hold for which runs: what job files and config.yaml say, made into policies.

Rule: where a file cannot be read, nobody knows what it says of how long runs are kept, so the runs that it may be about
stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sshsched.config.jobs import load_jobs
from sshsched.config.settings import load_settings
from sshsched.domain.model import Run
from sshsched.domain.retention import Retention
from sshsched.engine.changes import Changes, compare
from sshsched.store.history import Policy


@dataclass(frozen=True)
class Policies:
    """`spared` are runs that stay whatever a policy says."""

    policies: Sequence[Policy]
    spared: Callable[[Run], bool] = lambda _run: False


def policies_of(known: Changes, general: Retention | None) -> Policies:
    """A job's own limits hold for its runs; the general ones for all others, taken together."""
    own = {job.id: job.retention for job in known.jobs.values() if job.retention is not None}
    found = [Policy(limits, job=job_id) for job_id, limits in own.items()]
    if general is not None:
        found.append(Policy(general, apart=frozenset(own)))
    return Policies(found, lambda run: run.job_id is not None and known.holds(run.job_id))


def load_policies(config_dir: Path, known: Changes | None = None) -> Policies:
    """What holds now, for these jobs, or those of the files. Blocks. Raises ConfigError for a bad config.yaml."""
    general = load_settings(config_dir).retention
    if known is None:
        loaded = load_jobs(config_dir)
        known = compare({}, loaded.jobs, loaded.problems, time.time())
    return policies_of(known, general)
