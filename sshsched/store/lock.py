"""One scheduler per folder: an flock on the file `lock`, let go by the kernel when its holder dies, however it dies.

Rule: the lock decides; what the file says only tells people who holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sshsched.domain.shape import iso
from sshsched.errors import SchedulerRunsError
from sshsched.store.database import unusable

PATIENCE = 0.3
"""Seconds: who only looks, with holder(), has the lock for some microseconds, and a new holder has yet to write."""


KEEPING = "keeping"
"""The mode of a command that looks after old runs: it is over within seconds."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a folder: process id, `serve`, `adhoc` or `keeping`, and since when (seconds since 1970)."""

    pid: int
    mode: str
    since: float


@contextmanager
def hold(state_dir: Path, mode: str) -> Iterator[Holder]:
    """Keeps the folder to ourselves; programs that we start do not inherit that.

    Raises SchedulerRunsError, which names the one who has it, and StoreBusyError where no lock can be made.
    """
    file = _open(state_dir / "lock")
    try:
        if not _lock_patiently(file):
            raise SchedulerRunsError(_occupied(state_dir, _read(file)))
        me = Holder(os.getpid(), mode, time.time())
        os.ftruncate(file, os.pwrite(file, json.dumps(asdict(me)).encode(), 0))
        try:
            yield me
        finally:
            os.ftruncate(file, 0)  # the file itself stays: another process may be about to lock it
    finally:
        os.close(file)


def holder(state_dir: Path) -> Holder | None:
    """Who holds the folder now; None if nobody does. Raises StoreBusyError where that may not be read."""
    path = state_dir / "lock"
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error) from error
    try:
        for _ in _moments():
            if _lock(file, fcntl.LOCK_SH):
                return None
            if found := _read(file):
                return found
        return Holder(0, "unknown", 0.0)
    finally:
        os.close(file)


def _open(path: Path) -> int:
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(path, error) from error


def _lock_patiently(file: int) -> bool:
    return any(_lock(file, fcntl.LOCK_EX) for _ in _moments())


def _lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _moments() -> Iterator[None]:
    """Now, and then every 10 ms while patience lasts."""
    end = time.monotonic() + PATIENCE
    yield
    while time.monotonic() < end:
        time.sleep(0.01)
        yield


def _read(file: int) -> Holder | None:
    try:
        return Holder(**json.loads(os.pread(file, 1000, 0)))
    except (ValueError, TypeError):
        return None


def _occupied(state_dir: Path, by: Holder | None) -> str:
    who = f"pid {by.pid}, mode {by.mode}, since {iso(by.since)}" if by else "which has not said who it is"
    return f"{state_dir}: another scheduler runs here ({who}); end it first, or choose another folder with --state-dir"
