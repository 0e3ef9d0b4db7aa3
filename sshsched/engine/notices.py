"""The outbox: notices that are saved are delivered, each at least once, and how that went is saved.

Rule: a notice is done when the store says so, and not before; whoever is killed between a delivery and its save has the
next one deliver it again, under the same id. What hangs or fails holds up only what takes the same route.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from sshsched.domain.events import Delivered
from sshsched.domain.instructions import Notice
from sshsched.domain.words import seconds
from sshsched.kinds.actions.base import DeliveryError
from sshsched.kinds.actions.facts import what

MOST = 32  # deliveries at a time
MOST_ON_A_ROUTE = 4  # of those, to one server
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 3600.0
JITTER = 0.25
GIVE_UP = 3 * 86400.0  # seconds after which a notice is no news any more
TICK = 1.0
LONGEST_PROBLEM = 500

log = logging.getLogger("sshsched")

Deliver = Callable[[Notice], Awaitable[None]]


@dataclass(slots=True)
class Route:
    """What waits for one server, in order, and how much is on its way there."""

    waiting: deque[Notice] = field(default_factory=deque)
    active: int = 0


class Notices:
    """`saved()` hands over what the core has saved; `run()` delivers it for ever.

    `say` has an event decided and saved. `route` names what a notice needs in order to be delivered, and neither it
    nor `deliver` need be careful: what they raise is a problem of that notice alone.
    """

    def __init__(
        self,
        opened: Iterable[Notice],
        *,
        deliver: Deliver,
        route: Callable[[Notice], str],
        say: Callable[[Delivered], Awaitable[object]],
        clock: Callable[[], float],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._deliver = deliver
        self._route = route
        self._say = say
        self._clock = clock
        self._chance = chance
        self._known: set[str] = set()
        self._later: list[tuple[float, int, Notice]] = []
        self._numbers = count()
        self._routes: dict[str, Route] = {}
        self._active = 0
        self._woken = asyncio.Event()
        for notice in opened:
            self.saved(notice)

    def saved(self, notice: Notice) -> None:
        """The core has saved a notice; one that is new here and not done is delivered when its time has come."""
        if notice.done_at is None and notice.id not in self._known:
            self._known.add(notice.id)
            self._put(notice)

    @property
    def waits(self) -> bool:
        """Whether anything is still to be delivered."""
        return bool(self._known)

    def problems(self) -> list[str]:
        """What could not be delivered so far, and is tried again."""
        return [f"{notice.id}: {notice.problem}" for _, _, notice in sorted(self._later) if notice.problem]

    async def run(self) -> None:
        """Deliver until cancelled. What is on its way then is delivered again by the next scheduler."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                now = self._clock()
                self._sort(now)
                self._begin(group)
                pause = None if not self._later else min(TICK, max(0.0, self._later[0][0] - now))
                try:
                    async with asyncio.timeout(pause):
                        await self._woken.wait()
                except TimeoutError:
                    continue

    # Inside ----------------------------------------------------------------------------------------------------------

    def _put(self, notice: Notice) -> None:
        heapq.heappush(self._later, (notice.next_at, next(self._numbers), notice))
        self._woken.set()

    def _sort(self, now: float) -> None:
        """What is due goes to its route; so does what a clock that was set back has put off too far."""
        while self._later and not now < self._later[0][0] < now + 2 * LONGEST_PAUSE:
            notice = heapq.heappop(self._later)[2]
            try:
                name = self._route(notice)
            except Exception:  # it cannot be delivered either, and that tells why
                name = ""
            self._routes.setdefault(name, Route()).waiting.append(notice)

    def _begin(self, group: asyncio.TaskGroup) -> None:
        """One of each route in turn, as many as may be."""
        found = True
        while found:
            found = False
            for name, route in list(self._routes.items()):
                if not route.waiting and not route.active:
                    del self._routes[name]
                elif route.waiting and route.active < MOST_ON_A_ROUTE and self._active < MOST:
                    found = True
                    route.active += 1
                    self._active += 1
                    group.create_task(self._take(route, route.waiting.popleft()))

    async def _take(self, route: Route, notice: Notice) -> None:
        try:
            after, note = await self._try(notice)
        finally:
            route.active -= 1
            self._active -= 1
            self._woken.set()
        await self._say(Delivered(self._clock(), after, note))
        if after.done_at is None:
            self._put(after)
        else:
            self._known.discard(after.id)

    async def _try(self, notice: Notice) -> tuple[Notice, str]:
        """The notice as it stands after one attempt, and what the log says of that."""
        final = False
        try:
            await self._deliver(notice)
        except Exception as error:  # actions are of others' making, too
            final = isinstance(error, DeliveryError) and error.final
            problem = _words(error)
        else:
            return self._done(notice)
        return self._failed(notice, problem, final)

    def _done(self, notice: Notice) -> tuple[Notice, str]:
        after = replace(notice, tries=notice.tries + 1, problem="", done_at=self._clock())
        return after, f"{what(notice)}: told at last, at attempt {after.tries}" if notice.problem else ""

    def _failed(self, notice: Notice, problem: str, final: bool) -> tuple[Notice, str]:
        now = self._clock()
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(notice.tries, 20)) * (1 + JITTER * self._chance())
        after = replace(notice, tries=notice.tries + 1, problem=problem, next_at=now + pause)
        if final or after.next_at > notice.made_at + GIVE_UP:
            after = replace(after, done_at=now)
            note = f"{what(notice)}: given up after {after.tries} attempts: {problem}"
        else:
            note = f"{what(notice)}: {problem}; tried again until it works, for {seconds(GIVE_UP / 86400)[:-2]} days"
        if after.done_at is not None or problem != notice.problem:
            log.warning("%s: %s", f"r{notice.run_id}" if notice.run_id else notice.job_id or notice.id, note)
            return after, note
        return after, ""


def _words(error: Exception) -> str:
    """One line that the store takes."""
    text = " ".join(str(error).split()) if isinstance(error, DeliveryError) else f"{type(error).__name__}: {error}"
    return (text or type(error).__name__).encode(errors="backslashreplace").decode()[:LONGEST_PROBLEM]
