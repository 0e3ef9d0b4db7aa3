"""`check`: everything that is wrong with the files of a folder, without a scheduler or a network."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import note, say
from sshsched.errors import ConfigError, Problem, UsageError

if TYPE_CHECKING:
    from sshsched.config.hosts import Hosts
    from sshsched.config.jobs import Loaded
    from sshsched.kinds.jobs import Bound, Job, Render


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def check(app: App, path: Path | None, as_json: bool) -> int:
    """Say all that is wrong with job files, calendars, hosts.yaml and config.yaml, and end with 2 if anything is.

    PATH is another config folder, or a file or folder of job files within one. The next run of each schedule is bound,
    and what it asks of other jobs is looked up. There are warnings of what can never run and of calendars that end.
    """
    from sshsched.config.jobs import load_jobs

    gc.disable()  # we are gone before it would pay
    config_dir, prefix = _place(app.config_dir if path is None else path.expanduser().absolute())
    now = time.time()
    loaded = load_jobs(config_dir)
    jobs = [job for job in loaded.jobs.values() if job.file.startswith(prefix)]
    problems = [problem for problem in loaded.problems if problem.file.startswith(prefix)]
    hosts, wrong = _hosts(config_dir)
    if not prefix:
        problems += wrong
    warnings: list[Problem] = []
    _look_at(jobs, config_dir, loaded, hosts, now, problems, warnings)
    if as_json:
        found = {"problems": [each._asdict() for each in problems], "warnings": [each._asdict() for each in warnings]}
        say(json.dumps({**found, "jobs": len(jobs)}, indent=2))
    else:
        _tell(jobs, problems, warnings)
    return ConfigError.exit_code if problems else 0


def _place(path: Path) -> tuple[Path, str]:
    """The config folder, and how the files in question begin. Raises UsageError."""
    if (path / "jobs").is_dir():
        return path, ""
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    for folder in (path, *path.parents):
        if folder.name == "jobs" and folder.is_dir():
            return folder.parent, str(path.relative_to(folder.parent)) + ("/" if path.is_dir() else "")
    if path.is_dir():
        return path, ""
    raise UsageError(f"{path}: it is not in a folder called jobs, so no job id can be made of its path; put it there")


def _hosts(config_dir: Path) -> tuple[Hosts | None, list[Problem]]:
    from sshsched.config.hosts import load_hosts

    try:
        return load_hosts(config_dir), []
    except ConfigError as error:
        return None, [problem for problem in error.problems if problem.file != "config.yaml"]  # told with the jobs


def _look_at(
    jobs: list[Job],
    config_dir: Path,
    loaded: Loaded,
    hosts: Hosts | None,
    now: float,
    problems: list[Problem],
    warnings: list[Problem],
) -> None:
    """What shows only once values are known, and only beside other files."""
    from sshsched.cli.complete import ssh_aliases
    from sshsched.config.linked import Links
    from sshsched.config.renderer import renderer
    from sshsched.config.surroundings import Surroundings

    render = renderer(config_dir)
    unread = {problem.file for problem in loaded.problems}
    links = Links(loaded.jobs, hosts, Surroundings(config_dir).settings, unread, render, set(ssh_aliases()))
    for job in jobs:
        bound_once = False
        for args, at, line in _runs(job, now, warnings):
            bound = _bound(job, args, render, at, line, problems)
            if bound is not None:
                links.look(job, bound, at)
            bound_once = True
        if not bound_once:
            links.look(job, None, now)
    problems += links.problems()
    warnings += links.warnings()


def _runs(job: Job, now: float, warnings: list[Problem]) -> Iterator[tuple[dict[str, str], float, int]]:
    """The next run of each schedule, or one with the defaults alone: args, time, and the line that says so."""
    from sshsched.cli.ahead import args_of, first_target, never
    from sshsched.kinds.due import warning
    from sshsched.kinds.schedules.reboot import Reboot

    for timed in job.schedules:
        target = first_target(job, timed, now)
        if target is not None:
            yield args_of(job, timed, target), target.scheduled, timed.line
            text = warning(timed.schedule, now) or ""
        else:
            expected = timed.options.enabled and not isinstance(timed.schedule, Reboot)
            text = never(job, timed, now) if expected else ""
        if text:
            warnings.append(Problem(job.file, timed.line, 1, "", text))
    if not job.schedules and all(param.default is not None for param in job.params):
        yield {}, now, job.line


def _bound(
    job: Job, args: dict[str, str], render: Render, at: float, line: int, problems: list[Problem]
) -> Bound | None:
    from sshsched.kinds.drafts import drafted
    from sshsched.kinds.jobs import bind

    bound, wrong = None, ""
    try:
        bound = bind(job, args, render, at)
        _, wrong = drafted(bound, "check")
    except UsageError as error:
        wrong = str(error)
    if wrong:
        problems.append(Problem(job.file, line, 1, "", wrong))
    return bound


def _tell(jobs: list[Job], problems: list[Problem], warnings: list[Problem]) -> None:
    for problem in problems:
        say(safe_line(str(problem)))
    for problem in warnings:
        place, _, text = str(problem).partition(": ")
        say(safe_line(f"{place}: warning: {text}"))
    schedules = sum(len(job.schedules) for job in jobs)
    counts = [(len(jobs), "job"), (schedules, "schedule"), (len(problems), "problem"), (len(warnings), "warning")]
    note(", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts))
