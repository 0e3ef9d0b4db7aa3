"""Probes over real links: what conditions learn from hosts, and what they do not where a link is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from sshsched.domain.events import Event, Learnt, Report
from sshsched.domain.hosts import Host
from sshsched.domain.view import Probe
from sshsched.engine.probes import AT_ONCE, Prober
from sshsched.errors import HostError
from sshsched.remote.answers import Hello
from sshsched.remote.doors import Doors
from sshsched.remote.link import Link
from sshsched.remote.local import LocalTransport
from sshsched.remote.ssh import SshTransport
from sshsched.remote.transport import Connection, Transport
from tests.sshd import Sshd, make_sshd, sshd
from tests.support import until

__all__ = ["make_sshd", "sshd"]


class Asker:
    """A link that is kept up, its prober, and what that has posted: the engine's part of it."""

    def __init__(self, transport: Transport, root: Path) -> None:
        self.host = transport.host
        self.posted: list[Event] = []
        self.ups = 0
        self.link = Link(self, "cafe", self, root=str(root))
        self.prober = Prober(self.link, self.posted.append, time.time)
        self._transport = transport
        self._connections: list[Connection] = []

    @asynccontextmanager
    async def linked(self) -> AsyncIterator[Asker]:
        """With the link up; nothing of it is left afterwards."""
        task = asyncio.create_task(self.link.run())
        try:
            await until(lambda: self.ups > 0, within=20)
            yield self
        finally:
            self.prober.drop()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for connection in self._connections:
                await connection.wait_closed()

    async def connect(self) -> Connection:
        """As a transport: what it connects is waited for in the end."""
        self._connections.append(made := await self._transport.connect())
        return made

    def link_up(self, host: str, hello: Hello) -> None:
        self.ups += 1

    def link_down(self, host: str, error: HostError) -> None:
        self.prober.drop()

    def noticed(self, host: str, word: str, name: str, report: Report | None) -> None:
        assert "probed" == word
        self.prober.noticed(name)

    @property
    def learnt(self) -> list[Learnt]:
        return [event for event in self.posted if isinstance(event, Learnt)]

    async def answer(self, probe: Probe) -> Learnt:
        """The next answer to this probe."""
        before = len(self.posted)
        self.prober.ask(probe)
        await until(lambda: any(event.key == probe.key for event in self.learnt[before:]), within=20)
        return self.learnt[-1]


@pytest.fixture(params=["local", "ssh"])
async def asker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Asker]:
    """On this machine, and through a real sshd."""
    transport: Transport = LocalTransport()
    if request.param == "ssh":
        server: Sshd = request.getfixturevalue("sshd")
        transport = SshTransport(Host(server.name), Doors(), paths=server.paths)
    async with Asker(transport, tmp_path / "spool").linked() as made:
        yield made


@pytest.mark.parametrize(
    ("script", "ok", "words"),
    [
        ("echo well", True, "well"),
        ("exit 1", False, ""),
        ("echo no such thing; exit 1", False, "no such thing"),
        ("exit 7", False, "exit code 7"),
        ("echo oops; exit 7", False, "exit code 7: oops"),
    ],
)
async def test_what_is_learnt(asker: Asker, script: str, ok: bool, words: str) -> None:
    """An exit code of 0 is yes; with a no come the words of the host, and the exit code if it is an unusual one."""
    learnt = await asker.answer(Probe("box", script))

    assert (ok, words) == (learnt.fact.ok, learnt.fact.words)


async def test_a_program_that_hangs(asker: Asker) -> None:
    """A probe that hangs is a no after its limit; the link answers others meanwhile."""
    hung = Probe("box", "echo begun; exec sleep 600", limit=2)
    asker.prober.ask(hung)
    quick = await asker.answer(Probe("box", "true"))
    assert [quick] == asker.learnt
    await until(lambda: len(asker.learnt) == 2, within=20)

    assert (hung.key, False) == (asker.learnt[1].key, asker.learnt[1].fact.ok)
    assert "not done after 2 s: begun" == asker.learnt[1].fact.words


async def test_a_probe_that_cannot_be_begun(asker: Asker) -> None:
    """What a host cannot even begin is a no with its reason: here no kernel takes so long a word."""
    learnt = await asker.answer(Probe("box", f": {'x' * 200_000}"))

    assert (False, "cannot start another process") == (learnt.fact.ok, learnt.fact.words)


async def test_once_at_a_time(asker: Asker, tmp_path: Path) -> None:
    """A probe that many runs ask for is run once at a time, and again when it is asked for after that."""
    probe = Probe("box", f"echo x >>{tmp_path}/runs; until [ -e {tmp_path}/go ]; do sleep 0.05; done")
    for _ in range(20):
        asker.prober.ask(probe)
    await until(lambda: (tmp_path / "runs").exists(), within=20)
    (tmp_path / "go").touch()
    await until(lambda: asker.learnt)
    once = (tmp_path / "runs").read_text()
    await until(lambda: asker.prober.idle)
    await asker.answer(probe)

    assert "x\n" == once
    assert "x\nx\n" == (tmp_path / "runs").read_text()


async def test_many_at_once(asker: Asker, tmp_path: Path) -> None:
    """Of many different probes a few are under way at a time, and all are answered."""
    count = 3 * AT_ONCE
    busy = f"{tmp_path}/busy$$"
    text = f"ls {tmp_path} | grep -c busy >>{tmp_path}/seen; : >{busy}; sleep 0.05; rm {busy}"
    for number in range(count):
        asker.prober.ask(Probe("box", f": {number}; {text}"))
    await until(lambda: len(asker.learnt) == count, within=30)

    assert AT_ONCE > max(map(int, (tmp_path / "seen").read_text().split()))


async def test_a_lost_link_teaches_nothing(tmp_path: Path, sshd: Sshd) -> None:
    """When the link breaks nothing is posted for what was under way; over the next one the same probe is answered."""
    there = SshTransport(Host(sshd.name), Doors(), paths=sshd.paths)
    async with Asker(there, tmp_path / "spool").linked() as made:
        probe = Probe("box", f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo here")
        made.prober.ask(probe)
        await until(lambda: any((tmp_path / "spool").rglob("probes/*.said")), within=20)
        sshd.drop_connections()
        await until(lambda: made.ups == 2, within=20)
        lost = list(made.posted)
        (tmp_path / "go").touch()
        learnt = await made.answer(probe)

    assert [] == lost
    assert "here" == learnt.fact.words
    assert [learnt] == made.learnt


async def test_without_a_link_nothing_is_learnt(tmp_path: Path) -> None:
    """A probe on a host that is not connected is given up without a word."""
    made = Asker(LocalTransport(), tmp_path)
    made.prober.ask(Probe("local", "true"))
    await until(lambda: made.prober.idle)

    assert [] == made.posted
