"""Hearing of what happens on a host: the lines of its journal, over one connection.

Rule: a line is a hint that something happened, never the truth; who misses one looks at the spools.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from sshsched.errors import HostError, LinkLostError
from sshsched.remote import script
from sshsched.remote.answers import LONGEST_LINE, whole
from sshsched.remote.shell import CHUNK, Shell
from sshsched.remote.transport import Channel

FIRST_NEWS = (0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.5)  # seconds; a run that takes longer than all is followed
NEWS_EVERY = 0.5  # seconds between questions where no channel can follow the journal
YOUNG = 1.0  # seconds of a link's life in which only a long run is worth a channel


class Journal:
    """At first it is asked for, over the control shell, while something is expected; then a channel follows it.

    Where one command is sent to a hundred hosts, most links are of no more use a moment later, and a second channel
    would cost each of them as much as the command.
    """

    def __init__(self, host: str, control: Shell, notice: Callable[[str, str, list[str]], None]) -> None:
        self._host = host
        self._control = control
        self._notice = notice
        self._open: set[str] = set()
        self._woken = asyncio.Event()
        self._read = 0

    def expect(self, names: Iterable[str]) -> None:
        """Something will be told of these runs and probes."""
        self._open.update(names)
        if self._open:
            self._woken.set()

    async def follow(self, channel: Callable[[], Awaitable[Channel]]) -> None:
        """Tell all lines from now on. `channel` opens another one, with a shell in the spool.

        Never returns; raises LinkLostError.
        """
        await self._while_young()
        try:
            tail = await channel()
        except LinkLostError:
            raise
        except HostError:
            # It allows one channel and no second (MaxSessions 1): ask again and again.
            while True:
                await self._ask(NEWS_EVERY)
        tail.write(script.follow(self._read).encode())
        rest = b""
        while data := await tail.read(CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-LONGEST_LINE:]
            for line in lines:
                self._tell(line.decode("ascii", "replace"))
        why = tail.errors()[-200:] or "the channel ended"
        raise LinkLostError(self._host, f"its journal cannot be followed: {why}")

    async def _while_young(self) -> None:
        """Ask while something is expected, until a run takes long or comes when the link is no longer young."""
        loop = asyncio.get_running_loop()
        young_until = loop.time() + YOUNG
        young = True
        while young:
            await self._woken.wait()
            self._woken.clear()
            young = loop.time() < young_until
            for pause in FIRST_NEWS:
                await self._ask(pause)
                if not self._open:
                    break
            else:
                return

    async def _ask(self, pause: float) -> None:
        await asyncio.sleep(pause)
        *lines, last = (await self._control.ask(script.news())).told or [""]
        for line in lines:
            self._tell(line)
        word, _, number = last.partition(" ")
        self._read = (whole(number) if word == "at" else None) or self._read

    def _tell(self, line: str) -> None:
        word, name, *more = (*line.split(" "), "")
        if word == "stopping":
            self._open.add(f"end of {name}")  # more is to come when the program has ended
        elif word == "stopped":
            self._open.discard(f"end of {name}")
        elif word in ("ended", "refused", "probed"):
            self._open.discard(name)
        self._notice(word, name, more)
