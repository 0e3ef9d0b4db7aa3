"""How notices leave the house: the action that a notice is for, with everything that it may use to tell it.

Rule: config.yaml is read anew for each delivery, so that mending it needs no restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sshsched.config.settings import Settings
from sshsched.domain.instructions import Notice
from sshsched.domain.model import STREAMS, Run, Stream
from sshsched.engine import command, mail, post
from sshsched.kinds.actions.base import Command, DeliveryError, Mail, Post
from sshsched.kinds.actions.told import harmless
from sshsched.kinds.rules import action

OUTPUT_WITHIN = 15.0  # seconds for the output of a run that has ended to arrive here
OUTPUT_EVERY = 0.1
TAIL = 64 << 10  # bytes of output in which its last lines are looked for
APPRISE_WITHIN = 60.0

Fill = Callable[[str, Mapping[str, Any]], str]


class Outputs(Protocol):
    """What runs have printed, as far as it is here."""

    def read(self, run_id: int, stream: Stream, offset: int, size: int) -> bytes: ...
    def size(self, run_id: int, stream: Stream) -> int: ...


class Secrets(Protocol):
    """Where secrets are kept."""

    async def value(self, name: str) -> str:
        """Raises an error that names the secret and the remedy."""

    async def of(self, run: Run) -> Mapping[str, str]:
        """The environment variables of a run's program that are secrets; raises likewise."""


class House:
    """Delivers notices. `runs` knows those that are not settled, `settings` reads config.yaml."""

    def __init__(
        self,
        instance: str,
        *,
        settings: Callable[[], Settings],
        secrets: Secrets,
        fill: Fill,
        runs: Callable[[int], Run | None],
        outputs: Outputs,
        clock: Callable[[], float],
    ) -> None:
        self.instance = instance
        self.settings = settings
        self.secrets = secrets
        self.fill = fill
        self.runs = runs
        self.outputs = outputs
        self.clock = clock

    async def deliver(self, notice: Notice) -> None:
        """Raises whatever keeps it from being delivered."""
        made = action(notice.deed)
        try:
            async with asyncio.timeout(made.limit) as limit:
                await made.deliver(notice, _Means(self, notice))
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeliveryError(f"it took longer than {made.limit:g} s, and was given up") from None

    @staticmethod
    def route(notice: Notice) -> str:
        """Raises ValueError if there is no such action."""
        return action(notice.deed).route


class _Means:
    """For one delivery of one notice; see `kinds.actions.base.Means`."""

    def __init__(self, house: House, notice: Notice) -> None:
        self._house = house
        self._notice = notice

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        return self._house.fill(text, values)

    async def secret(self, name: str) -> str:
        try:
            return await self._house.secrets.value(name)
        except Exception as error:
            raise DeliveryError(str(error)) from None

    async def tail(self, lines: int) -> str:
        number = self._notice.run_id
        if number is None or not lines:
            return ""
        await self._output_is_here(number)
        parts = [await asyncio.to_thread(self._last, number, stream, lines) for stream in STREAMS]
        return "\n".join(filter(None, parts))

    async def mail(self, letter: Mail) -> None:
        smtp = await asyncio.to_thread(lambda: self._house.settings().smtp)
        if smtp is None:
            raise DeliveryError("config.yaml names no server for email; add smtp: {host: ..., from: ...}")
        password = await self.secret(smtp.password) if smtp.user else ""
        await mail.send(mail.message(letter, smtp, self._notice, self._house.instance), smtp, password)

    async def post(self, request: Post) -> None:
        await post.send(request, post.signed(request, self._id, self._house.clock()))

    async def command(self, wanted: Command) -> None:
        await command.execute(wanted)

    async def apprise(self, urls: tuple[str, ...], title: str, body: str) -> None:
        try:
            import apprise
        except ImportError:
            raise DeliveryError("apprise is not installed here; pip install 'sshsched[notify]'") from None
        sender = apprise.Apprise()
        if not all(map(sender.add, urls)):
            raise DeliveryError("apprise does not understand the address")
        told: list[object] = []
        async with asyncio.timeout(APPRISE_WITHIN):
            await post.in_thread(lambda: told.append(sender.notify(title=title, body=body)), [])
        if not all(told):  # True, or from version 2 on a result that is true
            raise DeliveryError("apprise could not deliver it; the scheduler's log says more")

    @property
    def _id(self) -> str:
        """The same at each try, and different from those of every other scheduler."""
        return f"{self._house.instance}-{self._notice.id}"

    async def _output_is_here(self, number: int) -> None:
        """A run may have ended before all that it printed has come: wait for that, but not for ever."""
        for _ in range(int(OUTPUT_WITHIN / OUTPUT_EVERY)):
            run = self._house.runs(number)
            if run is None or not run.finished or run.output.complete or run.output.lost:
                return
            await asyncio.sleep(OUTPUT_EVERY)

    def _last(self, number: int, stream: Stream, lines: int) -> str:
        outputs = self._house.outputs
        size = outputs.size(number, stream)
        begin = max(0, size - TAIL)
        text = outputs.read(number, stream, begin, TAIL).decode(errors="backslashreplace")
        found = text.splitlines()[1 if begin else 0 :]
        return "\n".join(harmless(line) for line in found[-lines:])
