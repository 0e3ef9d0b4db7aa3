"""Taking the snapshot that `doctor` judges: files, store, disk, and the scheduler if one runs.

Rule: nothing is changed, and whatever cannot be looked at leaves the rest of the snapshot whole.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sshsched import __version__
from sshsched.cli.health import Condition, overdue
from sshsched.errors import HostError, NoSchedulerError, SchedulerError, StoreError

if TYPE_CHECKING:
    from sshsched.cli.app import App

Shape = dict[str, Any]
QUICKLY = 2.0  # seconds that reading through the database may take
ASKED_AT_ONCE = 8  # hosts
OURS = ("store.db", "output", "archive.db", "archive.db.output", "lock")
PEOPLES = ("config.yaml", "hosts.yaml", "jobs", "calendars")


def condition(app: App, *, hosts: bool) -> Condition:
    """How things stand. With `hosts`, each host that matters is asked, which takes a connection to each."""
    now = time.time()
    found = Condition(now, __version__, str(app.state_dir), scheduler=_scheduler(app))
    found = replace(_with_store(app, found), loose=[*_loose(app)], service_ends=_service_ends())
    found = _with_disk(app, found)
    return replace(found, hosts=_asked(app, found)) if hosts and found.scheduler else found


def _scheduler(app: App) -> Shape | None:
    try:
        return app.scheduler()
    except NoSchedulerError:
        return None


def _with_store(app: App, found: Condition) -> Condition:
    cursors: dict[tuple[str, str], float] = {}
    try:
        with app.reader() as reader:
            found = replace(found, live=reader.live(), integrity=reader.integrity(QUICKLY))
            cursors = reader.cursors()
    except StoreError as error:
        found = replace(found, store_problem=str(error), integrity=None)
    return _with_jobs(app, found, cursors)


def _with_jobs(app: App, found: Condition, cursors: dict[tuple[str, str], float]) -> Condition:
    from sshsched.config.hosts import load_hosts
    from sshsched.config.jobs import load_jobs
    from sshsched.engine.changes import warnings
    from sshsched.errors import ConfigError

    loaded = load_jobs(app.config_dir)
    problems = [str(problem) for problem in loaded.problems]
    try:
        load_hosts(app.config_dir)
    except ConfigError as error:
        problems += [str(problem) for problem in error.problems if str(problem) not in problems]
    timed = [job for job in loaded.jobs.values() if any(each.options.enabled for each in job.schedules)]
    told = (found.scheduler or {}).get("jobs") or {}
    problems += [text for text in told.get("problems", ()) if text not in problems]
    return replace(
        found,
        timed=len(timed),
        problems=problems,
        warnings=warnings(loaded.jobs, found.now),
        overdue=[*overdue(timed, cursors, found.now)],
    )


def _with_disk(app: App, found: Condition) -> Condition:
    try:
        disk = os.statvfs(app.state_dir)
    except OSError:  # no folder yet
        return found
    # Some file systems have no fixed number of inodes, and say that there are 0 of 0.
    return replace(found, free=disk.f_bavail * disk.f_frsize, inodes=disk.f_favail if disk.f_files else None)


def _loose(app: App) -> Iterator[str]:
    """What others can read of ours, and what they could change for us to run."""
    private = [app.state_dir, *(app.state_dir / name for name in OURS)]
    yield from _with_mode(private, 0o077, "others can get at it")
    yield from _with_mode([app.config_dir, *_files(app.config_dir)], 0o022, "others can change what is run")
    yield from _with_mode(app.config_dir.glob("secrets*"), 0o077, "others can read secrets")


def _with_mode(paths: Iterable[Path], bits: int, what: str) -> Iterator[str]:
    for path in paths:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue
        if mode & bits:
            yield f"{path} has mode {mode:03o}: {what}"


def _files(config_dir: Path) -> Iterator[Path]:
    for name in PEOPLES:
        yield config_dir / name
        yield from (config_dir / name).rglob("*")


def _service_ends() -> bool:
    """Whether the scheduler is a service of systemd that does not outlive its user's login."""
    from sshsched.cli.commands.service import installed
    from sshsched.cli.program import user_name

    linger = Path("/var/lib/systemd/linger")
    return linger.parent.is_dir() and installed() and not (linger / user_name()).exists()


def _asked(app: App, found: Condition) -> dict[str, Sequence[Shape] | str]:
    names = [str(host["host"]) for host in (found.scheduler or {})["hosts"]]

    def ask(name: str) -> Sequence[Shape] | str:
        try:
            with app.client() as client:  # one for each thread
                answer: list[Shape] = client.check_host(name)["findings"]
                return answer
        except (HostError, SchedulerError) as error:
            return str(error)

    with ThreadPoolExecutor(ASKED_AT_ONCE) as threads:
        return dict(zip(names, threads.map(ask, names), strict=True))
