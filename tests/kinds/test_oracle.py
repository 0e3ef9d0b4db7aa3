"""Schedules agree with a walk through real time, minute by minute."""

from __future__ import annotations

from random import Random

import pytest

from tests.kinds import zoo


def differences(tz: str, instant: int, animals: list[zoo.Animal]) -> list[str]:
    found = []
    for animal in animals:
        end = instant + zoo.LENGTH
        ours, judged = animal.found(tz, instant, end), animal.judge(tz, instant, end)
        if ours != judged:
            found.append(f"{animal.name} in {tz} after {instant}: {ours[:9]} should be {judged[:9]}")
    return found


@pytest.mark.parametrize("tz", zoo.ZONES)
def test_schedules_agree_with_the_oracle(tz: str) -> None:
    """From random instants on, and around changes of the clocks, a schedule gives what a clock on the wall would."""
    random = Random(tz)
    animals = [zoo.animal(random.randrange(2**32)) for _ in range(30)]
    found = []
    for year in random.sample(zoo.YEARS, 2):
        found += differences(tz, zoo.instant(random, tz, year), random.sample(animals, 8))

    assert [] == found


def test_the_day_that_samoa_left_out() -> None:
    """Whatever the schedule, the missing 30 December 2011 of Apia is judged as the oracle does."""
    animals = [zoo.animal(seed) for seed in range(60)]

    assert [] == differences("Pacific/Apia", 1325149200, animals)


@pytest.mark.soak
@pytest.mark.parametrize("tz", zoo.ZONES)
def test_many_schedules_agree_with_the_oracle(tz: str) -> None:
    """200 schedules, in each zone, in each of 20 years."""
    random = Random(f"soak {tz}")
    animals = [zoo.animal(random.randrange(2**32)) for _ in range(200)]
    found = []
    for year in zoo.YEARS:
        found += differences(tz, zoo.instant(random, tz, year), animals)

    assert [] == found
