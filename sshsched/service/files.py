"""The files of the config folder as a scheduler sees them that lives for years: read again when they have changed.

Rule: a file that has become bad is complained of once, and what was good before holds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from sshsched.config.hosts import FILE as HOSTS
from sshsched.config.hosts import Hosts, load_hosts
from sshsched.config.jobs import load_job
from sshsched.config.renderer import renderer
from sshsched.config.settings import FILE as SETTINGS
from sshsched.config.settings import Settings, load_settings
from sshsched.domain.draft import Draft
from sshsched.domain.view import Group
from sshsched.errors import ConfigError, SshschedError
from sshsched.kinds.drafts import draft_of
from sshsched.kinds.jobs import Job
from sshsched.remote.doors import Doors
from sshsched.remote.ssh import SshTransport
from sshsched.remote.transport import Connection

EVERY = 2.0  # seconds between looks at a file, if anybody asks

log = logging.getLogger("sshsched")
T = TypeVar("T")


class Newest(Generic[T]):
    """What some files say, read again when one of them has changed. Raises ConfigError if they are bad at first."""

    def __init__(self, read: Callable[[Path], T], config_dir: Path, *names: str) -> None:
        self._read = read
        self._config_dir = config_dir
        self._names = names
        self._looked = time.monotonic()
        self._stamp = self._stamped()
        self._found = read(config_dir)

    def __call__(self) -> T:
        if time.monotonic() - self._looked > EVERY:
            self._looked = time.monotonic()
            if (stamp := self._stamped()) != self._stamp:
                self._stamp = stamp
                try:
                    self._found = self._read(self._config_dir)
                except ConfigError as error:
                    log.error("%s; what was read before holds", error)
        return self._found

    def _stamped(self) -> list[object]:
        found: list[object] = []
        for name in self._names:
            try:
                status = (self._config_dir / name).stat()
                found.append((status.st_mtime_ns, status.st_ino, status.st_size))
            except OSError:
                found.append(None)
        return found


def newest_hosts(config_dir: Path) -> Newest[Hosts]:
    """hosts.yaml, which takes its usual slots from config.yaml."""
    return Newest(load_hosts, config_dir, HOSTS, SETTINGS)


def newest_settings(config_dir: Path) -> Newest[Settings]:
    """config.yaml"""
    return Newest(load_settings, config_dir, SETTINGS)


def group(hosts: Hosts, asked: str) -> Group | None:
    """What @GROUP or tags:A,B stands for; None if there is no such group, or no host has these tags."""
    if asked.startswith("@"):
        return hosts.groups.get(asked.removeprefix("@"))
    tagged = hosts.tagged(asked.removeprefix("tags:"))
    return tagged if tagged.hosts else None


class JobDrafts:
    """Drafts of runs of jobs as they are now: those that are loaded, or else as their files say."""

    def __init__(self, config_dir: Path, jobs: Callable[[], Mapping[str, Job]]) -> None:
        self._config_dir = config_dir
        self._jobs = jobs
        self._render = renderer(config_dir)

    def __call__(self, job_id: str, args: Mapping[str, str], spare: Mapping[str, str], by: str) -> Draft:
        """Raises ValueError with what is wrong."""
        job = self._jobs().get(job_id)
        if job is None:
            try:
                job = load_job(self._config_dir, job_id)
            except SshschedError as error:
                raise ValueError(str(error)) from None
        return draft_of(job, args, spare, by, self._render)


class NewestWay:
    """A way to a host as hosts.yaml describes it whenever a connection is made, so that mending it needs no restart."""

    def __init__(self, host: str, hosts: Callable[[], Hosts], doors: Doors) -> None:
        self.host = host
        self._hosts = hosts
        self._doors = doors

    async def connect(self) -> Connection:
        known = self._hosts()
        return await SshTransport(known[self.host], self._doors, hosts=known).connect()
