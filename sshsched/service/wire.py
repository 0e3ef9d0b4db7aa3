"""HTTP/1.1 over a Unix socket, as much as our own server speaks of it.

Rule: quick to import. `http.client` alone takes longer to import than a whole command should take.
"""

from __future__ import annotations

import io
import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from sshsched.service.address import Folder, address

LONGEST_LINE = 64 * 1024


class CutError(OSError):
    """The connection ended within an answer."""


class Response(NamedTuple):
    """An answer whose body is still to be read."""

    status: int
    body: io.BufferedReader
    """At its end only if the whole of it came; reading raises CutError otherwise, TimeoutError after silence."""


class Wire:
    """One connection, used for one request after the other."""

    def __init__(self, state_dir: Folder, timeout: float | None) -> None:
        """Connects. Raises OSError. `timeout` (seconds) is for each wait on an answer."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with address(state_dir) as path:
                self._socket.connect(path)  # waits its turn where many connect at once; with a timeout it would fail
            self._socket.settimeout(timeout)
        except BaseException:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def shut(self) -> None:
        """Let whoever reads find the end, in whatever thread."""
        with suppress(OSError):  # it is closed already
            self._socket.shutdown(socket.SHUT_RDWR)

    def usable(self) -> bool:
        """Whether another request may be sent: where something arrives unasked, the server has hung up."""
        return not select.select([self._socket], [], [], 0)[0]

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
        """Send a request and return once the answer begins. Raises OSError."""
        lines = [f"{method} {target} HTTP/1.1", "Host: sshsched", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        status = int(_line(self._file).split(b" ")[1])
        return Response(status, io.BufferedReader(self._body(), io.DEFAULT_BUFFER_SIZE * 8))

    def _body(self) -> io.RawIOBase:
        headers: dict[bytes, bytes] = {}
        while line := _line(self._file):
            name, _, value = line.lower().partition(b":")
            headers[name] = value.strip()
        if headers.get(b"transfer-encoding") == b"chunked":
            return _Chunked(self._file)
        return _Sized(self._file, int(headers.get(b"content-length", b"0")))


class _Sized(io.RawIOBase):
    """A body whose length was told."""

    def __init__(self, file: io.BufferedReader, left: int) -> None:
        self._file = file
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read1(min(len(buffer), self._left)) if self._left else b""
        if self._left and not data:
            raise CutError("the connection ended within an answer")
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class _Chunked(_Sized):
    """A body that comes in chunks, each with its length, until one of length 0."""

    def __init__(self, file: io.BufferedReader) -> None:
        super().__init__(file, 0)
        self._first = True
        self._ended = False

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left and not self._ended:
            self._next_chunk()
        return super().readinto(buffer)

    def _next_chunk(self) -> None:
        if not self._first:
            _line(self._file)
        self._first = False
        self._left = int(_line(self._file), 16)
        if not self._left:
            _line(self._file)
            self._ended = True


def _line(file: io.BufferedReader) -> bytes:
    line = file.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise CutError("the connection ended within an answer")
    return line.rstrip(b"\r\n")
