"""The ssh transport: from a host's name to a logged-in connection, hop by hop.

Rule: every jump host is opened here, by the same steps and with the same strictness as the host itself. Nothing is
forwarded, and no terminal asked for. Importing this module imports asyncssh: only the engine may do it early.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import asyncssh

from sshsched.domain.hosts import Host
from sshsched.errors import HostConfigError, HostError
from sshsched.remote.dial import dial, start_proxy
from sshsched.remote.doors import Doors
from sshsched.remote.known_hosts import Known, find
from sshsched.remote.ssh_channel import SshChannel
from sshsched.remote.ssh_config import Paths
from sshsched.remote.ssh_errors import FAILURES, channel_error, explain, through_jump
from sshsched.remote.ssh_keys import KeyFile, Keyring, gather, read_keys
from sshsched.remote.ssh_login import Client, Limits, log_in
from sshsched.remote.target import Target, resolve
from sshsched.remote.transport import OPEN_LIMIT

_MAX_HOPS = 8


class SshTransport:
    """A way to one host over ssh.

    `doors` are shared by all transports. Jump hosts are looked up in `hosts`, the entries of hosts.yaml, before
    ssh_config.
    """

    def __init__(
        self,
        host: Host,
        doors: Doors,
        *,
        hosts: Mapping[str, Host] | None = None,
        paths: Paths | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.host = host.name
        self._way = Way(host, hosts or {}, paths or Paths.default(), limits or Limits(), doors)

    async def connect(self) -> SshConnection:
        return await self._way.enter()


class SshConnection:
    """A logged-in link, and what it runs through."""

    def __init__(self, host: str, link: asyncssh.SSHClientConnection, client: Client, route: Route) -> None:
        self.host = host
        self.link = link
        self._client = client
        self._route = route

    async def open(self, command: str = "/bin/sh") -> SshChannel:
        try:
            async with asyncio.timeout(OPEN_LIMIT):
                _, session = await self.link.create_session(SshChannel, command, encoding=None)
        except FAILURES as error:
            raise channel_error(self.host, error, lost=self.link.is_closed()) from error
        return session  # type: ignore[return-value]

    def close(self) -> None:
        self.link.close()

    async def wait_closed(self) -> None:
        await self._client.lost.wait()
        await self._route.ended()


async def _nothing() -> None:
    """There is nothing to wait for."""


@dataclass
class Route:
    """An open stream to a host's sshd: a socket, or a connection to a jump host. `release` ends all that it needs."""

    sock: socket.socket | None = None
    tunnel: asyncssh.SSHClientConnection | None = None
    release: Callable[[], None] = lambda: None
    ended: Callable[[], Awaitable[None]] = _nothing
    said: Callable[[], str] = lambda: ""


@dataclass(frozen=True, slots=True)
class Found:
    """All that files say of how to log in to a host."""

    target: Target
    known: Known
    keys: list[KeyFile]


@dataclass
class Way:
    """How to get to one host, through whatever lies before it."""

    host: Host
    hosts: Mapping[str, Host]
    paths: Paths
    limits: Limits
    doors: Doors
    passed: tuple[str, ...] = ()
    """The hosts that asked for this one as their jump host."""
    found: Found | None = field(default=None, init=False)
    """What the latest login went by."""
    client: Client | None = field(default=None, init=False)
    """What the latest login saw."""

    async def enter(self, before: Route | None = None, *, offer_keys: bool = True) -> SshConnection:
        """Log in: over a route that is open already, through its own jump hosts, or straight. Raises HostError."""
        try:
            found = self.found = await asyncio.to_thread(self._look_up)
            if before is None and found.target.jumps:
                before = await self._jump(found.target)
            async with self.doors.at(_door(found.target)):
                route = before or await self._open(found.target)
                return await self._log_in(found, route, offer_keys=offer_keys)
        except BaseException:
            if before is not None:
                before.release()
            raise

    def _look_up(self) -> Found:
        """All that is to be read, at once: to wake a thread for each file takes longer than the reading."""
        target = resolve(self.host, self.paths)
        return Found(target, find(target.known_hosts, target.known_as), read_keys(target))

    async def _open(self, target: Target) -> Route:
        if target.proxy_command:
            proxy = await start_proxy(target, target.proxy_command)
            return Route(proxy.sock, release=proxy.close, ended=proxy.ended, said=lambda: str(proxy.said))
        return Route(await dial(target, target.connect_limit or self.limits.connect))

    async def _log_in(self, found: Found, route: Route, *, offer_keys: bool) -> SshConnection:
        """Handshake and login over the route, which is released when the connection ends. Raises HostError."""
        target, known, ring = found.target, found.known, Keyring()
        client = self.client = Client(ring, route.release)
        try:
            if offer_keys:
                await gather(target, found.keys, ring)
            async with self.doors.handshakes:
                link = await log_in(target, known, client, self.limits, route.sock, route.tunnel)
            return SshConnection(target.host, link, client, route)
        except FAILURES as error:
            problem = explain(target, known, client, self.limits, error)
            await _give_up(route)
            raise _with_words(problem, route.said()) from error
        except BaseException:
            await _give_up(route)
            raise
        finally:
            await ring.close()

    async def _jump(self, target: Target) -> Route:
        """Log in to each jump host in turn, each through the one before it."""
        passed = (*self.passed, self.host.name)
        if len(passed) > _MAX_HOPS or self.host.name in self.passed:
            raise HostConfigError(target.host, f"its jump hosts lead in a circle: {' > '.join(passed)}")
        before: Route | None = None
        for jump in target.jumps:
            way = Way(self.hosts.get(jump, Host(jump)), self.hosts, self.paths, self.limits, self.doors, passed)
            try:
                connection = await way.enter(before)
            except HostError as error:
                raise through_jump(target.host, jump, error) from error
            before = Route(tunnel=connection.link, release=connection.close, ended=connection.wait_closed)
        assert before
        return before


def _door(target: Target) -> str:
    """Where it knocks. All that a ProxyCommand leads to may lie behind one gate."""
    return "ProxyCommand" if target.proxy_command else f"{target.address}:{target.port}"


def _with_words(problem: HostError, said: str) -> HostError:
    """The same error, and what the ProxyCommand had to say."""
    words = " ".join(said.split())
    if not words:
        return problem
    message = f"{problem.message}; the proxy command said: {words}"
    return type(problem)(problem.host, message, problem.evidence + said)


async def _give_up(route: Route) -> None:
    if route.sock:
        route.sock.close()
    route.release()
    await route.ended()
