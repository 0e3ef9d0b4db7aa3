"""What a reload changes.

Rule: pure. A job whose file has problems, or depends on a file that has some, stays as it was last good. If it was not
known before, it is taken only if it is itself good and the trouble is elsewhere in its own file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sshsched.domain.shape import Shape
from sshsched.errors import Problem
from sshsched.kinds.due import warning
from sshsched.kinds.jobs import Job, Scheduled

DEFAULTS: Final = "/_defaults.yaml"
SETTINGS: Final = "config.yaml"


@dataclass(frozen=True, slots=True)
class Changes:
    """The jobs as they are to be, and how they differ from those before. `kept` are those that stay as last good."""

    jobs: Mapping[str, Job]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    held: Collection[str] = ()
    """Files and folders of which nothing certain is known."""

    @property
    def any(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def holds(self, job_id: str) -> bool:
        """Whether a job of this id may be in a file that cannot be read now."""
        return any(is_held(f"jobs/{'/'.join(words)}.yaml", self.held) for words in _beginnings(job_id.split("/")))

    def words(self) -> str:
        """12 jobs, 2 added, 1 changed, 1 problem"""
        counts = {"added": self.added, "removed": self.removed, "changed": self.changed, "kept as they were": self.kept}
        told = [f"{len(names)} {word}" for word, names in counts.items() if names]
        return ", ".join([f"{len(self.jobs)} jobs", *told, f"{len(self.problems)} problems"])

    def shape(self) -> Shape:
        return {
            "jobs": len(self.jobs),
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": list(self.changed),
            "kept": list(self.kept),
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }


def compare(old: Mapping[str, Job], new: Mapping[str, Job], problems: Sequence[Problem], now: float) -> Changes:
    """From the jobs of before to those of the files now."""
    held = {problem.file.removesuffix(DEFAULTS) for problem in problems}
    jobs: dict[str, Job] = {}
    kept: list[str] = []
    for job_id, job in old.items():
        if is_held(job.file, held):
            jobs[job_id] = job
            kept.append(job_id)
    known = {job.file for job in jobs.values()}
    above = held - {problem.file for problem in problems if not problem.file.endswith(DEFAULTS)}
    for job_id, job in new.items():
        if job_id not in jobs and job.file not in known and not is_held(job.file, above):
            before = old.get(job_id)
            same = before is job or (before == job and before is not None and before.file == job.file)
            jobs[job_id] = before if same and before is not None else job
    return Changes(
        jobs,
        added=tuple(sorted(jobs.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - jobs.keys())),
        changed=tuple(
            sorted(name for name in jobs.keys() & old.keys() if jobs[name] is not old[name] and jobs[name] != old[name])
        ),
        kept=tuple(sorted(kept)),
        problems=tuple(map(str, problems)),
        warnings=warnings(jobs, now),
        held=held,
    )


def warnings(jobs: Mapping[str, Job], now: float) -> tuple[str, ...]:
    """Calendars that end soon."""
    found = ((job.id, _warning(each, now)) for job in jobs.values() for each in job.schedules)
    return tuple(f"job '{job_id}': {text}" for job_id, text in found if text)


def _warning(timed: Scheduled, now: float) -> str | None:
    try:
        return warning(timed.schedule, now)
    except Exception as error:  # the code of a schedule may be anybody's
        return f"its calendar cannot be asked: {error!r}"


def is_held(file: str, held: Collection[str]) -> bool:
    """Whether a file, a folder above it, or the settings are among these."""
    if not held:
        return False
    words = file.split("/")
    return SETTINGS in held or any("/".join(part) in held for part in _beginnings(words))


def _beginnings(words: list[str]) -> list[list[str]]:
    return [words[:length] for length in range(1, len(words) + 1)]
