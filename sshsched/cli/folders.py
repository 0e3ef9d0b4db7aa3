"""Job files as commands want them: loaded, narrowed down, with a word on those that are bad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sshsched.cli.streams import note

if TYPE_CHECKING:
    from sshsched.cli.app import App
    from sshsched.config.jobs import Loaded
    from sshsched.kinds.jobs import Job


def load(app: App) -> Loaded:
    """All jobs; if files are bad, one line to the standard error says so."""
    from sshsched.config.jobs import load_jobs

    loaded = load_jobs(app.config_dir)
    if loaded.problems:
        count = len(loaded.problems)
        problems = "1 problem" if count == 1 else f"{count} problems"
        note(f"{problems} in job files; `sshsched check` tells them")
    return loaded


def named(app: App, name: str) -> list[Job]:
    """The job of this id, or those under `reports/*`. Raises NotFoundError, ConfigError."""
    from sshsched.config.jobs import load_job

    if not name.endswith("/*"):
        return [load_job(app.config_dir, name)]
    return [job for job in load(app).jobs.values() if job.id.startswith(name[:-1])]


def usual_zone(app: App) -> str:
    """The zone of schedules that name none."""
    from sshsched.config.surroundings import Surroundings

    return Surroundings(app.config_dir).tz


def labelled(jobs: Iterable[Job], labels: tuple[str, ...]) -> list[Job]:
    """Those that have all these labels."""
    return [job for job in jobs if set(labels) <= set(job.labels)]
