"""An open session on an ssh connection, as a Channel.

Rule: what is not read is not fetched. Beyond 1 MiB waiting here, the host's program is held up by ssh's own window.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

import asyncssh

from sshsched.remote.transport import Tail

_HIGH = 1024 * 1024
_LOW = 256 * 1024


class SshChannel(asyncssh.SSHClientSession[bytes]):
    """One program on the host. asyncssh calls the methods of its session class; the others are the Channel."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._waiting = 0  # bytes in _chunks
        self._ended = False
        self._paused = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._errors = Tail()
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None

    async def read(self, n: int) -> bytes:
        while not self._chunks:
            if self._ended:
                return b""
            self._news.clear()
            await self._news.wait()
        chunk = self._chunks.popleft()
        if len(chunk) > n:
            self._chunks.appendleft(chunk[n:])
            chunk = chunk[:n]
        self._waiting -= len(chunk)
        if self._paused and self._waiting <= _LOW and self._chan:
            self._paused = False
            self._chan.resume_reading()
        return chunk

    def write(self, data: bytes) -> None:
        if self._chan and not self._chan.is_closing():
            with suppress(OSError):
                self._chan.write(data)

    async def drain(self) -> None:
        await self._writable.wait()

    def errors(self) -> str:
        return str(self._errors)

    def close(self) -> None:
        self._end()
        if self._chan:
            self._chan.abort()

    # Called by asyncssh:

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._chan = chan

    def data_received(self, data: bytes, datatype: Any) -> None:
        if datatype == asyncssh.EXTENDED_DATA_STDERR:
            self._errors.add(data)
            return
        self._chunks.append(data)
        self._waiting += len(data)
        self._news.set()
        if self._waiting > _HIGH and not self._paused and self._chan:
            self._paused = True
            self._chan.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        self._news.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _end(self) -> None:
        self._ended = True
        self._news.set()
        self._writable.set()
