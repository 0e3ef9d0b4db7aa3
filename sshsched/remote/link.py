"""One link per host: connect, say hello, follow the journal, ask; and again, for as long as the link is wanted.

Rule: at most three channels (control, journal, bulk), nothing is remembered over a reconnect, and whatever breaks is
reported once: requests under way end with LinkLostError and the truth is looked for over the next connection.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from sshsched.domain.events import Report
from sshsched.domain.model import Run
from sshsched.errors import HostError, LinkLostError, NoShellError, UnusableError
from sshsched.remote import script
from sshsched.remote.answers import (
    Answer,
    Answered,
    AnswerError,
    Clock,
    Data,
    Hello,
    parse_answered,
    parse_hello,
    parse_reports,
    started_report,
)
from sshsched.remote.journal import Journal
from sshsched.remote.shell import CHUNK, CUT, GREETING_WITHIN, NOISE, Shell, greet
from sshsched.remote.transport import Channel, Connection, Transport

FIRST_PAUSE, LONGEST_PAUSE, PERMANENT_PAUSE = 0.2, 5.0, 30.0
CUT_SHOWS_WITHIN = 0.5
BULK_BYTES = 4 * 1024 * 1024


NO_SECRETS: Final[Mapping[int, Mapping[str, str]]] = MappingProxyType({})


class Listener(Protocol):
    """Who is told what happens to a link. Called on the loop; must not block."""

    def link_up(self, host: str, hello: Hello) -> None: ...
    def link_down(self, host: str, error: HostError) -> None: ...
    def noticed(self, host: str, word: str, name: str, report: Report | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Started:
    """What a host said to a start."""

    launched: bool
    refused: str = ""


class Link:
    """The link to one host. `run()` keeps it up; the requests raise LinkLostError while it is down."""

    def __init__(
        self,
        transport: Transport,
        instance: str,
        listener: Listener,
        *,
        root: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.host = transport.host
        self.hello: Hello | None = None
        self._transport = transport
        self._instance = instance
        self._listener = listener
        self._root = root
        self.env = env or {}
        """Variables for every program from now on."""
        self._control: Shell | None = None
        self._journal: Journal | None = None
        self._bulk: asyncio.Task[Shell] | None = None
        self._connection: Connection | None = None
        self._clock = Clock("", 0.0)
        self._hurry = asyncio.Event()

    # Keeping it up ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the link up until cancelled."""
        pause = FIRST_PAUSE
        while True:
            self._hurry.clear()
            error, lasted = await self._once()
            self._listener.link_down(self.host, error)
            pause = FIRST_PAUSE if lasted else min(pause * 2, LONGEST_PAUSE)
            wait = PERMANENT_PAUSE if error.permanent else pause * random.uniform(0.5, 1.0)
            try:
                async with asyncio.timeout(wait):
                    await self._hurry.wait()
            except TimeoutError:
                pass

    def hurry(self) -> None:
        """Somebody needs this host now: do not wait out the pause."""
        self._hurry.set()

    async def _once(self) -> tuple[HostError, bool]:
        """One life of the connection: why it ended, and whether it had come up at all."""
        connection, up = None, False
        try:
            connection = self._connection = await self._transport.connect()
            shell = await self._greeted(connection)
            hello = await self._say_hello(shell)
            up = True
            self._control, self.hello = shell, hello
            journal = self._journal = Journal(self.host, shell, self._notice)
            journal.expect(hello.runs)
            self._listener.link_up(self.host, hello)
            following = journal.follow(lambda: self._joined(connection, hello))
            try:
                await _first(shell.closed(), connection.wait_closed(), following)
            except LinkLostError:
                if not await _ends_soon(connection):
                    raise  # the follower alone has ended; else it was only the first to notice
            return LinkLostError(self.host, shell.problem or CUT), up
        except HostError as error:
            return error, up
        except AnswerError as error:
            return UnusableError(self.host, f"it has a shell, but cannot be used: {error}"), up
        finally:
            self._drop(connection)

    def _drop(self, connection: Connection | None) -> None:
        self.hello = self._connection = self._journal = None
        if self._control is not None:
            self._control.close()
            self._control = None
        self._drop_bulk()
        if connection is not None:
            connection.close()

    async def _greeted(self, connection: Connection) -> Shell:
        channel = await connection.open()
        try:
            return Shell(self.host, channel, await greet(self.host, channel))
        except NoShellError as error:
            # A link that was cut just now says as little as a host without a shell, and only one of them is for good.
            if await _ends_soon(connection):
                raise LinkLostError(self.host, "the connection was lost before a shell answered") from error
            raise

    async def _say_hello(self, shell: Shell) -> Hello:
        answer = await shell.ask(script.hello(self._root, self._instance, self.host))
        hello = parse_hello(answer)
        self._clock = Clock(hello.boot, time.time() - hello.uptime)
        return hello

    def _drop_bulk(self) -> None:
        if self._bulk is None:
            return
        if self._bulk.done() and not self._bulk.cancelled() and self._bulk.exception() is None:
            self._bulk.result().close()
        self._bulk.cancel()
        self._bulk = None

    def _notice(self, word: str, name: str, more: list[str]) -> None:
        self._listener.noticed(self.host, word, name, started_report(word, more, self._clock))

    async def _joined(self, connection: Connection, hello: Hello) -> Channel:
        """A further channel, its shell in the spool and known by its number there.

        Raises HostError, and LinkLostError if it was the whole connection that ended.
        """
        channel = await connection.open()
        try:
            await greet(self.host, channel)
            channel.write(script.request(0, script.join(hello.spool)).encode())
            heard = b""
            async with asyncio.timeout(GREETING_WITHIN):
                while b"\n.0\n" not in heard:
                    data = await channel.read(CHUNK)
                    heard += data
                    if not data or len(heard) > NOISE:
                        raise HostError(self.host, f"a further channel is of no use: {channel.errors()[-200:]}")
        except TimeoutError:
            channel.close()
            raise HostError(self.host, "a further channel does not answer") from None
        except BaseException:
            channel.close()
            raise
        return channel

    # Requests --------------------------------------------------------------------------------------------------------

    async def start(
        self, starts: Sequence[tuple[Run, float | None]], secrets: Mapping[int, Mapping[str, str]] = NO_SECRETS
    ) -> list[Started]:
        """Have these programs started, each once however often this is asked, and ended after so many seconds.

        `secrets` are, by run, variables of the environment that are kept nowhere on the host.
        """
        if self._control is None or self._journal is None:
            raise LinkLostError(self.host, "not connected")
        named = [(run, script.spool_name(run), stop_in) for run, stop_in in starts]
        names = [name for _, name, _ in named]
        calls = [
            script.rooms(names),
            *(script.put(run, name, self.env, secrets.get(run.id, script.NOTHING)) for run, name, _ in named),
            script.launch(named),
        ]
        self._journal.expect(names)
        _, *puts, launched = await self._control.ask_all(calls)
        return [_started(put if put.told else launched) for put in puts]

    async def look(self, names: Iterable[str]) -> dict[str, Report]:
        """What these spools say."""
        return self._reports(await self._ask(script.look(names)))

    async def settle(self, name: str) -> Report | None:
        """Seal the run, or learn who has the claim. None if the host could do neither."""
        return self._reports(await self._ask(script.settle(name))).get(name)

    async def stop(self, run: Run) -> Report | None:
        """Have the host climb the stop ladder, or seal the run."""
        name = script.spool_name(run)
        if self._journal is not None:
            self._journal.expect([name])
        return self._reports(await self._ask(script.stop(run, name))).get(name)

    async def fetch(self, wanted: Sequence[tuple[str, int, int]], most: int) -> tuple[dict[str, Report], list[Data]]:
        """Reports, and at most so many bytes of each output from the given offsets on."""
        answer = await self._ask(script.fetch(most, wanted))
        return self._reports(answer), answer.data

    async def fetch_bulk(self, name: str, stdout: int, stderr: int) -> tuple[dict[str, Report], list[Data]]:
        """The same for one run and many bytes, on a channel of its own, so that nothing else waits."""
        connection, hello = self._connection, self.hello
        if connection is None or hello is None:
            raise LinkLostError(self.host, "not connected")
        call = script.fetch(BULK_BYTES, [(name, stdout, stderr)])
        bulk = self._bulk = self._bulk or asyncio.create_task(self._open_bulk(connection, hello))
        try:
            answer = await (await asyncio.shield(bulk)).ask(call)
        except LinkLostError:
            # It was there and is no more. If that was not the whole link, the next call opens another.
            if self._bulk is bulk:
                self._drop_bulk()
            answer = await self._ask(call)
        except HostError:
            # No third channel on this host (MaxSessions 2): the first has to do, from now on.
            answer = await self._ask(call)
        return self._reports(answer), answer.data

    async def clean(self, names: Sequence[str]) -> list[str]:
        """Remove these spools; the names of those that could not be."""
        answer = await self._ask(script.clean(names))
        return [line.partition(" ")[2] for line in answer.told]

    @property
    def latency(self) -> float | None:
        """Seconds to an answer of the host; None while there is no link."""
        return None if self._control is None else self._control.latency

    async def begin_probe(self, name: str, limit: float, text: str) -> None:
        """Have a probe run on the host; a notice `probed NAME` says when it has an answer."""
        if self._journal is not None:
            self._journal.expect([name])
        answer = await self._ask(script.ask(name, limit, text))
        if answer.told:
            raise UnusableError(self.host, _started(answer).refused)

    async def probe_answer(self, name: str) -> Answered | None:
        """What that probe answered; None if it has not yet. The host forgets it."""
        return parse_answered((await self._ask(script.answer(name))).told)

    async def ask(self, call: str) -> Answer:
        """Any other call: for `hosts check`."""
        return await self._ask(call)

    async def _open_bulk(self, connection: Connection, hello: Hello) -> Shell:
        return Shell(self.host, await self._joined(connection, hello))

    async def _ask(self, call: str) -> Answer:
        if self._control is None:
            raise LinkLostError(self.host, "not connected")
        return await self._control.ask(call)

    def _reports(self, answer: Answer) -> dict[str, Report]:
        return parse_reports(answer.told, self._clock)


def _started(answer: Answer) -> Started:
    word, _, why = (answer.told or ["refused nothing was answered"])[-1].partition(" ")
    if word in ("launched", "claimed"):
        return Started(launched=True)
    return Started(launched=False, refused=f"{why}: {answer.evidence}" if answer.evidence else why)


async def _ends_soon(connection: Connection) -> bool:
    try:
        async with asyncio.timeout(CUT_SHOWS_WITHIN):
            await connection.wait_closed()
    except TimeoutError:
        return False
    return True


async def _first(*waits: Awaitable[None]) -> None:
    """Wait for the first of these to end, give the others up, and raise what it raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
