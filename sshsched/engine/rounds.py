"""What is looked at at times of day: whether a job has succeeded, and what the last day was like.

Rule: what is found is saved together with the time up to which was looked, in one turn of the core; so whenever this
process dies, and however long none ran, each time is looked at once. Of several times that passed meanwhile one look
tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sshsched.domain.events import Told
from sshsched.domain.instructions import Notice, SaveCursor
from sshsched.kinds.schedules.base import Skip, Why
from sshsched.kinds.schedules.daily import Daily
from sshsched.kinds.timetable import Key

TICK = 1.0
DAY = 86400.0
BACK = (2, 9, 40, 400)  # days in which the time before is looked for

EXPECT, DIGEST = "expect:", "digest:"
"""What the schedules of our cursors begin with."""

log = logging.getLogger("sshsched")


@dataclass(frozen=True, slots=True)
class Look:
    """The time that has come, the one before it, how many others passed unseen in between, and what time it is."""

    by: float
    since: float
    missed: int
    now: float


@dataclass(frozen=True, slots=True)
class Round:
    """Something that is looked at at times of day. `look` gives the notices; None asks for patience: ask again soon."""

    key: Key
    times: Daily
    look: Callable[[Look], Awaitable[Sequence[Notice] | None]]


class Rounds:
    """`run()` makes the rounds for ever. `wanted` is asked for them again when `version` gives something else.

    `holds` tells whether a job that is not there may be in a file that cannot be read just now.
    """

    def __init__(
        self,
        cursors: Mapping[Key, float],
        *,
        wanted: Callable[[], Iterable[Round]],
        version: Callable[[], object],
        holds: Callable[[str], bool],
        say: Callable[[Told], Awaitable[object]],
        clock: Callable[[], float],
    ) -> None:
        self._until = dict(cursors)
        self._wanted = wanted
        self._version = version
        self._holds = holds
        self._say = say
        self._clock = clock
        self._known: object = None
        self._rounds: dict[Key, Round] = {}
        self._next: dict[Key, float] = {}

    async def run(self) -> None:
        """Until cancelled; the clock is looked at once a second, as it may jump."""
        while True:
            await self.turn()
            await asyncio.sleep(TICK)

    async def turn(self) -> None:
        """Look at everything whose time has come."""
        now = self._clock()
        if (version := self._version()) != self._known:
            self._known = version
            await self._take(now)
        for key in [key for key, at in self._next.items() if at <= now]:
            try:
                await self._look(self._rounds[key], now)
            except Exception:  # a store that is busy, a mistake of ours: it costs this look, which is made again
                log.exception("%s %s: cannot be looked at; tried again", *key)

    # Inside ----------------------------------------------------------------------------------------------------------

    async def _take(self, now: float) -> None:
        """The rounds as they are now; new ones begin now."""
        self._rounds = {each.key: each for each in self._wanted()}
        new = self._rounds.keys() - self._until.keys()
        gone = {key for key in self._until.keys() - self._rounds.keys() if not self._holds(key[0])}
        self._until = {key: at for key, at in self._until.items() if key not in gone} | dict.fromkeys(new, now)
        cursors = [*(SaveCursor(*key, None) for key in sorted(gone)), *(SaveCursor(*key, now) for key in sorted(new))]
        if cursors:
            await self._say(Told(now, tuple(cursors), ()))
        self._next = {key: at for key, each in self._rounds.items() if (at := self._after(each)) is not None}

    async def _look(self, found: Round, now: float) -> None:
        until = self._until[found.key]
        passed = list(takewhile(lambda at: at <= now, instants(found.times, until)))
        if passed:
            by = passed[-1]
            notices = await found.look(Look(by, before(found.times, by), len(passed) - 1, now))
            if notices is None:
                return
            await self._say(Told(now, (SaveCursor(*found.key, by),), tuple(notices)))
            self._until[found.key] = by
        if (at := self._after(found)) is None:
            del self._next[found.key]
        else:
            self._next[found.key] = at

    def _after(self, found: Round) -> float | None:
        return next(instants(found.times, self._until[found.key]), None)


def instants(times: Daily, after: float) -> Iterator[float]:
    """The times strictly after an instant. One that the clocks jump over is where they land: no day is left out."""
    for entry in times.explain(after):
        if isinstance(entry, Skip) and entry.why is not Why.GAP:
            return
        yield entry.at


def before(times: Daily, at: float) -> float:
    """The last time before one of them; so many days before it, if there is none."""
    for days in BACK:
        found = list(takewhile(lambda other: other < at, instants(times, at - days * DAY)))
        if found:
            return found[-1]
    return at - BACK[-1] * DAY


def ours(cursors: Mapping[Key, float]) -> dict[Key, float]:
    """Those of the store's cursors that are no schedules'."""
    return {key: at for key, at in cursors.items() if key[1].startswith((EXPECT, DIGEST))}
