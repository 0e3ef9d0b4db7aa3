"""A wire that can be cut, stalled, slowed or torn at a byte: a TCP proxy for tests, in front of a real server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType

TO_SERVER = "to server"
TO_CLIENT = "to client"


class TcpProxy:
    """Listens on a free loopback port and passes bytes on to another. Use it with `async with`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0
        """Seconds that each piece of data is held back."""
        self.accepted = 0
        self.passed = {TO_SERVER: 0, TO_CLIENT: 0}
        self._limits: dict[str, int] = {}
        self._open = asyncio.Event()
        self._open.set()
        self._lines: set[asyncio.Task[None]] = set()
        self._dead: set[asyncio.Task[None]] = set()
        self._revived = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> TcpProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._server
        self._server.close()
        lines = list(self._lines)
        self.cut()
        await asyncio.gather(*lines, return_exceptions=True)

    def cut(self) -> None:
        """Reset all connections; new ones work."""
        for line in list(self._lines):
            line.cancel()

    def stall(self) -> None:
        """Pass nothing on, for old and new connections, and tell nobody; `resume` delivers what was held up."""
        self._open.clear()

    def resume(self) -> None:
        self._open.set()

    def forget(self) -> None:
        """Existing connections pass no byte any more, and are not closed either; new ones work."""
        self._dead |= self._lines

    def revive(self) -> None:
        """Forgotten connections pass on what they still held, in order, and live or end as their two sides have it."""
        self._dead.clear()
        self._revived.set()
        self._revived = asyncio.Event()

    @property
    def lines(self) -> int:
        """How many connections there are, forgotten ones too."""
        return len(self._lines)

    def cut_after(self, count: int, direction: str) -> None:
        """Reset the connection that passes this many more bytes in a direction, after exactly so many; then work on."""
        self._limits[direction] = count

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        line = asyncio.current_task()
        assert line
        self._lines.add(line)
        server: asyncio.StreamWriter | None = None
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self.target)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(line, reader, server, TO_SERVER))
                group.create_task(self._pump(line, answers, writer, TO_CLIENT))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # the wire is cut: that is what this is for
        finally:
            self._lines.discard(line)
            self._dead.discard(line)
            for end in (writer, server):
                if end:
                    end.transport.abort()

    async def _pump(
        self, line: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        while data := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._open.wait()
            if line in self._dead:
                await self._revived.wait()
            limit = self._limits.get(direction)
            writer.write(data if limit is None else data[:limit])
            await writer.drain()
            self.passed[direction] += len(data)
            if limit is not None:
                self._limits[direction] = limit - len(data)
                if limit <= len(data):
                    del self._limits[direction]
                    # What was let through must arrive: closed, not aborted.
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
                    raise ConnectionResetError
        with suppress(OSError):
            writer.write_eof()
