"""What decisions ask of finished runs: the same answers from a database and from memory, and in no time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sshsched.domain.instructions import Save
from sshsched.domain.model import Run
from sshsched.domain.states import State
from sshsched.domain.view import Past as Asked
from sshsched.store.memory import MemoryStore
from sshsched.store.past import FEW, Past
from sshsched.store.store import open_store
from tests.store.samples import T0, new, run

SUCCESS = frozenset({State.SUCCESS})
Open = Callable[[Iterable[Run]], Any]


def ended(id: int, state: State = State.SUCCESS, at: float = T0, **args: str) -> Run:
    return run(id, state, job_id="load", args=args, finished_at=at)


@pytest.fixture(params=["memory", "sqlite"])
async def past(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Makes a past of these runs."""
    if request.param == "memory":

        async def memory(runs: Iterable[Run]) -> Asked:
            return MemoryStore(runs=runs)

        yield memory
        return
    async with open_store(tmp_path) as store:
        asked = Past(tmp_path)

        async def sqlite(runs: Iterable[Run]) -> Asked:
            await store.commit(new(*runs))
            return asked

        yield sqlite
        asked.close()


async def test_the_newest_that_fits(past: Open) -> None:
    """Of all runs that fit the one that ended last is found."""
    asked = await past([ended(1, at=T0), ended(2, at=T0 + 9), ended(3, at=T0 + 5), ended(4, State.FAILURE, T0 + 20)])

    assert 2 == asked.found("load", {}, SUCCESS, 0.0)
    assert 4 == asked.found("load", {}, frozenset({State.SUCCESS, State.FAILURE}), 0.0)


@pytest.mark.parametrize(
    ("args", "since", "found"),
    [
        ({}, 0.0, 2),
        ({"date": "d1"}, 0.0, 1),
        ({"date": "d1", "region": "eu"}, 0.0, 1),
        ({"region": "us"}, 0.0, 2),
        ({"region": "us", "date": "d1"}, 0.0, None),
        ({"date": "d1"}, T0, 1),
        ({"date": "d1"}, T0 + 1, None),
        ({"other": "d1"}, 0.0, None),
        ({}, T0 + 100, None),
    ],
)
async def test_args_and_time(past: Open, args: dict[str, str], since: float, found: int | None) -> None:
    """A run fits if its args hold what is asked for and it ended since then, not before."""
    asked = await past([ended(1, date="d1", region="eu"), ended(2, at=T0 + 9, date="d2", region="us")])

    assert found == asked.found("load", args, SUCCESS, since)


async def test_shared_names(past: Open) -> None:
    """Of the args that are only shared, those count that the job has; one that is given goes before."""
    asked = await past([ended(1, date="d1"), ended(2, at=T0 + 9, date="d2")])

    assert 1 == asked.found("load", {}, SUCCESS, 0.0, {"date": "d1", "region": "eu"})
    assert 2 == asked.found("load", {"date": "d2"}, SUCCESS, 0.0, {"date": "d1"})
    assert None is asked.found("load", {}, SUCCESS, 0.0, {"date": "d3"})


async def test_what_does_not_count(past: Open) -> None:
    """Other jobs, steps of workflows, attempts that were repeated and what has not ended are not found."""
    unfit = [
        replace(ended(1), job_id="other"),
        replace(ended(2), root=9),
        replace(ended(3, State.FAILURE), retried_by=4),
        run(4, State.RUNNING, job_id="load"),
    ]
    asked = await past(unfit)

    assert None is asked.found("load", {}, frozenset(State), 0.0)


async def test_params_in_another_order(past: Open) -> None:
    """A run from before a job's params changed places is found."""
    asked = await past([ended(1, date="d1", region="eu"), ended(2, State.FAILURE, region="us", date="d2")])

    assert 1 == asked.found("load", {"date": "d1", "region": "eu"}, SUCCESS, 0.0)


async def test_no_database_has_no_past(tmp_path: Path) -> None:
    """Before the first run there is nothing to find."""
    assert None is Past(tmp_path).found("load", {}, SUCCESS, 0.0)


async def test_a_commit_is_seen_at_once(tmp_path: Path) -> None:
    """What has been saved is found by the next question."""
    async with open_store(tmp_path) as store:
        asked = Past(tmp_path)
        await store.commit(new(run(1, State.RUNNING, job_id="load")))
        before = asked.found("load", {}, SUCCESS, 0.0)
        await store.commit([Save(ended(1), State.RUNNING)])

        assert None is before
        assert 1 == asked.found("load", {}, SUCCESS, 0.0)
        asked.close()


_args = st.dictionaries(st.sampled_from(["date", "region"]), st.sampled_from(["a", "b"]))
_runs = st.lists(
    st.tuples(
        st.sampled_from([State.SUCCESS, State.FAILURE, State.RUNNING]),
        _args,
        st.integers(0, 3),
        st.sampled_from([None, 7]),
        st.sampled_from([None, 8]),
    ),
    max_size=8,
)


@given(rows=_runs, args=_args, shared=_args, since=st.integers(0, 3), states=st.frozensets(st.sampled_from(State)))
@settings(max_examples=60, deadline=None)
async def test_both_pasts_agree(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Any],
    args: dict[str, str],
    shared: dict[str, str],
    since: int,
    states: frozenset[State],
) -> None:
    """Database and memory give the same answer to any question about any runs."""
    runs = [
        run(
            id,
            state,
            job_id="load",
            args=its,
            root=root,
            retried_by=next_,
            finished_at=None if state is State.RUNNING else at,
        )
        for id, (state, its, at, root, next_) in enumerate(rows, 1)
    ]
    folder = tmp_path_factory.mktemp("past")
    async with open_store(folder) as store:
        await store.commit(new(*runs))
        asked = Past(folder)
        found = asked.found("load", args, states, since, shared)
        asked.close()

    assert MemoryStore(runs=runs).found("load", args, states, since, shared) == found


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.soak)])
async def test_quick_among_very_many(tmp_path: Path, count: int) -> None:
    """Whatever is asked of 100,000 runs of one job takes less than a millisecond, also where nothing is found."""

    def one(id: int) -> Run:
        state, region = (State.FAILURE, "eu") if id % 2 else (State.SUCCESS, "us")
        return ended(id, state, T0 + id, date=f"d{id // 2}", region=region)

    runs = (one(id) for id in range(1, count + 1))
    async with open_store(tmp_path) as store:
        await store.commit(new(*runs))
    asked = Past(tmp_path)
    questions: list[dict[str, str]] = [
        {},
        {"date": "d17", "region": "us"},
        {"date": "d17", "region": "eu"},
        {"date": "never"},
        {"region": "us"},
        {"region": "never", "date": "d9"},
    ]
    answers = [asked.found("load", args, SUCCESS, 0.0) for args in questions]

    assert [count, 34, None, None, count, None] == answers
    assert count // 2 > FEW  # each region has more runs than are looked at one by one
    for args in questions:
        assert 0.001 > fastest(lambda args=args: asked.found("load", args, SUCCESS, 0.0)), args
    asked.close()


def fastest(work: Callable[[], object]) -> float:
    """Seconds: the best of a few, for the machine is shared."""
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)
