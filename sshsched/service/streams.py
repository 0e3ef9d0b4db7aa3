"""Answers that go on for a while: events as they happen, output as it is written.

Rule: a stream is one task that ends, and lets go of all it holds, the moment its client is gone. No stream is ended
as if it were whole when it is not: the connection is cut instead, and the client takes up again where it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sshsched.domain.model import Run
from sshsched.domain.shape import Shape, run_shape
from sshsched.service.hub import ClosedError, Hub, Watcher

HEARTBEAT = 15.0
CHUNK = 256 * 1024
SLICE = 100
log = logging.getLogger(__name__)

Write = Callable[[bytes], Awaitable[None]]
"""Sends bytes to the client; returns when there is room for more."""


class Stream(Response):
    """An answer that `produce` writes bit by bit."""

    def __init__(self, produce: Callable[[Write], Awaitable[None]], media_type: str) -> None:
        super().__init__(media_type=media_type, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._produce = produce

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run until all is written, the client is gone or the scheduler ends."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        work = asyncio.ensure_future(self._write_all(send))
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            work.cancel()
            await asyncio.wait({work, gone})
        if not work.cancelled() and (error := work.exception()) and not isinstance(error, ClosedError):
            log.error("%s: the answer had to be cut", scope["path"], exc_info=error)

    async def _write_all(self, send: Send) -> None:
        async def write(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        await self._produce(write)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


Snapshot = Callable[[], Awaitable[tuple[Iterable[Run], list[Shape]]]]
"""The runs and hosts that a watcher asked for, as they are now or later; never as they were before the call."""


async def write_events(
    write: Write, hub: Hub, watcher: Watcher, snapshot: Snapshot, *, resume: bool, heartbeat: float = HEARTBEAT
) -> None:
    """A snapshot, unless the watcher resumes at a place that is still known; then each change. Raises ClosedError."""
    fresh = not resume
    while True:
        events = None if fresh else hub.take(watcher)
        fresh = False
        if events is None:
            watcher.seq = hub.seq
            runs, hosts = await snapshot()
            await _write_snapshot(write, watcher.seq, runs, hosts)
            continue
        for piece in _pieces(event.frame for event in events):
            await write(piece)
        try:
            async with asyncio.timeout(heartbeat):
                await hub.wait(watcher)
        except TimeoutError:
            await write(b": still here\n\n")


async def _write_snapshot(write: Write, seq: int, runs: Iterable[Run], hosts: list[Shape]) -> None:
    """One event on one line, made and sent in slices, so that ten thousand runs do not hold the loop."""
    await write(b'id: %d\nevent: snapshot\ndata: {"seq":%d,"runs":[' % (seq, seq))
    rest, comma = iter(runs), b""
    while some := list(islice(rest, SLICE)):
        await write(comma + b",".join(msgspec.json.encode(run_shape(run)) for run in some))
        comma = b","
        await asyncio.sleep(0)
    await write(b'],"hosts":%s}\n\n' % msgspec.json.encode(hosts))


def _pieces(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Small frames together, so that many changes are one write; none longer than a chunk and one frame."""
    held: list[bytes] = []
    size = 0
    for frame in frames:
        held.append(frame)
        size += len(frame)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


async def write_output(
    write: Write,
    read: Callable[[int, int], Awaitable[bytes]],
    offset: int,
    over: Callable[[], bool],
    more: Callable[[], Awaitable[None]],
) -> None:
    """All bytes from `offset` on, until `over()`; `more()` returns when there may be more."""
    while True:
        last = over()  # before reading: what is written between the two is then not missed
        data = await read(offset, CHUNK)
        offset += len(data)
        if data:
            await write(data)
        elif last:
            return
        else:
            await more()
