"""Questions to one host: each is asked once at a time, whoever waits for the answer.

Rule: an answer is posted as `Learnt`, and nothing else ever is. Where the link is lost nobody learns anything: what
waits asks again when its time has come, or the host is back.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from itertools import count

from sshsched.domain.events import Event, Learnt
from sshsched.domain.view import Fact, Probe
from sshsched.errors import HostError, UnusableError
from sshsched.remote.answers import Answered
from sshsched.remote.link import Link

AT_ONCE = 8  # on one host: a thousand runs may each wait for a file of their own
NEWS_WITHIN = 10.0  # seconds after its limit in which the journal must have told of an answer
MOST_WORDS = 500

log = logging.getLogger("sshsched")


class Prober:
    """Asks a host on behalf of conditions."""

    def __init__(self, link: Link, post: Callable[[Event], None], clock: Callable[[], float]) -> None:
        self._link = link
        self._post = post
        self._clock = clock
        self._names = (f"p{number}-{secrets.token_hex(4)}" for number in count(1))
        self._places = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._answered: dict[str, asyncio.Event] = {}

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self._tasks

    def ask(self, probe: Probe) -> None:
        """Begin to find out, unless that is under way."""
        if probe.key not in self._tasks:
            task = asyncio.create_task(self._ask(probe), name=f"probe on {probe.host}")
            self._tasks[probe.key] = task
            task.add_done_callback(lambda done: self._forget(probe.key, done))

    def noticed(self, name: str) -> None:
        """The journal says that this probe has an answer."""
        if (answered := self._answered.get(name)) is not None:
            answered.set()

    def drop(self) -> None:
        """The link is lost, and with it every answer that was to come."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def _forget(self, key: str, done: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is done:
            del self._tasks[key]

    async def _ask(self, probe: Probe) -> None:
        name = next(self._names)
        answered = self._answered[name] = asyncio.Event()
        try:
            async with self._places:
                await self._link.begin_probe(name, probe.limit, probe.script)
                try:
                    async with asyncio.timeout(probe.limit + NEWS_WITHIN):
                        await answered.wait()
                except TimeoutError:
                    log.debug("%s: no news of a probe; its answer is looked for", probe.host)
                found = await self._link.probe_answer(name)
            if found is not None:
                at = self._clock()
                self._post(Learnt(at, probe.key, Fact(at, found.code == 0, _words(found, probe))))
        except UnusableError as error:
            at = self._clock()
            self._post(Learnt(at, probe.key, Fact(at, False, error.message)))
        except HostError as error:
            log.debug("%s: probe: %s", probe.host, error)
        except Exception:
            log.exception("%s: unexpected; asked again when a run's time for it has come", probe.host)
        finally:
            del self._answered[name]


def _words(found: Answered, probe: Probe) -> str:
    said = found.said[:MOST_WORDS]
    if found.code is None:
        return f"not done after {probe.limit:g} s" + (f": {said}" if said else "")
    if found.code in (0, 1):  # what every test answers
        return said
    return f"exit code {found.code}" + (f": {said}" if said else "")
