"""What the rest of sshsched sees of a way to a host: connect, open a channel, read and write bytes.

Rule: only `connect` and `open` raise, always a HostError. On an open channel every end, a lost link too, is `b""`.
"""

from __future__ import annotations

from typing import Protocol

ERRORS_KEPT = 4096  # bytes of standard error that a channel remembers
OPEN_LIMIT = 20.0  # seconds in which a host must open a channel


class Channel(Protocol):
    """One program on the host, usually a bare /bin/sh."""

    async def read(self, n: int) -> bytes:
        """At most `n` bytes of standard output; `b""` is the end, however it came."""
        ...

    def write(self, data: bytes) -> None:
        """Queue bytes for standard input. On a dead channel they go nowhere: `read` tells."""
        ...

    async def drain(self) -> None:
        """Wait while too much is queued."""
        ...

    def errors(self) -> str:
        """The last 4 KiB of standard error, undecodable bytes replaced."""
        ...

    def close(self) -> None:
        """Give the channel up, at once."""
        ...


class Connection(Protocol):
    """A logged-in link to one host."""

    async def open(self, command: str = "/bin/sh") -> Channel:
        """Start a program there. Raises HostError."""
        ...

    def close(self) -> None:
        """Give the link and all its channels up, at once."""
        ...

    async def wait_closed(self) -> None:
        """Return when the link is gone, for whatever reason."""
        ...


class Transport(Protocol):
    """A way to one host."""

    host: str

    async def connect(self) -> Connection:
        """Log in. Raises HostError, of the class that fits."""
        ...


class Tail:
    """The last few KiB of a stream."""

    def __init__(self, size: int = ERRORS_KEPT) -> None:
        self._size = size
        self._data = b""

    def add(self, data: bytes) -> None:
        self._data = (self._data + data)[-self._size :]

    def __str__(self) -> str:
        return self._data.decode(errors="replace")
