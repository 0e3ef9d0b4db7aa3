"""Shorthands of the tests of files. Rule: a test shows the text of the file that it is about."""

from __future__ import annotations

from pathlib import Path

from sshsched.config.jobs import Loaded, load_jobs
from sshsched.config.nodes import Node, Problems, UnreadableError
from sshsched.config.strict import compose
from sshsched.kinds.jobs import Job


def write(folder: Path, **files: str) -> Path:
    """Job files by id, with __ for a slash. Returns the folder."""
    for name, text in files.items():
        path = folder / "jobs" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def load(folder: Path, text: str) -> Loaded:
    """What a folder with this one file, jobs/job.yaml, holds."""
    return load_jobs(write(folder, job=text))


def job_of(folder: Path, text: str) -> Job:
    """The job of a file without problems."""
    loaded = load(folder, text)
    assert [] == loaded.problems
    return loaded.jobs["job"]


def problems_of(folder: Path, text: str) -> list[str]:
    """The problems of a file that has some, without its name."""
    loaded = load(folder, text)
    assert {} == loaded.jobs
    return [str(problem).removeprefix("jobs/job.yaml:") for problem in loaded.problems]


def composed(text: str) -> tuple[Node | None, list[str]]:
    """The tree of a text, and the problems without the name of the file."""
    problems = Problems("f")
    try:
        node = compose(text, problems)
    except UnreadableError:
        node = None
    return node, [str(problem).removeprefix("f:") for problem in problems.sorted()]
