"""Events and output arrive whole, at once and in order, and nothing is left behind when a client goes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sshsched.domain.shape import Shape
from sshsched.errors import NoSchedulerError
from sshsched.service import hub as hubs
from sshsched.service import streams
from sshsched.service.client import Client
from tests.service.scheduler import DRAFT, NOW, Scheduler
from tests.service.test_api import do
from tests.support import until

Event = tuple[str, Shape]


class Heard:
    """What a stream has brought so far, read in a thread of its own."""

    def __init__(self, stream: Iterator[Any]) -> None:
        self.all: list[Any] = []
        self.at: list[float] = []
        self._stream = stream
        self.task = asyncio.ensure_future(asyncio.to_thread(self._read))

    def _read(self) -> None:
        for each in self._stream:
            self.all.append(each)
            self.at.append(time.perf_counter())

    def states(self) -> list[tuple[str, str]]:
        return [(data["run"], data["state"]) for event, data in self.all if event == "run"]


@asynccontextmanager
async def raw(folder: Path, target: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that has asked, and reads as it likes."""
    reader, writer = await asyncio.open_unix_connection(folder / "socket", limit=1 << 26)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    try:
        yield reader, writer
    finally:
        writer.close()


def tasks() -> int:
    return len(asyncio.all_tasks())


async def test_snapshot_first(scheduler: Scheduler, client: Client) -> None:
    """First all that lives, then each change."""
    await do(client.submit, [DRAFT, DRAFT])
    stream = client.events()
    event, data = await do(next, stream)
    await scheduler.start(2)
    scheduler.host_changes("nas", up=False)
    heard = [await do(next, stream) for _ in range(2)]

    assert (
        event,
        [run["run"] for run in data["runs"]],
        data["hosts"],
    ) == ("snapshot", ["r1", "r2"], [{"host": "nas", "up": True}])
    assert [(name, shape.get("state")) for name, shape in heard] == [("run", "running"), ("host", None)]


async def test_asked_runs(scheduler: Scheduler, client: Client) -> None:
    """Asked runs are told whether they have finished or not, and no others."""
    await do(client.submit, [DRAFT, DRAFT, {**DRAFT, "host": "web"}])
    await scheduler.start(1)
    await scheduler.finish(1)
    stream = client.events(["r1", "r3"])
    _, data = await do(next, stream)
    await scheduler.start(2)
    await scheduler.start(3)
    _, change = await do(next, stream)

    assert [(run["run"], run["state"]) for run in data["runs"]] == [("r1", "success"), ("r3", "waiting")]
    assert change["run"] == "r3"


async def test_large_snapshot(scheduler: Scheduler, client: Client) -> None:
    """A snapshot of more runs than one slice is whole."""
    count = 3 * streams.SLICE + 7
    await do(client.submit, [DRAFT] * count)
    _, data = await do(next, client.events())

    assert [f"r{number}" for number in range(1, count + 1)] == [run["run"] for run in data["runs"]]


async def test_resume(scheduler: Scheduler, client: Client, tmp_path: Path) -> None:
    """Whoever says what it had last gets what it missed, and no snapshot."""
    since = scheduler.hub.seq
    await do(client.submit, [DRAFT])
    await scheduler.start(1)
    async with raw(tmp_path, f"/v1/events?since={since}") as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        await reader.readline()
        heard = await reader.readuntil(b"\n\n")

    assert heard.startswith(b"id: %d\nevent: run\ndata: " % scheduler.hub.seq)
    assert b'"state":"running"' in heard


@pytest.mark.parametrize("since", [0, int(NOW * 1e6) - 1, int(NOW * 1e6) + 10**9])
async def test_resume_unknown(scheduler: Scheduler, tmp_path: Path, since: int) -> None:
    """A place that is too old, or of another scheduler, is answered with a snapshot."""
    async with raw(tmp_path, f"/v1/events?since={since}") as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        heard = await reader.readuntil(b"data: ")

    assert b"event: snapshot" in heard


async def test_nothing_missed(scheduler: Scheduler, client: Client) -> None:
    """However a snapshot falls among changes, the last state of each run arrives, and no run goes backwards."""
    await do(client.submit, [DRAFT] * 20)
    streams = [Heard(client_events(client)) for _ in range(3)]
    for number in range(1, 21):
        await scheduler.start(number)
        streams.append(Heard(client_events(client)))
        await scheduler.finish(number)
    await until(lambda: all(_last(heard)[number] == "success" for heard in streams[:3] for number in range(20)))
    await until(lambda: all(set(_last(heard)) <= {"success"} for heard in streams))
    scheduler.hub.close()

    assert all(_forwards(heard) for heard in streams)


