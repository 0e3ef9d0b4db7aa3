"""Links over local shells: what a link makes of hosts that are slow, mute, noisy, or allow it little."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sshsched.domain.events import Report
from sshsched.errors import HostError, LinkLostError, NoShellError, UnusableError
from sshsched.remote import journal, script
from sshsched.remote import shell as shell_module
from sshsched.remote.answers import Hello
from sshsched.remote.link import Link
from sshsched.remote.shell import Shell, greet
from tests.remote.hostkit import FakeHost, HostChannel, a_run, lives
from tests.support import until


@dataclass
class FakeConnection:
    """A connection on which only so many channels may be open at once, as sshd's MaxSessions has it."""

    fake: FakeHost
    most: int
    channels: list[HostChannel] = field(default_factory=list)
    refused: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, command: str = "/bin/sh") -> HostChannel:
        if sum(channel.process.returncode is None for channel in self.channels) >= self.most:
            self.refused += 1
            raise HostError("fake", "the host allows no further session")
        self.channels.append(channel := await self.fake.open())
        return channel

    def close(self) -> None:
        for channel in self.channels:
            channel.close()
        self.closed.set()

    async def wait_closed(self) -> None:
        await self.closed.wait()


@dataclass
class FakeTransport:
    """The way to a host of the kit."""

    fake: FakeHost
    most: int = 10
    host: str = "fake"
    connections: list[FakeConnection] = field(default_factory=list)

    async def connect(self) -> FakeConnection:
        self.connections.append(made := FakeConnection(self.fake, self.most))
        return made


@dataclass
class Heard:
    """What a link told."""

    ups: list[Hello] = field(default_factory=list)
    downs: list[HostError] = field(default_factory=list)
    notices: list[tuple[str, str, Report | None]] = field(default_factory=list)

    def link_up(self, host: str, hello: Hello) -> None:
        self.ups.append(hello)

    def link_down(self, host: str, error: HostError) -> None:
        self.downs.append(error)

    def noticed(self, host: str, word: str, name: str, report: Report | None) -> None:
        self.notices.append((word, name, report))


@dataclass
class Linked:
    """A link that is kept up, and what it told."""

    link: Link
    heard: Heard
    transport: FakeTransport

    @property
    def channels(self) -> list[HostChannel]:
        return self.transport.connections[-1].channels

    async def up(self, times: int = 1) -> None:
        await until(lambda: len(self.heard.ups) >= times, within=20)

    async def follows(self) -> None:
        """Wait until the link has its second channel, as one run takes long: before, it asks over the first."""
        await self.up()
        await self.link.start([(a_run("exec sleep 60"), None)])
        await until(lambda: len(self.channels) >= 2, within=20)


Connect = Callable[..., Linked]


@pytest.fixture
async def connect(make_host: Callable[..., FakeHost]) -> AsyncIterator[Connect]:
    """Makes links and keeps them up until the test ends."""
    tasks: list[asyncio.Task[None]] = []

    def make(fake: FakeHost | None = None, most: int = 10) -> Linked:
        fake, heard = fake or make_host(), Heard()
        transport = FakeTransport(fake, most)
        link = Link(transport, "cafe", heard, root=str(fake.root))
        tasks.append(asyncio.create_task(link.run()))
        return Linked(link, heard, transport)

    yield make
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ends(linked: Linked, command: str) -> str:
    """Start a program over the link and wait until the link notices its end. Returns the spool's name."""
    run = a_run(command)
    name = script.spool_name(run)
    (started,) = await linked.link.start([(run, None)])
    assert started.launched
    await until(lambda: ("ended", name, None) in linked.heard.notices, within=20)
    return name


async def test_starts_and_ends_are_noticed(connect: Connect) -> None:
    """What happens on a host is told without being asked for."""
    linked = connect()
    await linked.up()
    name = await ends(linked, "exit 7")

    started = next(report for word, of, report in linked.heard.notices if (word, of) == ("started", name))
    assert started is not None
    report = (await linked.link.look([name]))[name]
    assert report.pid == started.pid
    assert report.outcome is not None
    assert 7 == report.outcome.exit_code


