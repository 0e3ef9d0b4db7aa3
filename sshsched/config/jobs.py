"""A folder of job files.

Rule: one bad file never stops the others. Its problems come back beside the jobs; asking for one of its jobs says them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sshsched.config.defaults import Defaults
from sshsched.config.folder import JOB_WORD, JOBS, JobFile, job_files
from sshsched.config.job import job_schema, read_job
from sshsched.config.nodes import Entry, Problems, UnreadableError, place, shown
from sshsched.config.nodes import Mapping as MappingNode
from sshsched.config.programs import Entries
from sshsched.config.reading import Schema
from sshsched.config.strict import read_file
from sshsched.config.surroundings import Surroundings
from sshsched.domain.nearest import nearest, suggest
from sshsched.errors import ConfigError, NotFoundError, Problem, SshschedError
from sshsched.kinds.jobs import Job

MOST_LISTED = 12  # jobs, in one line

Read = Callable[[JobFile, Surroundings, Defaults], tuple[list[Job], list[Problem]]]


class Loaded(NamedTuple):
    """The good jobs by id, and what is wrong in the other files."""

    jobs: Mapping[str, Job]
    problems: list[Problem]


def load_jobs(config_dir: Path, read: Read | None = None) -> Loaded:
    """All jobs of a folder, each file read by `read` or read_jobs(). Never raises for what is in a file."""
    problems: list[Problem] = []
    around, defaults = Surroundings(config_dir), Defaults(config_dir)
    jobs: dict[str, Job] = {}
    for file in job_files(config_dir, problems):
        found, wrong = (read or read_jobs)(file, around, defaults)
        problems += wrong
        for job in found:
            if job.id in jobs:
                message = f"the job '{job.id}' is also in {jobs[job.id].file}; rename one of them"
                problems.append(Problem(job.file, job.line, 1, "", message))
            else:
                jobs[job.id] = job
    around.read_all()
    whole, wrong = _with_jobs(jobs)
    return Loaded(whole, [*around.problems, *defaults.problems, *problems, *wrong])


def load_job(config_dir: Path, job_id: str) -> Job:
    """One job, reading no job file but its own and those of the jobs that its steps name.

    Raises ConfigError if one of them is bad, NotFoundError if there is no such job.
    """
    return _with_its_jobs(config_dir, _load_one(config_dir, job_id))


def _load_one(config_dir: Path, job_id: str) -> Job:
    problems: list[Problem] = []
    around, defaults = Surroundings(config_dir), Defaults(config_dir)
    _ = around.settings
    if around.problems:
        raise ConfigError(around.problems)
    for file in _candidates(config_dir, job_id):
        jobs, wrong = read_jobs(file, around, defaults)
        for job in jobs:
            if job.id == job_id:
                return job
        problems += wrong
    if problems := [*around.problems, *defaults.problems, *problems]:
        raise ConfigError(problems)
    raise _no_job(config_dir, job_id)


def _with_jobs(jobs: dict[str, Job]) -> tuple[dict[str, Job], list[Problem]]:
    """The jobs with those that their steps name; what names a job that is not good is no good job either."""
    if not any(job.plan.flow is not None for job in jobs.values()):
        return jobs, []
    from sshsched.kinds.job_steps import with_jobs

    good, wrong = {}, []
    for job in jobs.values():
        whole, flaws = with_jobs(job, jobs.get)
        wrong += _problems(job, flaws)
        if not flaws:
            good[job.id] = whole
    return good, wrong


def _with_its_jobs(config_dir: Path, job: Job) -> Job:
    if job.plan.flow is None:
        return job
    from sshsched.kinds.job_steps import with_jobs

    def find(job_id: str) -> Job | None:
        try:
            return _load_one(config_dir, job_id)
        except NotFoundError:
            return None

    whole, flaws = with_jobs(job, find)
    if flaws:
        raise ConfigError(_problems(job, flaws))
    return whole


def _problems(job: Job, flaws: list[tuple[str, str]]) -> list[Problem]:
    return [
        Problem(job.file, job.places.get(f"steps.{step}", job.line), 1, f"steps.{step}", flaw) for step, flaw in flaws
    ]


def read_jobs(file: JobFile, around: Surroundings, defaults: Defaults) -> tuple[list[Job], list[Problem]]:
    """The good jobs of one file, and its problems. A file that has just gone holds nothing."""
    problems = Problems(file.label)
    jobs: list[Job] = []
    try:
        root = read_file(file.path, problems)
        torn = bool(problems.found)  # a key that stands twice may mean either, so no job of this file is sure
        for job in _jobs(root, file.base, problems, around, defaults.of(file.base)):
            jobs += [] if torn else [job]
    except (FileNotFoundError, NotADirectoryError, UnreadableError):
        pass  # gone, or noted
    return jobs, problems.sorted()


def _jobs(
    root: MappingNode | None, base: str, problems: Problems, around: Surroundings, defaults: Entries
) -> Iterator[Job]:
    if root is None:
        raise problems.refuse(place(1, 1), "is empty; a job needs `host: ...` and `command: ...`")
    if "jobs" not in root.entries:
        yield read_job(root, base, problems, around, defaults)
        return
    for name, entry in _entries(root, problems).items():
        try:
            if not re.fullmatch(JOB_WORD, name):
                raise problems.refuse(entry.key, f"{shown(name)} is no name of a job; use no spaces and no slashes")
            yield read_job(entry.value, f"{base}/{name}", problems, around, defaults)
        except UnreadableError:
            continue  # the next one may be good


def job_file_schema() -> Schema:
    """The JSON Schema of a job file: one job, or several under `jobs:`."""
    several: Schema = {
        "type": "object",
        "properties": {
            "jobs": {
                "description": "several jobs by name; each id is the path of the file, a slash and the name",
                "type": "object",
                "propertyNames": {"pattern": f"^(?:{JOB_WORD})$"},
                "additionalProperties": {"$ref": "#/$defs/job"},
            }
        },
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a job file of sshsched",
        "$defs": {"job": job_schema()},
        "if": {"required": ["jobs"]},
        "then": several,
        "else": {"$ref": "#/$defs/job"},
    }


def _entries(root: MappingNode, problems: Problems) -> dict[str, Entry]:
    """The mapping under `jobs:`, which stands alone in its file."""
    for name, entry in root.entries.items():
        if name != "jobs":
            problems.add(entry.key, "stands beside 'jobs'; move it into each job that needs it")
    node = root.entries["jobs"].value
    if isinstance(node, MappingNode) and node.entries:
        return node.entries
    raise problems.refuse(node, "has no jobs in it; write `jobs: {name: {host: ..., command: ...}}`")


def _candidates(config_dir: Path, job_id: str) -> Iterator[JobFile]:
    """The files that may hold this job: jobs/db/dump.yaml, and jobs/db.yaml if that has a job called `dump`."""
    words = job_id.split("/")
    if all(re.fullmatch(JOB_WORD, word) for word in words):
        for length in range(len(words), 0, -1):
            base = "/".join(words[:length])
            yield JobFile(config_dir / JOBS / f"{base}.yaml", base)


def _suggested(job_id: str, known: Collection[str]) -> str:
    if nearest(job_id, known) or len(known) <= MOST_LISTED:
        return suggest(job_id, known)
    return "; `sshsched jobs` lists them"


def _no_job(config_dir: Path, job_id: str) -> SshschedError:
    problems: list[Problem] = []
    files = [file.base for file in job_files(config_dir, problems)]
    near = [problem for problem in problems if problem.file.startswith(f"{JOBS}/{job_id}")]
    if near:  # such as a file that ends in .yml
        return ConfigError(near)
    jobs = load_jobs(config_dir).jobs
    unread = set(files) - {base for job in jobs.values() for base in (job.id, job.id.rpartition("/")[0])}
    there = _suggested(job_id, {*jobs, *unread}) if files else f"; there is no job file in {config_dir / JOBS}"
    return NotFoundError(f"no job {shown(job_id)}{there}")
