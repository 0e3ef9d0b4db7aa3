"""`sshsched watch --web` as a process, and a visit to it: what it serves to whom, and the screens it keeps for that."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import ClientSession, ClientWebSocketResponse

from tests.cli.driver import Place
from tests.support import wait_until

ADDRESS = "the screen is at "


class Served:
    """The process, its address, and the screens that it keeps."""

    def __init__(self, process: subprocess.Popen[bytes], line: str) -> None:
        self.process = process
        self.line = line
        self.url = line.removeprefix(ADDRESS).split(" ")[0]
        self.bare = self.url.partition("?")[0]
        """Without the token."""
        self.token = self.url.partition("=")[2]
        self.port = urlsplit(self.url).port

    def screens(self) -> list[int]:
        """Process ids."""
        listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in listed.splitlines()]
        return [int(pid) for pid, parent in rows if int(parent) == self.process.pid]


@contextmanager
def served(place: Place, *words: str) -> Iterator[Served]:
    process = place.begin("watch", "--web", *words)
    try:
        assert process.stdout
        yield Served(process, process.stdout.readline().decode().strip())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


async def status(url: str, **headers: str) -> int:
    """What is answered to a request without cookies."""
    async with ClientSession() as visitor, visitor.get(url, headers=headers) as response:
        return response.status


async def read(socket: ClientWebSocketResponse, *texts: str) -> bytes:
    """What the terminal in the browser gets, until all these have come."""
    seen = b""
    try:
        async with asyncio.timeout(30):
            while not all(text.encode() in seen for text in texts):
                message = await socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, f"{message}, after {seen!r}"
                seen += message.data
    except TimeoutError:
        raise AssertionError(f"not all of {texts} came: {seen!r}") from None
    return seen


def socket_url(page: str, **query: str | int) -> str:
    size: Mapping[str, str | int] = {"width": 110, "height": 26, **query}
    return f"{page}ws?{'&'.join(f'{name}={value}' for name, value in size.items())}"


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return ") Z " not in stat.read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def ended(pids: list[int]) -> None:
    """Wait until none of these lives."""
    wait_until(lambda: not any(map(alive, pids)), within=20)
