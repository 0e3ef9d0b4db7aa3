"""Everything that is told: the outbox, and what fills it at times of day.

Rule: it hears of notices from the core, and changes nothing but through it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sshsched.config.local_zone import local_zone
from sshsched.config.settings import Settings
from sshsched.domain.events import Delivered, Event, Told
from sshsched.domain.instructions import Notice
from sshsched.domain.model import Run
from sshsched.engine.absences import Absences
from sshsched.engine.digest import Digests
from sshsched.engine.means import Fill, House, Outputs, Secrets
from sshsched.engine.notices import Notices
from sshsched.engine.rounds import Round, Rounds
from sshsched.kinds.jobs import Job
from sshsched.kinds.timetable import Key


@dataclass(frozen=True, slots=True)
class Telling:
    """What telling needs beside the engine. `opened` and `cursors` are from the store; `succeeded` and `day` block.

    `succeeded` tells whether a run of a job has, after one instant and not after another. `day` gives the facts of a
    digest of these jobs, from when to when, in a zone.
    """

    opened: Sequence[Notice]
    cursors: Mapping[Key, float]
    settings: Callable[[], Settings]
    secrets: Secrets
    fill: Fill
    outputs: Outputs
    succeeded: Callable[[str, float, float], bool]
    day: Callable[[Iterable[Job], float, float, str], Mapping[str, Any]]


class Teller:
    """`runs` and `live` are the engine's: a run by its number, and those of a job.

    `jobs` are those that are loaded, and `holds` tells of which others the files cannot be read just now.
    """

    def __init__(
        self,
        given: Telling,
        instance: str,
        *,
        say: Callable[[Event], Awaitable[object]],
        runs: Callable[[int], Run | None],
        live: Callable[[str], Mapping[int, Run]],
        jobs: Callable[[], Mapping[str, Job]],
        holds: Callable[[str], bool],
        clock: Callable[[], float],
    ) -> None:
        self._given = given
        house = House(
            instance,
            settings=given.settings,
            secrets=given.secrets,
            fill=given.fill,
            runs=runs,
            outputs=given.outputs,
            clock=clock,
        )

        async def delivered(event: Delivered) -> None:
            await say(event)

        async def told(event: Told) -> None:
            await say(event)

        self._notices = Notices(given.opened, deliver=house.deliver, route=house.route, say=delivered, clock=clock)
        self._jobs = jobs
        self._absences = Absences(given.succeeded, live, lambda: given.settings().actions, clock())
        self._digests = Digests(lambda since, until, tz: given.day(jobs().values(), since, until, tz))
        self._rounds = Rounds(
            given.cursors, wanted=self._wanted, version=self._version, holds=holds, say=told, clock=clock
        )

    def told(self, notices: Iterable[Notice]) -> None:
        """The core has saved these."""
        for notice in notices:
            self._notices.saved(notice)

    @property
    def waits(self) -> bool:
        """Whether anything is still to be delivered."""
        return self._notices.waits

    async def deliver(self) -> None:
        """Until cancelled."""
        await self._notices.run()

    async def make_rounds(self) -> None:
        """Until cancelled: from when the jobs are loaded."""
        await self._rounds.run()

    def _wanted(self) -> Iterator[Round]:
        yield from self._absences.rounds(self._jobs().values())
        settings = self._given.settings()
        if settings.digest is not None:
            yield self._digests.round(settings.digest, settings.tz or local_zone())

    def _version(self) -> object:
        settings = self._given.settings()
        return self._jobs(), settings.digest, settings.tz
