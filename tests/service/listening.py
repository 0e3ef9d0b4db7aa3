"""Clients that listen, for tests of the streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sshsched.domain.shape import Shape
from sshsched.errors import NoSchedulerError
from sshsched.service.client import Client

Event = tuple[str, Shape]
THREADS = ThreadPoolExecutor(64)


class Heard:
    """What a stream has brought so far, read in a thread of its own."""

    def __init__(self, stream: Iterator[Any]) -> None:
        self.all: list[Any] = []
        self.at: list[float] = []
        self._stream = stream
        self.task = asyncio.get_running_loop().run_in_executor(THREADS, self._read)

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


def client_events(client: Client) -> Iterator[Event]:
    """Events without a second try."""
    return _until_gone(Client(client._state_dir, patience=0).events())


def _until_gone(stream: Iterable[Event]) -> Iterator[Event]:
    try:
        yield from stream
    except NoSchedulerError:
        return