@pytest.mark.parametrize("stopped", [False, True], ids=["waiting", "stopped"])
async def test_a_new_link_ends_the_shells_of_the_old(connect: Connect, stopped: bool) -> None:
    """Control shell and follower of an older link are gone when a new one is up, also where they had been stopped."""
    old = connect()
    await old.follows()
    shells = [channel.process.pid for channel in old.channels]
    await until(lambda: len(os.listdir(Path(old.heard.ups[0].spool) / "shells")) == 2, within=20)  # noqa: PTH208
    for pid in shells if stopped else []:
        os.kill(pid, signal.SIGSTOP)
    new = connect(old.transport.fake)
    await new.up()

    assert [] == [pid for pid in shells if lives(pid)]


async def test_a_short_run_on_a_new_link_needs_no_second_channel(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that has just come up is asked for news; where one is used again later, a channel follows."""
    monkeypatch.setattr(journal, "YOUNG", 60.0)
    young = connect()
    await young.up()
    await ends(young, "true")
    await ends(young, "true")
    monkeypatch.setattr(journal, "YOUNG", 0.0)
    old = connect()
    await old.up()
    await ends(old, "true")
    await until(lambda: len(old.channels) == 2, within=20)
    await ends(old, "true")

    assert 1 == len(young.channels)


async def test_starts_go_together(connect: Connect) -> None:
    """Of many that are started at once, one that cannot be is told apart, and the others run."""
    linked = connect()
    await linked.up()
    runs = [a_run(f"exit {number}") for number in range(6)]
    names = [script.spool_name(run) for run in runs]
    Path(linked.heard.ups[0].spool, names[2]).symlink_to("/tmp")
    first = await linked.link.start([(run, None) for run in runs])
    again = await linked.link.start([(run, None) for run in runs])
    told = {("ended", name, None) for name in names if name != names[2]}
    await until(lambda: told <= set(linked.heard.notices), within=20)

    assert [True, True, False, True, True, True] == [each.launched for each in first]
    assert [True, True, False, True, True, True] == [each.launched for each in again]
    assert "is a symbolic link" in first[2].refused


async def test_a_follower_that_dies_renews_the_link(connect: Connect) -> None:
    """Without a follower nothing would be noticed: the link goes down and comes up again."""
    linked = connect()
    await linked.follows()
    await ends(linked, "true")
    linked.channels[1].process.kill()
    await linked.up(2)

    assert "its journal cannot be followed" in str(linked.heard.downs[0])
    await ends(linked, "true")


async def test_one_session_is_enough(connect: Connect) -> None:
    """Where a host allows a single session, the journal is asked for over it, and so is much output."""
    linked = connect(most=1)
    await linked.up()
    name = await ends(linked, "echo hi")
    _, data = await linked.link.fetch_bulk(name, 0, 0)

    assert [b"hi\n"] == [piece.data for piece in data]
    assert [] == linked.heard.downs


async def test_two_sessions_are_enough(connect: Connect) -> None:
    """Where a host allows two sessions, much output comes over the first, and a third is asked for only once."""
    linked = connect(most=2)
    await linked.follows()
    name = await ends(linked, "echo hi")
    pieces = [(await linked.link.fetch_bulk(name, 0, 0))[1][0].data for _ in range(3)]

    assert [b"hi\n"] * 3 == pieces
    assert 1 == linked.transport.connections[-1].refused
    assert [] == linked.heard.downs


async def test_a_bulk_channel_that_dies_is_replaced(connect: Connect) -> None:
    """The loss of the channel for much output costs nothing but itself."""
    linked = connect()
    await linked.follows()
    name = await ends(linked, "echo hi")
    await linked.link.fetch_bulk(name, 0, 0)
    linked.channels[-1].process.kill()
    await linked.channels[-1].process.wait()
    pieces = [(await linked.link.fetch_bulk(name, 0, 0))[1][0].data for _ in range(3)]

    assert [b"hi\n"] * 3 == pieces
    assert 4 == len(linked.channels)  # control, journal, bulk, and bulk again
    assert [] == linked.heard.downs


async def test_a_control_shell_that_dies_renews_the_link(connect: Connect) -> None:
    """Open requests end with the link, and the next one works."""
    linked = connect()
    await linked.up()
    linked.channels[0].process.send_signal(signal.SIGSTOP)
    asked = asyncio.create_task(linked.link.look([]))
    await asyncio.sleep(0)
    linked.channels[0].process.kill()
    with pytest.raises(LinkLostError):
        await asked
    await linked.up(2)

    assert {} == await linked.link.look([])


async def test_a_control_shell_that_hangs_ends_the_link(connect: Connect) -> None:
    """A shell that does not answer in time is given up, and everything is asked over a new link."""
    linked = connect()
    await linked.up()
    linked.channels[0].process.send_signal(signal.SIGSTOP)
    control = linked.link._control
    assert control is not None
    with pytest.raises(LinkLostError, match="has said nothing for"):
        await control.ask("true", within=0.1)
    await linked.up(2)

    assert {} == await linked.link.look([])


async def test_a_spool_that_cannot_be_is_told_in_the_hosts_words(
    connect: Connect, make_host: Callable[..., FakeHost]
) -> None:
    """A file where the spool's folder should be is named, with what the host said."""
    fake = make_host()
    fake.root.write_text("")
    linked = connect(fake)
    await until(lambda: linked.heard.downs, within=20)

    assert isinstance(linked.heard.downs[0], UnusableError)
    assert "cannot make the spool" in str(linked.heard.downs[0])
    assert "mkdir" in str(linked.heard.downs[0])


# The greeting ----------------------------------------------------------------------------------------------------


async def greeted(host: FakeHost, login: str, within: float = 10.0) -> Shell:
    """Talk to a host whose login does this before it hands over to its shell."""
    channel = await host.open(wrap=("/bin/sh", "-c", f'{login}\nexec "$@"', "login"))
    return Shell("fake", channel, await greet("fake", channel, within))


@pytest.mark.parametrize(
    "login",
    ["echo Welcome; echo to >&2", "head -c 60000 /dev/urandom", "printf 'no newline'", "umask 000; cd /", "stty raw"],
)
async def test_noise_at_login_is_passed_over(make_host: Callable[..., FakeHost], login: str) -> None:
    """Whatever is printed before the shell comes, its first answer is understood."""
    shell = await greeted(make_host(), login)

    assert ["hi"] == (await shell.ask("echo '|hi'")).told
    shell.close()


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ("echo go away; exit 1", "no /bin/sh answered .*go away"),
        ("exit 0", "no /bin/sh answered .*said nothing"),
        ("exec cat", "did not answer"),
        ("exec sleep 60", "did not answer"),
        ("yes", "prints without end at login"),
        ("cat >/dev/null", "did not answer"),
    ],
)
async def test_a_login_without_a_shell_is_told_clearly(
    make_host: Callable[..., FakeHost], login: str, words: str
) -> None:
    """A host whose shell does not answer is told as what it is, and never hangs."""
    with pytest.raises(NoShellError, match=f"(?s){words}"):
        await greeted(make_host(), login, within=1.0)


async def test_an_answer_that_comes_slowly_is_waited_for(make_host: Callable[..., FakeHost]) -> None:
    """Only silence ends a shell: megabytes on a slow line take as long as they take."""
    shell = await greeted(make_host(), ":")
    answer = await shell.ask("for line in 1 2 3 4 5 6; do echo '|more'; sleep 0.2; done", within=0.6)

    assert ["more"] * 6 == answer.told


async def test_an_answer_without_end_ends_the_shell(
    make_host: Callable[..., FakeHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a host says fills no memory: an answer that is too long is none."""
    monkeypatch.setattr(shell_module, "LONGEST_ANSWER", 1_000_000)
    shell = await greeted(make_host(), ":")
    with pytest.raises(LinkLostError, match="an answer without end"):
        await shell.ask("yes '|more'", within=20)

    assert "an answer without end" in shell.problem


async def test_what_cannot_be_sent_disturbs_nobody(make_host: Callable[..., FakeHost]) -> None:
    """A request that is no text is refused to its sender, and others get their answers."""
    shell = await greeted(make_host(), ":")
    with pytest.raises(UnicodeEncodeError):
        await shell.ask("echo '\ud800'")

    assert ["hi"] == (await shell.ask("echo '|hi'")).told
    shell.close()
