"""What becomes of schedules when their files change."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

import pytest

from sshsched.domain.program import Program
from sshsched.engine.changes import compare
from sshsched.errors import Problem
from sshsched.kinds.calendars import Dates
from sshsched.kinds.jobs import Job, Scheduled
from sshsched.kinds.options import CatchUp, Options, Policy, StopAfter
from sshsched.kinds.schedules.daily import Daily
from sshsched.kinds.schedules.every import Every
from sshsched.kinds.timetable import identities
from tests.engine.clockwork import T0, KilledError, Process, World, every, job, policy_says, world

START = T0 % 60


def bad(*files: str) -> list[Problem]:
    return [Problem(file, 1, 1, "", "is broken") for file in files]


def jobs(*found: Job) -> dict[str, Job]:
    return {each.id: each for each in found}


def test_what_changes() -> None:
    """Jobs are added, removed and changed; one that only moved in its file is the same."""
    old = jobs(job("a", every(10)), job("b", every(10)), job("c", every(10)))
    new = jobs(replace(job("a", every(10)), line=7), job("b", every(20)), job("d", every(10)))
    changes = compare(old, new, [], T0)

    assert (("d",), ("c",), ("b",)) == (changes.added, changes.removed, changes.changed)
    assert new == changes.jobs


def test_a_changed_stop_is_a_change() -> None:
    """So is everything else that a run would notice."""
    old = jobs(job("a", every(10)))
    new = jobs(job("a", every(10), options=Options(stop=StopAfter(5))))

    assert ("a",) == compare(old, new, [], T0).changed


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ("jobs/x/a.yaml", {"x/a": 1, "x/b": 2}),
        ("jobs/x", {"x/a": 1, "x/b": 1}),
        ("jobs/x/_defaults.yaml", {"x/a": 1, "x/b": 1}),
        ("config.yaml", {"x/a": 1, "x/b": 1}),
        ("jobs/x/c.yaml", {"x/a": 2, "x/b": 2}),
    ],
)
def test_what_cannot_be_read_stays_as_it_was(broken: str, expected: dict[str, int]) -> None:
    """A job whose file has problems, or depends on a file that has some, stays as it was last good."""
    old = jobs(*(job(name, every(1)) for name in expected))
    new = jobs(*(job(name, every(2)) for name in expected))
    changes = compare(old, new, bad(broken), T0)

    assert expected == {name: each.schedules[0].schedule.interval for name, each in changes.jobs.items()}
    assert tuple(name for name, interval in expected.items() if interval == 1) == changes.kept


def test_a_job_that_was_never_good() -> None:
    """What is good beside a problem in a new file is taken; what depends on a bad file is not."""
    found = jobs(job("x/one", every(1), file="jobs/x.yaml"), job("y/two", every(1), file="jobs/y/two.yaml"))

    assert ("x/one",) == compare({}, found, bad("jobs/x.yaml", "jobs/y/_defaults.yaml"), T0).added


async def seen(place: World, process: Process, *instants: float) -> None:
    for instant in instants:
        place.now = T0 + instant
        await process.turn()


async def test_the_future_follows_the_file() -> None:
    """From a reload on, runs are those of the new file; runs that were made keep what they were made with."""
    place = world(job("a", every(10, START % 10), program=Program("old")))
    async with place.process() as process:
        await seen(place, process, 10)
        place.edit("a", program=Program("new"))
        await process.lives(process.schedules.reload())
        await seen(place, process, 20)

    assert ["old", "new"] == [run.program.command for run in place.runs()]


async def test_what_is_due_at_a_reload_is_due_by_the_old_file() -> None:
    """A time that has come runs as it stood, also if the job has just changed its times, or is gone."""
    place = world(job("a", every(10, START % 10)), job("b", every(10, START % 10)))
    async with place.process() as process:
        place.now = T0 + 10
        place.edit("a", schedules=(Scheduled(every(7), Options()),))
        del place.files.jobs["b"]
        await process.lives(process.schedules.reload())
        await seen(place, process, 10, 11, 20)

    assert 10 == place.times("a")[0]
    assert [10] == place.times("b")


async def test_a_calendar_that_gains_a_day_gains_no_past() -> None:
    """Dates that are added while the scheduler runs count from now on; the schedule is still the same one."""
    days = [date(2023, 11, 14), date(2023, 11, 15)]
    calendars = [Dates("days", days[0], date(2030, 1, 1), dates=frozenset(some)) for some in ([], days)]
    none, both = (job("a", Daily("UTC", (time(9),), calendar)) for calendar in calendars)
    place = world(none)
    async with place.process() as process:
        place.files.jobs["a"] = both
        await process.lives(process.schedules.reload())
        await seen(place, process, 0, 86400)
    (run,) = place.runs()

    assert datetime(2023, 11, 15, 9, tzinfo=UTC).timestamp() == run.schedule_time
    assert list(identities(none)) == list(identities(both))


async def test_a_dry_run_changes_nothing() -> None:
    """It tells what a reload would do."""
    place = world(job("a", every(10, START % 10)))
    async with place.process() as process:
        place.files.jobs.clear()
        changes = await process.lives(process.schedules.reload(dry_run=True))
        await seen(place, process, 10)

    assert ("a",) == changes.removed
    assert [10] == place.times()


async def test_reloads_are_told() -> None:
    """Whoever listens hears of each reload that changes something, and of none that does not."""
    place = world(job("a", every(10)))
    async with place.process() as process:
        place.files.jobs["b"] = job("b", every(10))
        for _ in range(2):
            await process.lives(process.schedules.reload())

    assert [["a"], ["b"]] == [shape["added"] for shape in process.heard]


async def test_files_that_nobody_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """If reading fails altogether, all stays as it was last good, and says so."""
    place = world(job("a", every(10, START % 10)))
    async with place.process() as process:
        monkeypatch.setattr(place.files, "load", lambda: 1 / 0)
        changes = await process.lives(process.schedules.reload())
        await seen(place, process, 10)

    assert (("a",), [10]) == (changes.kept, place.times())
    assert "jobs:1:1: the files cannot be read: ZeroDivisionError('division by zero')" == changes.problems[0]


async def test_a_broken_file_at_the_start() -> None:
    """A job whose file is mended after a restart goes on from where it was."""
    place = world(job("a", every(10, START % 10), options=Options(catch_up=CatchUp(Policy.ALL))))
    async with place.process() as process:
        await seen(place, process, 10)
    place.files.broken.add("a")
    async with place.process() as process:
        await seen(place, process, 20, 30)
        place.files.broken.clear()
        await process.lives(process.schedules.reload())
        await seen(place, process, 35)

    assert [10, 20, 30] == place.times()


# Storms ------------------------------------------------------------------------------------------------------------

NAMES = "abcde"
INTERVALS = (7.0, 60.0, 300.0)
POLICIES = tuple(CatchUp(policy, age) for policy in Policy for age in (None, 400.0))


@dataclass
class Model:
    """Which runs there must be, said without any of the code under test: times by job, and up to when each is done."""

    asked: dict[tuple[str, float], float] = field(default_factory=dict)
    loaded: dict[str, Job] = field(default_factory=dict)
    runs: list[tuple[str, float]] = field(default_factory=list)

    def pass_time(self, now: float) -> None:
        for name, each in self.loaded.items():
            (timed,) = each.schedules
            assert isinstance(timed.schedule, Every)
            interval = timed.schedule.interval
            asked = self.asked[name, interval]
            times = [interval * count for count in range(int(asked // interval), int(now // interval) + 1)]
            self.runs += [(name, at) for at in policy_says(times, timed.options, asked, now)]
            self.asked[name, interval] = max(asked, now)

    def load(self, files: dict[str, Job], broken: set[str], now: float) -> None:
        kept = {name: each for name, each in self.loaded.items() if name in broken}
        before, self.loaded = self.loaded, kept | {name: each for name, each in files.items() if name not in broken}
        known = {(name, _interval(each)) for name, each in self.loaded.items()}
        self.asked = {key: at for key, at in self.asked.items() if key in known or key[0] in broken - before.keys()}
        for key in known:
            self.asked.setdefault(key, now)
        for name in self.loaded.keys() & before.keys():
            if self.loaded[name] != before[name]:
                key = name, _interval(self.loaded[name])
                self.asked[key] = max(self.asked[key], now)


def _interval(each: Job) -> float:
    schedule = each.schedules[0].schedule
    assert isinstance(schedule, Every)
    return schedule.interval


def any_job(chance: random.Random, name: str) -> Job:
    options = Options(enabled=chance.random() < 0.8, catch_up=chance.choice(POLICIES))
    return job(name, every(chance.choice(INTERVALS)), options=options, program=Program(f"echo {chance.randrange(3)}"))


def edited(chance: random.Random, place: World) -> None:
    """Somebody saves a file, removes one, breaks one or mends one."""
    name = chance.choice(NAMES)
    act = chance.randrange(5)
    if act < 2:
        place.files.jobs[name] = any_job(chance, name)
        place.files.broken.discard(name)
    elif act == 2:
        place.files.jobs.pop(name, None)
        place.files.broken.discard(name)
    elif act == 3:
        place.files.broken.add(name)
    else:
        place.files.broken.discard(name)


async def storm(seed: int) -> None:
    """Edits, reloads, passing time, jumps of the clock and deaths, in any order."""
    chance, model = random.Random(seed), Model()
    place = world(*(any_job(chance, name) for name in NAMES[:3]))
    acts = ["edit", "edit", "reload", "time", "time", "time", "jump", "die"]
    for _ in range(4):
        model.loaded = {}
        model.load(place.files.jobs, place.files.broken, place.now)
        model.pass_time(place.now)
        async with place.process() as process:
            await process.turn()
            for act in chance.choices(acts, k=chance.randrange(8, 20)):
                if act == "edit":
                    edited(chance, place)
                elif act == "reload":
                    place.now += chance.uniform(0, 100)
                    model.pass_time(place.now)
                    model.load(place.files.jobs, place.files.broken, place.now)
                    await process.lives(process.schedules.reload())
                elif act == "die":
                    break
                else:
                    place.now += (
                        chance.uniform(0, 90) if act == "time" else chance.choice((-700.0, -30.0, 200.0, 900.0))
                    )
                    await process.turn()
                    model.pass_time(place.now)
    made = sorted((run.job_id, run.schedule_time) for run in place.runs())
    assert sorted(model.runs) == made, f"seed {seed}"


@pytest.mark.parametrize("seed", range(60))
async def test_storm(seed: int) -> None:
    """Whatever happens to files, clock and scheduler, no run is doubled or lost."""
    await storm(seed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(10))
async def test_storms(part: int) -> None:
    """Nor in ten thousand storms."""
    for seed in range(1000 * part, 1000 * (part + 1)):
        await storm(seed)


async def test_death_during_a_reload() -> None:
    """A scheduler that dies at any step of a reload finds the new files, and loses nothing."""
    at, seen_any = 1, False
    while True:
        options = Options(catch_up=CatchUp(Policy.ALL))
        place = world(job("a", every(10, START % 10), options=options), job("b", every(10, START % 10)))
        try:
            async with place.process() as process:
                await seen(place, process, 10)
                place.now = T0 + 20
                place.edit("a", program=Program("new"))
                del place.files.jobs["b"]
                place.mortal.dies_at = place.mortal.steps + at
                await process.lives(process.schedules.reload())
                break
        except KilledError:
            seen_any = True
        place.mortal.dies_at = 0
        async with place.process() as process:
            await seen(place, process, 20, 30)
        at += 1

        assert [10, 20, 30] == place.times("a")
        assert {"a", ""} == {name for name, _ in await place.store.cursors()}
    assert seen_any
