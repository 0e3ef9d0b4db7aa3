"""How the last runs of jobs went."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.states import State
from sshsched.store.filter import RunFilter
from sshsched.store.reader import Reader
from sshsched.store.stats import Past, job_stats
from sshsched.store.store import open_store
from tests.store.samples import new, run


async def test_the_last_runs_of_each_job(tmp_path: Path) -> None:
    """Finished runs of jobs alone, no more than asked for, oldest first; other terms narrow them down."""
    fields = {"started_at": 100.0, "finished_at": 103.0}
    runs = [
        run(1, State.SUCCESS, job_id="a", host="old", **fields),
        run(2, State.FAILURE, job_id="a", **fields),
        run(3, State.SUCCESS, job_id="a", **fields),
        run(4, State.RUNNING, job_id="a", started_at=100.0),
        run(5, State.SKIPPED, job_id="b/c", finished_at=3.0),
        run(6, State.SUCCESS, **fields),
        run(7, State.RUNNING, job_id="d"),
    ]
    async with open_store(tmp_path) as store:
        await store.commit(new(*runs))
        with Reader(tmp_path) as reader:
            last = reader.stats(RunFilter(), 2)
            on_old = reader.stats(RunFilter(host="old"), 2)
            below_b = reader.stats(RunFilter(job="b/*"), 2)

    assert [("a", [2, 3]), ("b/c", [5])] == [(stats.job, [each.id for each in stats.past]) for stats in last]
    assert (3.0, 0.5) == (last[0].percentile(0.5), last[0].success_rate)
    assert (None, None) == (last[1].percentile(0.5), last[1].success_rate)
    assert [[1]] == [[each.id for each in stats.past] for stats in on_old]
    assert ["b/c"] == [stats.job for stats in below_b]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_percentiles_are_durations_that_were(durations: list[float], share: float) -> None:
    """At least that share of the programs took no longer, and the last of them is the longest."""
    stats = job_stats("a", [Past(1, State.SUCCESS, each) for each in durations])
    found = stats.percentile(share)

    assert found in durations
    assert sum(each <= found for each in durations) >= share * len(durations)
    assert max(durations) == stats.percentile(1.0)
