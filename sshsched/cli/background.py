"""Starting a scheduler in the background, once, when a command needs one and none listens.

Rule: whoever holds the lock starts it, all others wait for the lock and then find it listening. The scheduler outlives
the terminal: own session, nothing inherited but the environment (it carries the ssh agent), its words in a log file.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sshsched.errors import SchedulerError
from sshsched.service.address import address

if TYPE_CHECKING:
    import subprocess

    from sshsched.cli.app import App

PATIENCE = 15.0
POLL = 0.01
LOG = "scheduler.log"
LOG_LINES = 5


def listens(state_dir: Path) -> bool:
    """Does somebody accept connections there? The file alone says nothing: a killed scheduler leaves it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            with address(state_dir) as path:
                probe.connect(path)
        except OSError:
            return False
    return True


def start(app: App) -> None:
    """Return once a scheduler listens. Raises SchedulerError with the last lines of its log if none comes up."""
    until = time.monotonic() + PATIENCE
    app.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(app.state_dir, until):
        if listens(app.state_dir):
            return
        log = app.state_dir / LOG
        begin = log.stat().st_size if log.exists() else 0
        child = _spawn(app, log)
        while not listens(app.state_dir):
            if child.poll() is not None and not _another_holds(app.state_dir):
                raise SchedulerError(f"the scheduler in the background ended at once{_last_words(log, begin)}")
            if time.monotonic() > until:
                raise SchedulerError(f"no scheduler listens after {PATIENCE:.0f} s{_last_words(log, begin)}")
            time.sleep(POLL)


@contextmanager
def _only_one(state_dir: Path, until: float) -> Iterator[None]:
    """Two commands at once start one scheduler: the second waits here."""
    import fcntl

    lock = os.open(state_dir / "background.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise SchedulerError(
                        f"another command has been starting a scheduler for {PATIENCE:.0f} s; see {state_dir / LOG}"
                    ) from None
                time.sleep(POLL)
        yield
    finally:
        os.close(lock)


def _spawn(app: App, log: Path) -> subprocess.Popen[bytes]:
    import subprocess
    import sys

    package = Path(__file__).parents[1]
    command = [
        sys.executable,
        "-m",
        package.name,
        "--config-dir",
        str(app.config_dir),
        "--state-dir",
        str(app.state_dir),
    ]
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [*command, "serve", "--adhoc"],
            cwd=package.parent,  # `-m` looks there first: the same sshsched, whatever folder the user is in
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            start_new_session=True,
        )
    finally:
        os.close(words)


def _another_holds(state_dir: Path) -> bool:
    """A `serve` that was just being started by hand has won: its socket will come."""
    from sshsched.store.lock import holder

    return holder(state_dir) is not None


def _last_words(log: Path, begin: int) -> str:
    lines = log.read_bytes()[begin:].decode(errors="backslashreplace").strip().splitlines()
    words = " | ".join(lines[-LOG_LINES:])
    return f": {words}" if words else f" and left no word in {log}"
