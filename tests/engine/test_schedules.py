"""What schedules make of time: on time, late, with clocks that jump, and schedulers that die."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import time

import pytest

from sshsched.domain.model import Reason
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.kinds.jobs import Param, Scheduled
from sshsched.kinds.options import CatchUp, Options, Policy, StopAfter, StopAt
from sshsched.kinds.schedules.base import Schedule, Target
from sshsched.kinds.schedules.once import Once
from sshsched.kinds.schedules.reboot import Reboot
from sshsched.kinds.timetable import Timetable
from tests.engine.clockwork import T0, KilledError, World, every, job, policy_says, world

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
START = T0 % HOUR  # the phase at which T0 itself is a time of every schedule here


async def step(place: World, *instants: float) -> None:
    """A scheduler comes up at the first instant (seconds after T0), looks at the clock at each, and dies."""
    place.now = T0 + instants[0]
    async with place.process() as process:
        for instant in instants:
            place.now = T0 + instant
            await process.turn()


async def test_each_time_runs_once() -> None:
    """A schedule that is new begins now; then each of its times makes one run, when it has come and not before."""
    place = world(job("a", every(10, START % 10)))
    await step(place, 0, 9.9, 10, 10.5, 20, 21, 22, 30)

    assert [10, 20, 30] == place.times()


async def test_runs_know_what_made_them() -> None:
    """A run has its job, scheduled time, args, labels, and the program bound to them."""
    params = (Param("date"), Param("region"), Param("size", "big"))
    program = Program("report {{ region }} {{ size }} {{ date }}")
    options = Options(args={"region": "us"})
    place = world(job("a", every(10, START % 10), options=options, params=params, program=program, labels=("x",)))
    await step(place, 0, 10)
    (run,) = place.runs()

    assert ("a", "schedule", T0 + 10, ("x",)) == (run.job_id, run.by, run.schedule_time, run.labels)
    assert {"date": "2023-11-14", "region": "us", "size": "big"} == run.args
    assert "report us big 2023-11-14" == run.program.command
    assert State.WAITING is run.state


async def test_since_is_for_new_schedules() -> None:
    """`serve --since` lets new schedules begin in the past; others go on from where they were."""
    options = Options(catch_up=CatchUp(Policy.ALL))
    place = world(job("a", every(10, START % 10), options=options))
    await step(place, 0, 10)
    place.files.jobs["b"] = job("b", every(10, START % 10), options=options)
    place.since = T0 - 5
    await step(place, 20)

    assert [10, 20] == place.times("a")
    assert [0, 10, 20] == place.times("b")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(Policy.ALL, [10, 3610, 7210]), (Policy.LATEST, [10, 7210]), (Policy.NONE, [10])],
)
async def test_catching_up(policy: Policy, expected: list[float]) -> None:
    """Times that passed without a scheduler run as their policy says; what does not is told once, on the job."""
    place = world(job("a", every(HOUR, (START + 10) % HOUR), options=Options(catch_up=CatchUp(policy))))
    await step(place, 0, 10)
    await step(place, 7210 + 600)
    await step(place, 7210 + 660)
    told = [message for _, message in place.store.job_log("a")]

    assert expected == place.times()
    assert [f"{3 - len(expected)}"] * (policy is not Policy.ALL) == [words.split()[2] for words in told]


async def test_disabled_schedules_move_on() -> None:
    """What passes while a schedule is disabled is never made up for."""
    options = Options(enabled=False, catch_up=CatchUp(Policy.ALL))
    place = world(job("a", every(10, START % 10), options=options))
    await step(place, 0, 10, 20)
    place.edit("a", schedules=(Scheduled(every(10, START % 10), replace(options, enabled=True)),))
    await step(place, 25, 30)

    assert [30] == place.times()


async def test_the_clock_is_set_back() -> None:
    """Times that have run do not run again until the clock has passed where it was."""
    place = world(job("a", every(10, START % 10)))
    await step(place, 0, 10, 20, 11, 20, 29, 30)
    await step(place, 5, 10, 30, 40)

    assert [10, 20, 30, 40] == place.times()


@dataclass(frozen=True)
class Broken(Schedule):
    """Its code raises after a while."""

    def __str__(self) -> str:
        return "broken"

    def entries(self, instant: float) -> Iterator[Target]:
        if instant >= T0 + 10:
            raise ZeroDivisionError("oh")
        yield Target(T0 + 10, T0 + 10)


async def test_broken_code_costs_only_itself() -> None:
    """A schedule whose code raises is reported; all others go on."""
    place = world(job("a", every(10, START % 10)), job("b", Broken()))
    place.now = T0
    async with place.process() as process:
        for instant in (10, 20, 30):
            place.now = T0 + instant
            await process.turn()
        problems = process.schedules.status()["problems"]

    assert [10, 20, 30] == place.times("a")
    assert ["job 'b': its schedule broken fails: ZeroDivisionError('oh')"] == problems


def test_many_that_are_missed_hold_nobody_up() -> None:
    """What is late in very many schedules is taken piece by piece, also where it makes no run."""
    options = Options(catch_up=CatchUp(Policy.NONE))
    table = Timetable()
    for number in range(50):
        table.put(job(f"j{number}", every(HOUR, START), options=options), {}, T0, T0)
    pieces = []
    while table.next_at is not None and table.next_at <= T0 + DAY + 600:
        pieces.append(len(table.take(T0 + DAY + 600, 20)))

    assert [20, 20, 10] == pieces


async def test_a_run_that_cannot_be_bound() -> None:
    """A time whose run cannot be bound to its job leaves a run that says why."""
    place = world(job("a", every(10, START % 10), program=Program("{{ 1 / 0 }}")))
    await step(place, 0, 10)
    (run,) = place.runs()

    assert (State.ERROR, Reason.CONFIG, True) == (run.state, run.reason, run.settled)
    assert "job 'a': command: the template fails: division by zero" == run.message


@pytest.mark.parametrize(
    ("stop", "expected"),
    [(None, None), (StopAfter(1800), T0 + 10 + 1800), (StopAt(time(0, 0), "UTC"), T0 - T0 % DAY + DAY)],
)
async def test_stop_times(stop: StopAfter | StopAt | None, expected: float | None) -> None:
    """A run is told when its schedule ends it, and keeps the rule for its reruns."""
    place = world(job("a", every(10, START % 10), options=Options(stop=stop)))
    await step(place, 0, 10)
    (run,) = place.runs()

    assert expected == run.stop_at
    assert (stop is None) == (run.stop_rule == "")


async def test_reboot() -> None:
    """@reboot runs once for each boot of this machine, however often a scheduler comes up in it."""
    place = world(job("a", Reboot()))
    await step(place, 0, 5)
    await step(place, 10, 20)
    place.boot = "second"
    await step(place, 30)
    await step(place, 40)

    assert [0, 30] == place.times()


async def test_a_time_is_not_run_again_by_another_file() -> None:
    """A schedule whose times have changed begins anew, now; one that has gone is forgotten."""
    options = Options(catch_up=CatchUp(Policy.ALL))
    place = world(job("a", every(10, START % 10), options=options))
    await step(place, 0, 10)
    place.edit("a", schedules=(Scheduled(every(5, START % 5), options),))
    await step(place, 32, 35)
    place.edit("a", schedules=(Scheduled(every(10, START % 10), options),))
    await step(place, 62, 70)

    assert [10, 35, 70] == place.times()
    assert 1 == sum(name == "a" for name, _ in await place.store.cursors())


async def test_the_same_schedule_twice() -> None:
    """A schedule that stands twice in a job runs twice."""
    place = world(job("a", Once((T0 + 5,)), Once((T0 + 5,))))
    await step(place, 0, 10)

    assert [5, 5] == place.times()


# Jumps, and death at every step ------------------------------------------------------------------------------------

JUMPS = (1.0, 60.0, -1.0, 61.0, -60.0, HOUR, -HOUR, 300.0, DAY, -DAY, 2 * HOUR, DAY, 90.0, 7 * DAY, 60.0)


async def story(place: World, *, dies_at: int = 0, dies_every: int = 0) -> None:
    """The clock makes all jumps; the scheduler dies at a step of its store, or at every n-th, and comes up again."""
    place.mortal.dies_at = dies_at or dies_every
    jumps, instant = list(JUMPS), T0
    while True:
        place.now = instant
        try:
            async with place.process() as process:
                while True:
                    place.now = instant
                    await process.turn()
                    if not jumps:
                        return
                    instant += jumps.pop(0)
        except KilledError:
            place.mortal.dies_at += dies_every


def told(options: Options, interval: float) -> list[float]:
    """The same by the policy's own words."""
    found: list[float] = []
    now = asked = T0
    for jump in JUMPS:
        now += jump
        first = int(asked // interval)
        times = [interval * number for number in range(first, int(now // interval) + 1)]
        found += policy_says(times, options, asked, now)
        asked = max(asked, now)
    return [at - T0 for at in found]


OPTIONS = [Options(catch_up=CatchUp(policy, age)) for policy in Policy for age in (None, 2 * HOUR)]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda it: f"{it.catch_up.policy}-{it.catch_up.max_age}")
@pytest.mark.parametrize("interval", [7.0, 60.0, 1000.0, 40_000.0])
async def test_jumps(options: Options, interval: float) -> None:
    """Clocks that jump by a second, an hour or a day, either way: each time runs exactly as its policy says."""
    if interval == 7.0 and options.catch_up.policy is Policy.ALL:
        options = replace(options, catch_up=CatchUp(Policy.ALL, 600))  # weeks of seconds are no test of this
    place = world(job("a", every(interval), options=options))
    await story(place)

    assert told(options, interval) == place.times()


@pytest.mark.parametrize("options", OPTIONS, ids=lambda it: f"{it.catch_up.policy}-{it.catch_up.max_age}")
async def test_death_at_every_step(options: Options) -> None:
    """A scheduler that dies before or after any of its commits loses no time, and runs none twice."""
    interval, at = 1000.0, 1
    while True:
        place = world(job("a", every(interval), options=options))
        await story(place, dies_at=at)
        if place.mortal.steps < at:
            break
        assert told(options, interval) == place.times(), f"killed at step {at}"
        at += 1

    assert 10 < at, "hardly any step was reached"


@pytest.mark.parametrize("often", [3, 4, 5, 6, 7])
async def test_death_over_and_over(often: int) -> None:
    """Nor does one that keeps dying."""
    options = Options(catch_up=CatchUp(Policy.ALL))
    place = world(job("a", every(1000.0), options=options))
    await story(place, dies_every=often)

    assert told(options, 1000.0) == place.times()
