"""One scheduler per folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sshsched.errors import SchedulerRunsError, StoreBusyError
from sshsched.store.lock import Holder, hold, holder

KEEPER = """
import subprocess, sys
from pathlib import Path
from sshsched.store.lock import hold
with hold(Path(sys.argv[1]), "serve"):
    child = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL, close_fds=False)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


def test_held(tmp_path: Path) -> None:
    """The holder is known by process, mode and time; afterwards there is none."""
    before = time.time()
    with hold(tmp_path / "state", "adhoc") as me:
        assert me == holder(tmp_path / "state")
        assert (os.getpid(), "adhoc") == (me.pid, me.mode)
        assert before <= me.since <= time.time()
        assert 0o600 == (tmp_path / "state/lock").stat().st_mode & 0o777
    assert holder(tmp_path / "state") is None


def test_nobody(tmp_path: Path) -> None:
    """A folder without a lock is held by nobody, and stays as it is."""
    assert holder(tmp_path) is None
    assert [] == list(tmp_path.iterdir())


def test_second(tmp_path: Path) -> None:
    """A second one is refused with who has it and what to do, and takes it once the first has gone."""
    with hold(tmp_path, "serve") as first:
        said = rf"another scheduler runs here \(pid {first.pid}, mode serve, since 20.*Z\); end it first"
        with pytest.raises(SchedulerRunsError, match=said), hold(tmp_path, "adhoc"):
            pass
        assert first == holder(tmp_path)
    with hold(tmp_path, "adhoc") as second:
        assert second == holder(tmp_path)


def test_killed(tmp_path: Path) -> None:
    """A holder that is killed lets go, though a program that it started lives on with all its open files."""
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdout is not None
        child = int(keeper.stdout.readline())
        found = holder(tmp_path)
        keeper.send_signal(signal.SIGKILL)
        keeper.wait()
    try:
        assert found is not None
        assert (keeper.pid, "serve") == (found.pid, found.mode)
        assert holder(tmp_path) is None
        os.kill(child, 0)
        with hold(tmp_path, "adhoc") as me:
            assert me == holder(tmp_path)
    finally:
        os.kill(child, signal.SIGKILL)


def test_stale_text(tmp_path: Path) -> None:
    """What a dead holder left in the file, longer or garbage, misleads nobody."""
    (tmp_path / "lock").write_text("x" * 5000)

    assert holder(tmp_path) is None
    with hold(tmp_path, "serve") as me:
        assert me == holder(tmp_path)


def test_looking_disturbs_nobody(tmp_path: Path) -> None:
    """Who only looks, however often, keeps nobody from taking the lock, and sees holders whole or none."""
    stop, seen = threading.Event(), set[Holder | None]()

    def look() -> None:
        while not stop.is_set():
            seen.add(holder(tmp_path))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    taken = set()
    for _ in range(30):
        with hold(tmp_path, "serve") as me:
            taken.add(me)
    stop.set()
    for thread in threads:
        thread.join()

    assert 30 == len(taken)
    assert seen <= {None} | taken


def test_no_folder(tmp_path: Path) -> None:
    """A place where no folder can be is named."""
    (tmp_path / "file").touch()

    with (
        pytest.raises(StoreBusyError, match=r"file/state/lock: .*; check the folder"),
        hold(tmp_path / "file/state", "serve"),
    ):
        pass
