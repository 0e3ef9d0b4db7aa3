"""Which runs a filter means, in both stores."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.states import FINISHED, State
from sshsched.store.filter import IS, Field, RunFilter, Term
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.store.samples import Pair, new, run

RUNS = (
    run(1, State.SUCCESS, host="alpha", job_id="backup", created_at=100.0, labels=("nightly",)),
    run(2, State.FAILURE, host="beta", job_id="load/us", created_at=300.0, args={"region": "us", "date": "1"}),
    run(
        3, State.WAITING, host="beta", job_id="load/eu", created_at=200.0, args={"region": "eu"}, message="Host IS down"
    ),
    run(4, State.RUNNING, host="alpha", job_id="loader", created_at=400.0, labels=("nightly", "big")),
    run(5, State.SUCCESS, host="local", created_at=500.0, program=Program(argv=("grep", "ÄRGER"))),
)


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (RunFilter(), [5, 4, 3, 2, 1]),
        (RunFilter(states=frozenset({State.SUCCESS})), [5, 1]),
        (RunFilter(states=FINISHED), [5, 2, 1]),
        (RunFilter(states=frozenset({State.WAITING, State.FAILURE})), [3, 2]),
        (RunFilter(job="backup"), [1]),
        (RunFilter(job="load/*"), [3, 2]),
        (RunFilter(job="load"), []),
        (RunFilter(host="alpha"), [4, 1]),
        (RunFilter(label="nightly"), [4, 1]),
        (RunFilter(label="region"), []),
        (RunFilter(args={"region": "us"}), [2]),
        (RunFilter(args={"region": "us", "date": "1"}), [2]),
        (RunFilter(args={"region": "us", "date": "2"}), []),
        (RunFilter(since=300.0), [5, 4, 2]),
        (RunFilter(until=300.0), [3, 1]),
        (RunFilter(since=200.0, until=400.0), [3, 2]),
        (RunFilter(ids=frozenset({1, 4, 77})), [4, 1]),
        (RunFilter(ids=frozenset()), []),
        (RunFilter(text="host is DOWN"), [3]),
        (RunFilter(text="ärger"), [5]),
        (RunFilter(text="region=eu"), [3]),
        (RunFilter(text="%"), []),
        (RunFilter(text="load", host="beta", states=frozenset({State.FAILURE})), [2]),
    ],
)
async def test_filter(pair: Pair, where: RunFilter, ids: list[int]) -> None:
    """Each field means what its description says."""
    await pair.store.commit(new(*RUNS))

    assert ids == [found.id for found in pair.reader.runs(where, limit=10)]
    assert ids[:1] == [found.id for found in pair.reader.runs(where, limit=1)]
    assert [id for id in ids if id < 4] == [found.id for found in pair.reader.runs(where, limit=10, before=4)]


_names = st.sampled_from(["a", "a/b", "a/bb", "a/b/c", "a0", "B", "ß", "%", "é"])
_maybe_moments = st.none() | st.integers(0, 200).map(float)
_runs = st.builds(
    run,
    id=st.integers(1, 30),
    state=st.sampled_from(State),
    host=_names,
    job_id=st.none() | _names,
    created_at=st.integers(0, 5).map(float),
    labels=st.lists(_names, max_size=2).map(tuple),
    args=st.dictionaries(_names, _names, max_size=2),
    message=_names,
    by=_names,
    schedule_time=_maybe_moments,
    not_before=_maybe_moments,
    held=st.sampled_from(["", "ann"]),
    root=st.none() | st.integers(3, 7),
    started_at=_maybe_moments,
    unreachable_since=_maybe_moments,
)
_likes = _names | st.sampled_from(["*", "a*", "*b", "a/*", "*/*", "a*b*", "[*", "?*", "é*"])
_alternatives = st.lists(_likes, min_size=1, max_size=3, unique=True).map(tuple)
_terms = st.one_of(
    st.builds(
        Term,
        st.sampled_from([Field.JOB, Field.HOST, Field.LABEL, Field.BY, Field.TEXT]),
        _alternatives,
        negated=st.booleans(),
    ),
    st.builds(Term, st.just(Field.ARG), _alternatives, _names, negated=st.booleans()),
    st.builds(
        Term,
        st.just(Field.IS),
        st.lists(st.sampled_from(IS), min_size=1, max_size=2).map(tuple),
        at=st.integers(0, 200).map(float),
        negated=st.booleans(),
    ),
    st.builds(Term, st.sampled_from([Field.SINCE, Field.UNTIL]), at=st.sampled_from([1.0, 3.0]), negated=st.just(True)),
    st.builds(Term, st.just(Field.RUN), st.just(("r3", "r7")), negated=st.just(True)),
    st.builds(Term, st.just(Field.ROOT), st.sampled_from([("r3",), ("r4", "r5")]), negated=st.booleans()),
    st.builds(Term, st.just(Field.STATE), st.just(("running", "success")), negated=st.just(True)),
)
_filters = st.builds(
    RunFilter,
    st.lists(_terms, max_size=3),
    states=st.just(frozenset()) | st.frozensets(st.sampled_from(State), max_size=4),
    job=st.none() | _names | _names.map("{}/*".format),
    host=st.none() | _names,
    label=st.none() | _names,
    since=st.none() | st.integers(0, 5).map(float),
    until=st.none() | st.integers(0, 5).map(float),
    ids=st.none() | st.frozensets(st.integers(1, 30), max_size=15),
    args=st.just({}) | st.dictionaries(_names, _names, max_size=2),
    text=st.none() | _names,
)


@given(
    st.lists(_runs, max_size=25, unique_by=lambda run: run.id),
    st.lists(_filters, min_size=1, max_size=40),
    st.integers(1, 5),
    st.none() | st.integers(1, 31),
)
@settings(deadline=None, max_examples=100)
async def test_sql_says_the_same(runs: list[Run], filters: list[RunFilter], limit: int, before: int | None) -> None:
    """The database finds exactly the runs that the filter matches, whatever is combined."""
    newest = sorted((run for run in runs if before is None or run.id < before), key=lambda run: -run.id)
    with TemporaryDirectory() as folder:
        async with open_store(Path(folder)) as store:
            await store.commit(new(*runs))
            with Reader(Path(folder)) as reader:
                found = [reader.runs(where, limit=limit, before=before) for where in filters]

    assert [[run for run in newest if where.matches(run)][:limit] for where in filters] == found
