"""Opens the byte stream to a host's sshd: TCP, or a ProxyCommand. No ssh here yet.

Rule: name, connection and handshake have their own limits, so that a message can say which of them was too slow.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass

from sshsched.errors import HostConfigError, HostError, HostNameError, HostRefusedError, HostTimeoutError
from sshsched.remote.target import Target
from sshsched.remote.transport import Tail

RESOLVE_LIMIT = 10.0  # seconds: two tries of the usual resolver
PROXY_GRACE = 2.0  # seconds for a ProxyCommand to end
_Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


async def dial(target: Target, limit: float) -> socket.socket:
    """A TCP connection to the target. `limit` in seconds holds for each of its addresses. Raises HostError."""
    problem: HostError | None = None
    for address in await _addresses(target):
        try:
            return await _connect(target, address, limit)
        except HostError as error:
            problem = error
    raise problem or HostNameError(target.host, f"the name {target.address!r} has no address")


async def _addresses(target: Target) -> list[_Address]:
    with suppress(socket.gaierror, UnicodeError):  # a number asks nobody, and needs no thread
        return socket.getaddrinfo(
            target.address, target.port, target.family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )  # type: ignore[return-value]
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_LIMIT):
            found = await loop.getaddrinfo(target.address, target.port, family=target.family, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise HostNameError(
            target.host, f"the name {target.address!r} was not resolved within {RESOLVE_LIMIT:g} s"
        ) from error
    except (socket.gaierror, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise HostNameError(
            target.host,
            f"the name {target.address!r} does not resolve ({why}); is it spelled right, or missing in ssh_config?",
        ) from error
    return found  # type: ignore[return-value]


async def _connect(target: Target, address: _Address, limit: float) -> socket.socket:
    family, kind, protocol, _, place = address
    where = f"{place[0]} port {place[1]}"
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        if target.bind:
            sock.bind((target.bind, 0))
        async with asyncio.timeout(limit):
            await asyncio.get_running_loop().sock_connect(sock, place)
    except TimeoutError as error:
        sock.close()
        raise HostTimeoutError(
            target.host, f"no answer from {where} within {limit:g} s: is it switched on, and no firewall in between?"
        ) from error
    except OSError as error:
        sock.close()
        raise _tcp_error(target, where, error) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _tcp_error(target: Target, where: str, error: OSError) -> HostError:
    if isinstance(error, ConnectionRefusedError):
        return HostRefusedError(target.host, f"{where} refused the connection: is sshd running there?")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return HostConfigError(target.host, f"BindAddress {target.bind}: {error.strerror}")
    return HostError(target.host, f"cannot reach {where}: {error.strerror or error}")


@dataclass(slots=True)
class Proxy:
    """A running ProxyCommand. `sock` is our end of its standard input and output."""

    sock: socket.socket
    process: asyncio.subprocess.Process
    said: Tail
    _keeper: asyncio.Task[None]

    def close(self) -> None:
        """Ask it to end, and all that it started with it."""
        self._signal(signal.SIGTERM)

    async def ended(self) -> None:
        """Wait for its end, which comes within PROXY_GRACE after `close`."""
        try:
            async with asyncio.timeout(PROXY_GRACE):
                await asyncio.shield(self._keeper)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._keeper

    def _signal(self, number: signal.Signals) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


async def start_proxy(target: Target, command: str) -> Proxy:
    """Run a ProxyCommand with the user's shell, as ssh does. Raises HostConfigError."""
    ours, theirs = socket.socketpair()
    shell = os.environ.get("SHELL") or "/bin/sh"
    try:
        process = await asyncio.create_subprocess_exec(
            *(shell, "-c", f"exec {command}"),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise HostConfigError(target.host, f"ProxyCommand: cannot start {shell}: {error.strerror}") from error
    finally:
        theirs.close()
    said = Tail()
    return Proxy(ours, process, said, asyncio.create_task(_listen(process, said)))


async def _listen(process: asyncio.subprocess.Process, said: Tail) -> None:
    assert process.stderr
    while data := await process.stderr.read(4096):
        said.add(data)
    await process.wait()
