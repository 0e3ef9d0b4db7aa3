"""Alerts on absence and the daily digest, over a real store and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sshsched.config.telling import Digest
from sshsched.domain.events import Told
from sshsched.domain.instructions import Notice, Save, SaveNotice, Saving
from sshsched.domain.model import Run
from sshsched.domain.plan import Deed, Plan
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.domain.telling import told
from sshsched.engine.absences import PATIENCE, Absences
from sshsched.engine.digest import Digests, facts_of_day
from sshsched.engine.rounds import Round, Rounds, before, instants, ours
from sshsched.kinds.actions.told import body_of, subject_of
from sshsched.kinds.calendars import calendar
from sshsched.kinds.jobs import Expect, Job
from sshsched.kinds.schedules.daily import Daily
from sshsched.store.reader import Reader
from sshsched.store.store import Store, open_store

TZ = "Europe/Berlin"
ME = Deed("notify", {"email": ["me@example.com"]}, ("absent",))
BY_EIGHT = Expect(time(8), TZ, calendar("all"), (ME,))
NIGHTLY = Job("nightly", "nas", Program("true"), expects=(BY_EIGHT,))


def at(text: str) -> float:
    """`10 08:00` is that time in Berlin on the tenth of June 2027."""
    return datetime.fromisoformat(f"2027-06-{text}").replace(tzinfo=ZoneInfo(TZ)).timestamp()


@dataclass
class World:
    """A store, jobs and a clock, and schedulers that come and go over them."""

    store: Store
    folder: Path
    now: float = at("10 12:00")
    jobs: dict[str, Job] = field(default_factory=lambda: {"nightly": NIGHTLY})
    digest: Digest | None = None
    live: dict[int, Run] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    dies: bool = False
    ids: int = 0

    async def scheduler(self) -> Rounds:
        """One that has just come up."""
        absences = Absences(self._succeeded, lambda job: self.live, lambda: (), self.now)

        def wanted() -> list[Round]:
            digests = Digests(self.facts)
            more = [] if self.digest is None else [digests.round(self.digest, TZ)]
            return [*absences.rounds(self.jobs.values()), *more]

        made = Rounds(
            ours(await self.store.cursors()),
            wanted=wanted,
            version=lambda: (tuple(self.jobs.values()), self.digest),
            holds=lambda job: job in self.unreadable,
            say=self._say,
            clock=lambda: self.now,
        )
        await made.turn()
        return made

    async def reaches(self, rounds: Rounds, when: str) -> None:
        self.now = at(when)
        await rounds.turn()

    async def ran(self, when: str, state: State = State.SUCCESS, job: str | None = "nightly", **more: Any) -> None:
        """A run has ended."""
        self.ids += 1
        run = Run(
            self.ids, "nas", Program("true"), at(when) - 60, state, job_id=job, finished_at=at(when), cleaned=True
        )
        await self.store.commit([Save(replace(run, **more), None)])

    async def notices(self) -> list[Notice]:
        return await self.store.open_notices()

    def facts(self, since: float, until: float, tz: str) -> Mapping[str, Any]:
        with Reader(self.folder) as reader:
            return facts_of_day(reader, self.jobs.values(), since, until, tz)

    def _succeeded(self, job: str, since: float, until: float) -> bool:
        with Reader(self.folder) as reader:
            return reader.succeeded(job, since, until)

    async def _say(self, event: Told) -> None:
        saves: list[Saving] = list(told(None, event))  # type: ignore[arg-type]
        if self.dies:
            raise OSError("kill -9")
        await self.store.commit(saves)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_store(tmp_path / "state") as store:
        yield World(store, tmp_path / "state")


async def test_absent(world: World) -> None:
    """A job that has not succeeded by its time is told of, once."""
    rounds = await world.scheduler()
    await world.ran("11 03:00", State.FAILURE)
    await world.reaches(rounds, "11 07:59")
    early = await world.notices()
    await world.reaches(rounds, "11 08:00")
    await world.reaches(rounds, "11 08:01")
    (notice,) = await world.notices()

    assert [] == early
    assert ("absent", "nightly", None) == (notice.occasion, notice.job_id, notice.run_id)
    assert "nightly has not succeeded by 2027-06-11 08:00 (Europe/Berlin)" == subject_of(notice)
    assert "between 2027-06-10 08:00 and 2027-06-11 08:00" in body_of(notice, "")


async def test_not_absent(world: World) -> None:
    """A job that has succeeded since the time before is told of by nobody."""
    rounds = await world.scheduler()
    await world.ran("10 23:00")
    await world.reaches(rounds, "11 08:00")

    assert [] == await world.notices()


@pytest.mark.parametrize("when", ["10 07:59", "10 08:00", "11 08:00:30"])
async def test_a_success_of_another_day(world: World, when: str) -> None:
    """A success that the time before has seen, or that comes after the time, does not count."""
    await world.ran(when)
    rounds = await world.scheduler()
    await world.reaches(rounds, "11 08:01")

    assert 1 == len(await world.notices())


@pytest.mark.parametrize("more", [{"root": 77}, {"retried_by": 99}, {"job_id": "other"}])
async def test_what_does_not_count(world: World, more: dict[str, Any]) -> None:
    """Neither steps of workflows nor attempts that were repeated nor other jobs count as a success."""
    rounds = await world.scheduler()
    await world.ran("11 03:00", **more)
    await world.reaches(rounds, "11 08:00")

    assert 1 == len(await world.notices())


async def test_no_scheduler_was_there(world: World) -> None:
    """A time that passed while no scheduler ran is looked at by the next one; of several, one look tells."""
    await world.scheduler()
    world.now = at("14 09:30")
    rounds = await world.scheduler()
    await rounds.turn()
    (notice,) = await world.notices()

    assert "2027-06-14 08:00 (Europe/Berlin)" == notice.facts["by"]
    assert 3 == notice.facts["missed"]
    assert "3 earlier times passed unseen" in body_of(notice, "")


async def test_killed_before_the_save(world: World) -> None:
    """Who dies before the notice is saved has not moved the time either: the next one looks again, once."""
    rounds = await world.scheduler()
    world.dies = True
    await world.reaches(rounds, "11 08:00")
    none = await world.notices()
    world.dies = False
    for _ in range(2):
        await (await world.scheduler()).turn()

    assert [] == none
    assert 1 == len(await world.notices())


async def test_news_are_waited_for(world: World) -> None:
    """While a run may have succeeded on a host that has not been heard of yet, nobody is alarmed; but not for ever."""
    await world.scheduler()
    world.live = {5: Run(5, "nas", Program("true"), at("11 03:00"), State.RUNNING, job_id="nightly")}
    world.now = at("11 09:00")
    rounds = await world.scheduler()
    early = await world.notices()
    world.now += PATIENCE
    await rounds.turn()
    (notice,) = await world.notices()

    assert [] == early
    assert ["r5 running on nas"] == notice.facts["live"]
    assert "r5 running on nas" in body_of(notice, "")


async def test_other_dates(world: World) -> None:
    """Only the dates of the calendar count, and on Monday a success since Friday does."""
    world.jobs["nightly"] = replace(NIGHTLY, expects=(replace(BY_EIGHT, calendar=calendar("Mon-Fri")),))
    world.now = at("11 12:00")
    rounds = await world.scheduler()
    await world.ran("11 23:00")
    for day in ("12", "13", "14"):
        await world.reaches(rounds, f"{day} 08:00")

    assert [] == await world.notices()


async def test_a_changed_time_begins_anew(world: World) -> None:
    """A new time of day is looked at from now on; the old one is forgotten."""
    rounds = await world.scheduler()
    world.jobs["nightly"] = replace(NIGHTLY, expects=(replace(BY_EIGHT, success_by=time(9)),))
    await world.reaches(rounds, "11 08:30")
    await world.reaches(rounds, "11 09:00")
    (notice,) = await world.notices()

    assert "2027-06-11 09:00 (Europe/Berlin)" == notice.facts["by"]
    assert [("nightly", "expect:all at 09:00 (Europe/Berlin)")] == list(await world.store.cursors())


async def test_a_file_that_cannot_be_read(world: World) -> None:
    """A job whose file is broken for a while is looked at when it is mended: no time is lost."""
    rounds = await world.scheduler()
    del world.jobs["nightly"]
    world.unreadable = {"nightly"}
    await world.reaches(rounds, "11 09:00")
    world.jobs["nightly"] = NIGHTLY
    await world.reaches(rounds, "11 10:00")
    await rounds.turn()

    assert 1 == len(await world.notices())


@pytest.mark.parametrize(
    ("on", "count"), [(("absent",), 1), (("failure",), 1), (("success",), 0), (("absent", "failure"), 1)]
)
async def test_who_is_told(world: World, on: tuple[str, ...], count: int) -> None:
    """Where the expectation names nobody, those are told who asked for `absent`, or else for failures."""
    plan = Plan(actions=(replace(ME, on=on), Deed("schedule", {"job": "x"}, ("failure", "absent"))))
    world.jobs["nightly"] = replace(NIGHTLY, expects=(replace(BY_EIGHT, deeds=()),), plan=plan)
    rounds = await world.scheduler()
    await world.reaches(rounds, "11 08:00")

    assert count == len(await world.notices())


async def test_digest(world: World) -> None:
    """Once a day it is told what the last day was like."""
    world.digest = Digest(time(7, 30), replace(ME, on=()))
    world.jobs = {}
    rounds = await world.scheduler()
    for state, when in ((State.SUCCESS, "10 13:00"), (State.FAILURE, "11 01:00"), (State.SUCCESS, "11 07:30:01")):
        await world.ran(when, state)
    await world.ran("10 14:00", State.ERROR, job=None)
    held = Run(90, "", Program("true"), at("11 07:00"), State.WAITING, job_id="later", held="me", warned=("late",))
    away = Run(
        91, "nas", Program("true"), at("11 07:00"), State.RUNNING, job_id="far", unreachable_since=at("11 07:00")
    )
    lost = Notice("n", ME, "failure", {}, at("11 07:00"), 91, problem="no route")
    await world.store.commit([Save(held, None), Save(away, None), SaveNotice(lost)])
    await world.reaches(rounds, "11 07:30")
    await world.reaches(rounds, "11 07:31")
    notice = next(each for each in await world.notices() if each.occasion == "digest")
    text = body_of(notice, "")

    assert {"nightly": {"failure": 1, "success": 1}, "(ad hoc)": {"error": 1}} == notice.facts["jobs"]
    assert "3 runs ended: 1 error, 1 failure, 1 success (since 2027-06-10 07:30)" == subject_of(notice)
    assert "    nightly   1 failure, 1 success\n" in text
    assert "Held:\n    r90 later: waiting, me" in text
    assert "Late to start:\n    r90 later: waiting" in text
    assert "Unreachable:\n    r91 far on nas: running" in text
    assert "Could not be delivered:\n    r91: notify email me@example.com (failure): no route" in text


def test_a_time_that_clocks_jump_over() -> None:
    """On the day that has no 02:30 it is looked at when the clocks have jumped, and no day is left out."""
    daily = Daily("Europe/Berlin", (time(2, 30),))
    jump = datetime(2027, 3, 28, 1, tzinfo=ZoneInfo("UTC")).timestamp()
    found = next(instants(daily, jump - 3600))

    assert jump == found
    assert jump - 86400 + 1800 == before(daily, jump)
