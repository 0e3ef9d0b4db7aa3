"""Output arrives byte for byte, live and across a restart."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sshsched.errors import NoSchedulerError, StoreDamagedError
from sshsched.service.client import Client
from tests.service.listening import Heard, raw, tasks
from tests.service.scheduler import DRAFT, NOW, Scheduler
from tests.service.test_api import do
from tests.support import until


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
    assert 0 == scheduler.hub.watchers


async def test_output(scheduler: Scheduler, client: Client) -> None:
    """Output is sent byte for byte, from any offset, and each stream apart."""
    await do(client.submit, [DRAFT])
    data = os.urandom(700_000)
    scheduler.prints(1, data)
    scheduler.prints(1, b"oh", "stderr")

    assert data == await do(b"".join, client.output("r1"))
    assert data[654_321:] == await do(b"".join, client.output("r1", offset=654_321))
    assert b"oh" == await do(b"".join, client.output("r1", "stderr"))
    assert b"" == await do(b"".join, client.output("r1", offset=10**9))


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
    assert 0 == scheduler.followed[1]


async def test_follow_ended(scheduler: Scheduler, client: Client) -> None:
    """Following what has ended is the same as reading it."""
    await do(client.submit, [DRAFT])
    await scheduler.start(1)
    scheduler.prints(1, b"all")
    await scheduler.finish(1)

    assert b"all" == await do(b"".join, client.output("r1", follow=True))


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

    assert b"one two" == b"".join(output.all)
    assert ["snapshot", "snapshot"] == [event for event, _ in events.all][:2]


async def test_broken(
    scheduler: Scheduler,
    tmp_path: Path,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Output that cannot be read on is never ended as if it were whole; the log says why."""

    def read(run_id: int, stream: str, offset: int, size: int) -> bytes:
        if offset:
            raise StoreDamagedError("stdout.gz: is no gzip file")
        return b"one "

    await do(client.submit, [DRAFT])
    monkeypatch.setattr(scheduler.outputs, "read", read)
    heard = Heard(Client(tmp_path, patience=0).output("r1"))
    with pytest.raises(NoSchedulerError):
        await asyncio.wait_for(heard.task, 5)

    assert [b"one "] == heard.all
    assert "stdout.gz: is no gzip file" in caplog.text
