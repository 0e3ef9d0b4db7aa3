"""Events arrive whole, at once and in order, and nothing is left behind when a client goes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sshsched.service import hub as hubs
from sshsched.service import streams
from sshsched.service.client import Client
from tests.service.listening import Heard, client_events, raw, tasks
from tests.service.scheduler import DRAFT, NOW, Scheduler
from tests.service.test_api import do
from tests.support import until


async def test_snapshot_first(scheduler: Scheduler, client: Client) -> None:
    """First all that lives, then each change."""
    await do(client.submit, [DRAFT, DRAFT])
    stream = client.events()
    event, data = await do(next, stream)
    await scheduler.start(2)
    scheduler.host_changes("nas", up=False)
    heard = [await do(next, stream) for _ in range(2)]

    assert ("snapshot", ["r1", "r2"], [{"host": "nas", "up": True}]) == (
        event,
        [run["run"] for run in data["runs"]],
        data["hosts"],
    )
    assert [("run", "running"), ("host", None)] == [(name, shape.get("state")) for name, shape in heard]


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

    assert [("r1", "success"), ("r3", "waiting")] == [(run["run"], run["state"]) for run in data["runs"]]
    assert "r3" == change["run"]


async def test_many_asked(scheduler: Scheduler, client: Client) -> None:
    """Thousands of runs may be asked for by name."""
    await do(client.submit, [DRAFT] * 5000)
    names = [f"r{number}" for number in range(1, 5001)]
    _, data = await do(next, client.events(names))

    assert names == [run["run"] for run in data["runs"]]


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
    await until(lambda: all(heard.all for heard in streams))
    for number in range(1, 21):
        await scheduler.start(number)
        streams.append(Heard(client_events(client)))
        await scheduler.finish(number)
    await until(lambda: all(_last(heard) == ["success"] * 20 for heard in streams[:3]))
    await until(lambda: all(set(_last(heard)) <= {"success"} for heard in streams))
    scheduler.hub.close()

    assert all(_forwards(heard) for heard in streams)


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
    assert 0 == scheduler.followed[1]


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


def test_quick_to_import() -> None:
    """The client brings none of the heavy modules along."""
    heavy = ["asyncio", "asyncssh", "msgspec", "starlette", "uvicorn", "http.client", "ssl", "email", "rich", "sqlite3"]
    code = f"import sys, sshsched.service.client; print([name for name in {heavy} if name in sys.modules])"

    assert "[]\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
