"""The rival: asyncssh alone, without a run, a spool or a store. Nothing that it does survives anything."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncssh

from tests.sshd import Sshd


@asynccontextmanager
async def connected(sshd: Sshd) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """One connection."""
    async with _connection(sshd.port, sshd.user, sshd.key, sshd.known_hosts) as connection:
        yield connection


def _connection(port: int, user: str, key: Path, known_hosts: Path) -> asyncssh.connection._ConnectContext:  # type: ignore[name-defined]
    return asyncssh.connect(
        "127.0.0.1",
        port,
        username=user,
        client_keys=[str(key)],
        known_hosts=str(known_hosts),
        agent_path=None,
        config=None,
        keepalive_interval=15,
    )


def rate(sshd: Sshd, count: int, in_flight: int) -> float:
    """`conn.run("true")` so many times, on one connection that is up already: how many a second."""

    async def main() -> float:
        gate = asyncio.Semaphore(in_flight)

        async def once(connection: asyncssh.SSHClientConnection) -> None:
            async with gate:
                await connection.run("true", check=True)

        async with connected(sshd) as connection:
            await once(connection)
            began = time.perf_counter()
            await asyncio.gather(*(once(connection) for _ in range(count)))
            return count / (time.perf_counter() - began)

    return asyncio.run(main())


def at_once(sshd: Sshd, count: int, command: str) -> int:
    """Start so many at once on one connection: how many the server took."""

    async def main() -> int:
        async with connected(sshd) as connection:
            runs = (connection.run(command, check=True) for _ in range(count))
            results = await asyncio.gather(*runs, return_exceptions=True)
        return sum(not isinstance(result, BaseException) for result in results)

    return asyncio.run(main())


def connects(sshd: Sshd, count: int) -> float:
    """So many connections, each with one `true`: seconds."""

    async def one() -> None:
        async with connected(sshd) as connection:
            await connection.run("true", check=True)

    async def main() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        return time.perf_counter() - began

    return asyncio.run(main())


async def hold(count: int, port: int, user: str, key: Path, known_hosts: Path) -> None:
    """So many connections, kept, with keepalives and nothing else; says when they are up."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(_connection(port, user, key, known_hosts))
        sys.stdout.write("up\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5])))
