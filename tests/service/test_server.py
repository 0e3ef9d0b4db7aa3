"""The socket is its owner's alone, a dead scheduler's is replaced, a living one's never."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sshsched.domain.instructions import Save
from sshsched.domain.model import LogEntry, Reason, Run
from sshsched.domain.program import Program
from sshsched.domain.shape import run_shape
from sshsched.domain.states import State
from sshsched.errors import NoSchedulerError, SchedulerError, SchedulerRunsError
from sshsched.service.client import Client
from sshsched.service.server import listen, serving
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.service.scheduler import NOW, Scheduler
from tests.service.test_api import do
from tests.support import ROOT, wait_until

SERVER = """
import asyncio, pathlib, sys
from tests.service.scheduler import Scheduler

async def main():
    async with Scheduler().served(pathlib.Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_mode(tmp_path: Path) -> None:
    """Only the owner may connect, whatever the umask is; and the socket goes with the scheduler."""
    umask = os.umask(0)
    try:
        async with Scheduler().served(tmp_path):
            mode = (tmp_path / "socket").stat().st_mode
            names = [each.name for each in tmp_path.iterdir()]
    finally:
        os.umask(umask)

    assert (True, 0o600) == (stat.S_ISSOCK(mode), stat.S_IMODE(mode))
    assert ["socket"] == names
    assert [] == list(tmp_path.iterdir())


def test_listening_when_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the socket gets its name it is 0600 and listens already: nobody ever finds it otherwise."""
    seen: list[tuple[int, int]] = []
    rename = Path.rename

    def look(self: Path, target: Path) -> Path:
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        seen.append((stat.S_IMODE(self.stat().st_mode), probe.connect_ex(str(self))))
        probe.close()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", look)
    listen(tmp_path).close()

    assert [(0o600, 0)] == seen


def test_kill_9(tmp_path: Path, client: Client) -> None:
    """A scheduler that was killed leaves a dead socket: clients say that there is none, the next one replaces it."""
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", SERVER, tmp_path],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "."},
        )
        assert child.stdout is not None
        with child.stdout:
            child.stdout.readline()
            wait_until(lambda: client.status()["mode"] == "serve")
            child.send_signal(signal.SIGKILL)
            child.wait()
        with pytest.raises(NoSchedulerError, match="no scheduler answers; `sshsched serve` starts one"):
            client.status()

    assert (tmp_path / "socket").is_socket()


async def test_living(tmp_path: Path) -> None:
    """A living scheduler keeps its socket."""
    async with Scheduler().served(tmp_path):
        with pytest.raises(SchedulerRunsError, match="another scheduler answers"):
            listen(tmp_path)
        with Client(tmp_path) as client:
            status = await do(client.status)

    assert "serve" == status["mode"]


def test_living_and_busy(tmp_path: Path) -> None:
    """A scheduler whose queue is full lives."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as busy:
        busy.bind(str(tmp_path / "socket"))
        busy.listen(0)
        waiting = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(str(tmp_path / "socket"))
        with pytest.raises(SchedulerRunsError):
            listen(tmp_path)
        for each in waiting:
            each.close()


def test_no_socket(tmp_path: Path) -> None:
    """A file that is no socket is not ours to remove."""
    (tmp_path / "socket").write_text("precious")
    with pytest.raises(SchedulerError, match="is no socket; move it away"):
        listen(tmp_path)

    assert "precious" == (tmp_path / "socket").read_text()


def test_no_folder(tmp_path: Path) -> None:
    """Where no socket can be made, that is said in one line."""
    with pytest.raises(SchedulerError, match=r"socket: cannot be made: No such file or directory"):
        listen(tmp_path / "none")


async def test_replaced(tmp_path: Path) -> None:
    """A scheduler that ends late does not take its successor's socket away."""
    async with Scheduler().served(tmp_path):
        (tmp_path / "socket").unlink()
        successor = listen(tmp_path)

    assert (tmp_path / "socket").is_socket()
    successor.close()


async def test_long_path(tmp_path: Path) -> None:
    """A state folder with a path longer than the kernel takes for a socket serves all the same."""
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    async with Scheduler().served(folder):
        with Client(folder) as client:
            status = await do(client.status)

    assert "serve" == status["mode"]


def test_nobody(client: Client) -> None:
    """Without a scheduler every call and every stream says so at once."""
    for call in (client.status, client.hosts, lambda: next(client.events()), lambda: next(client.output("r1"))):
        with pytest.raises(NoSchedulerError):
            call()


async def test_kept_connection(scheduler: Scheduler, client: Client) -> None:
    """Calls one after the other use one connection; one that was hung up is replaced unseen."""
    await do(client.status)
    first = client._wire
    await do(client.status)
    same = client._wire is first
    assert first is not None
    first._socket.shutdown(socket.SHUT_RD)
    await do(client.status)

    assert same
    assert client._wire is not first


async def test_real_store(tmp_path: Path) -> None:
    """A past on disk, written by an earlier scheduler, is served as it is."""
    run = Run(1, "nas", Program(command="true"), NOW, State.SKIPPED, cleaned=True)
    files = OutputFiles(tmp_path)
    async with open_store(tmp_path) as store:
        await store.commit([Save(run, None, (LogEntry(1, NOW, None, State.SKIPPED, Reason.BY_HAND, "by me"),))])
        files.write(1, "stdout", 0, b"x" * 100_000)
        files.sync(1)
        files.finish(1)
        idle = Scheduler()
        with Reader(tmp_path) as past, Client(tmp_path) as client:
            async with serving(idle, past, files, idle.hub, tmp_path):
                found = await do(client.run, "r1")
                runs = await do(client.runs, states="skipped")
                output = await do(b"".join, client.output("r1", offset=1, follow=True))
    shape = json.loads(json.dumps(run_shape(run)))

    assert shape == found["run"]
    assert [(None, "skipped", "by me")] == [(row["from"], row["to"], row["message"]) for row in found["log"]]
    assert [shape] == runs
    assert b"x" * 99_999 == output
