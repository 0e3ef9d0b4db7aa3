"""The rival: asyncssh alone, without a run, a spool or a store. Nothing that it does survives anything."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncssh

from sshsched.domain.model import Run, Spool
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.remote import script
from sshsched.remote.answers import Clock, Hello, parse_hello, parse_reports
from sshsched.remote.shell import Shell, greet
from sshsched.remote.ssh_channel import SshChannel
from tests.sshd import Sshd

NEWS_EVERY = 0.05  # seconds: about what a run takes while a hundred others do


@asynccontextmanager
async def connected(sshd: Sshd, port: int = 0) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """One connection, to a port that leads there if its own is not meant."""
    async with _connection(port or sshd.port, sshd.user, sshd.key, sshd.known_hosts) as connection:
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


def connects(sshd: Sshd, ports: Sequence[int]) -> float:
    """A connection to each of these ports, all at once, each with one `true`: seconds."""

    async def one(port: int) -> None:
        async with connected(sshd, port) as connection:
            await connection.run("true", check=True)

    async def main() -> float:
        began = time.perf_counter()
        await asyncio.gather(*map(one, ports))
        return time.perf_counter() - began

    return asyncio.run(main())


def by_hand(sshd: Sshd, count: int, spool: Path) -> float:
    """So many connections, each with all that the protocol asks of a host for one `true`: seconds.

    Nothing is decided, saved or shown: no scheduler that speaks this protocol is quicker on the same processors.
    """

    async def one(number: int) -> None:
        async with connected(sshd) as connection:
            _, channel = await connection.create_session(SshChannel, "/bin/sh", encoding=None)
            assert isinstance(channel, SshChannel)
            shell = Shell("by hand", channel, await greet("by hand", channel))
            hello = parse_hello(await shell.ask(script.hello(str(spool), "byhand", f"h{number}")))
            run = a_run(number, hello)
            name = script.spool_name(run)
            await shell.ask_all([script.rooms([name]), script.put(run, name, {}), script.launch([(run, name, None)])])
            told: list[str] = []
            while not any(line.startswith("ended") for line in told):
                await asyncio.sleep(NEWS_EVERY)
                told = (await shell.ask(script.news())).told
            answer = await shell.ask(script.fetch(1024, [(name, 0, 0)]))
            (report,) = parse_reports(answer.told, Clock(hello.boot, 0)).values()
            assert report.outcome is not None
            assert report.outcome.exit_code == 0, report
            shell.close()

    async def main() -> float:
        began = time.perf_counter()
        await asyncio.gather(*map(one, range(count)))
        return time.perf_counter() - began

    return asyncio.run(main())


def a_run(number: int, hello: Hello) -> Run:
    """What a scheduler would have made."""
    spool = Spool(f"{hello.spool}/r{number}", hello.boot)
    program = Program(argv=("true",))
    return Run(number, "by hand", program, time.time(), State.STARTING, key=secrets.token_hex(4), spool=spool)


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