def client_events(client: Client) -> Iterator[Event]:
    """Events without a second try."""
    return _until_gone(Client(client._state_dir, patience=0).events())


def _until_gone(stream: Iterable[Event]) -> Iterator[Event]:
    try:
        yield from stream
    except NoSchedulerError:
        return


def _last(heard: Heard) -> list[str]:
    states = {run["run"]: run["state"] for run in heard.all[0][1]["runs"]} if heard.all else {"r0": "none"}
    return list((states | dict(heard.states())).values())


def _forwards(heard: Heard) -> bool:
    order = ["waiting", "starting", "running", "success"]
    places: dict[str, int] = {run["run"]: order.index(run["state"]) for run in heard.all[0][1]["runs"]}
    for run, state in heard.states():
        if order.index(state) < places.get(run, 0):
            return False
        places[run] = order.index(state)
    return True


async def test_heartbeat(tmp_path: Path) -> None:
    """A stream on which nothing happens shows that it lives."""
    async with Scheduler().served(tmp_path, heartbeat=0.02), raw(tmp_path, "/v1/events") as (reader, _):
        await reader.readuntil(b": still here\n\n")
        heard = await reader.readuntil(b": still here\n\n")

    assert b"event" not in heard


async def test_slow_client(
    scheduler: Scheduler, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that does not read holds up nobody, and when it reads again it learns the last state."""
    monkeypatch.setattr(hubs, "MOST_EVENTS", 100)
    big = {"host": "nas", "program": {"command": "x" * 100_000}}
    await do(client.submit, [big] * 3)
    async with raw(tmp_path, "/v1/events") as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        brisk = Heard(client_events(client))
        for number in range(1, 4):
            await scheduler.start(number)
        for size in range(2000):
            scheduler.prints(1 + size % 3, b"x" * 100)
            scheduler.hub.publish(scheduler._runs[1 + size % 3])
            await asyncio.sleep(0)
        for number in range(1, 4):
            await scheduler.finish(number)
        await until(lambda: brisk.states()[-1:] == [("r3", "success")])
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            await reader.readuntil(b'"run":"r3","job":null,"args":{},"state":"success"')
    scheduler.hub.close()


@pytest.mark.parametrize("target", ["/v1/events", "/v1/events?runs=r1", "/v1/runs/r1/output/stdout?follow=1"])
async def test_gone_client(scheduler: Scheduler, client: Client, tmp_path: Path, target: str) -> None:
    """A client that disappears leaves no task, no watcher and no interest in output behind."""
    await do(client.submit, [DRAFT])
    await scheduler.start(1)
    before = tasks()
    async with raw(tmp_path, target) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: scheduler.hub.watchers == 1)

    await until(lambda: scheduler.hub.watchers == 0)
    await until(lambda: tasks() == before)
    assert scheduler.followed[1] == 0


async def test_gone_unread(scheduler: Scheduler, client: Client, tmp_path: Path) -> None:
    """A client that disappears without having read what was sent leaves nothing behind either."""
    await do(client.submit, [DRAFT])
    await scheduler.start(1)
    scheduler.prints(1, b"x" * 20_000_000)
    before = tasks()
    async with raw(tmp_path, "/v1/runs/r1/output/stdout?follow=1") as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: scheduler.followed[1] == 1)

    await until(lambda: scheduler.followed[1] == 0 and tasks() == before)
    assert scheduler.hub.watchers == 0


async def test_many_clients(scheduler: Scheduler, client: Client, tmp_path: Path) -> None:
    """Two hundred clients at once all hear of a change."""
    await do(client.submit, [DRAFT])
    before = tasks()

    async def listen() -> bytes:
        async with raw(tmp_path, "/v1/events") as (reader, _):
            return await reader.readuntil(b'"state":"running"')

    listening = [asyncio.ensure_future(listen()) for _ in range(200)]
    await until(lambda: scheduler.hub.watchers == 200, within=20)
    await scheduler.start(1)
    async with asyncio.timeout(20):
        await asyncio.gather(*listening)
    await until(lambda: scheduler.hub.watchers == 0)
    await until(lambda: tasks() == before)


async def test_output(scheduler: Scheduler, client: Client) -> None:
    """Output is sent byte for byte, from any offset, and each stream apart."""
    await do(client.submit, [DRAFT])
    data = os.urandom(700_000)
    scheduler.prints(1, data)
    scheduler.prints(1, b"oh", "stderr")

    assert data == await do(b"".join, client.output("r1"))
    assert data[654_321:] == await do(b"".join, client.output("r1", offset=654_321))
    assert await do(b"".join, client.output("r1", "stderr")) == b"oh"
    assert await do(b"".join, client.output("r1", offset=10**9)) == b""


async def test_follow(scheduler: Scheduler, client: Client) -> None:
    """Following goes on after the program's end until its output is complete, and fetching is asked for meanwhile."""
    await do(client.submit, [DRAFT])
    heard = Heard(client.output("r1", follow=True))
    await until(lambda: scheduler.followed[1] == 1)
    await scheduler.start(1)
    scheduler.prints(1, b"one ")
    await until(lambda: heard.all == [b"one "])
    await scheduler.finish(1, settled=False)
    scheduler.prints(1, b"two")
    await until(lambda: heard.all == [b"one ", b"two"])
    waited = not heard.task.done()
    await scheduler.settle(1)
    await asyncio.wait_for(heard.task, 5)

    assert waited
    assert scheduler.followed[1] == 0


async def test_follow_ended(scheduler: Scheduler, client: Client) -> None:
    """Following what has ended is the same as reading it."""
    await do(client.submit, [DRAFT])
    await scheduler.start(1)
    scheduler.prints(1, b"all")
    await scheduler.finish(1)

    assert await do(b"".join, client.output("r1", follow=True)) == b"all"


async def test_restart(tmp_path: Path) -> None:
    """Events go on with a snapshot, and followed output at the exact byte, when the scheduler is restarted."""
    first = Scheduler()
    async with first.served(tmp_path):
        with Client(tmp_path) as client:
            await do(client.submit, [DRAFT])
        await first.start(1)
        first.prints(1, b"one ")
        events = Heard(Client(tmp_path, patience=0.5).events(["r1"]))
        output = Heard(Client(tmp_path, patience=5).output("r1", follow=True))
        await until(lambda: output.all == [b"one "] and len(events.all) == 1)
    second = Scheduler(first.store, first.outputs, NOW + 60)
    async with second.served(tmp_path):
        await until(lambda: second.followed[1] == 1 and len(events.all) == 2)
        second.prints(1, b"two")
        await second.finish(1)
        await asyncio.wait_for(output.task, 5)
        await until(lambda: events.states() == [("r1", "success")])
    with pytest.raises(NoSchedulerError):
        await asyncio.wait_for(events.task, 5)

    assert b"".join(output.all) == b"one two"
    assert [event for event, _ in events.all][:2] == ["snapshot", "snapshot"]


async def test_latency(scheduler: Scheduler, client: Client, tmp_path: Path) -> None:
    """An event reaches a waiting client within two milliseconds, usually."""
    await do(client.submit, [DRAFT])
    took = []
    async with raw(tmp_path, "/v1/events") as (reader, _):
        await reader.readuntil(b"event: snapshot")
        await reader.readuntil(b"\n\n")
        for _ in range(101):
            began = time.perf_counter()
            scheduler.host_changes("nas", up=True)
            await reader.readuntil(b"event: host")
            took.append(time.perf_counter() - began)

    assert sorted(took)[50] < 0.002


async def test_ctrl_c(scheduler: Scheduler, client: Client, tmp_path: Path) -> None:
    """Ctrl-C within a call spoils no later call."""
    release = asyncio.Event()

    async def slow(name: str) -> Shape:
        await release.wait()
        return {"host": name}

    scheduler.check_host = slow  # type: ignore[method-assign]
    child = await asyncio.create_subprocess_exec(
        *(os.sys.executable, "-c", CTRL_C, tmp_path),
        stdout=asyncio.subprocess.PIPE,  # type: ignore[attr-defined]
    )
    assert child.stdout is not None
    first = await child.stdout.readline()
    await until(lambda: tasks() > 3)
    child.send_signal(signal.SIGINT)
    second = await asyncio.wait_for(child.stdout.readline(), 5)
    release.set()

    assert (first, second, await child.wait()) == (b"asking\n", b"serve\n", 0)


CTRL_C = """
import pathlib, sys
from sshsched.service.client import Client
client = Client(pathlib.Path(sys.argv[1]))
try:
    client.status()
    print("asking", flush=True)
    client.check_host("nas")
except KeyboardInterrupt:
    print(client.status()["mode"])
"""


def test_wire_is_quick() -> None:
    """The client brings none of the heavy modules along."""
    import subprocess
    import sys

    heavy = ["asyncio", "asyncssh", "msgspec", "starlette", "uvicorn", "http.client", "ssl", "email", "rich", "sqlite3"]
    code = f"import sys, sshsched.service.client; print([name for name in {heavy} if name in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
