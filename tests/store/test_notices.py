"""What both stores promise of notices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.instructions import Notice, SaveNotice
from sshsched.domain.model import Reason
from sshsched.domain.plan import Deed
from sshsched.domain.states import State
from sshsched.errors import StoreError
from sshsched.store.database import database, open_writer
from sshsched.store.notices import notices_of, save_notice
from sshsched.store.store import open_store
from tests.store.samples import T0, Pair, new, run

DEED = Deed("notify", {"email": ["me@example.com"], "lines": 3}, ("failure",))
FIRST = Notice("r1-failure-0", DEED, "failure", {"run": "r1", "args": {"a": "\udcff"}}, T0, 1, "backup", next_at=T0)


async def test_saved(pair: Pair) -> None:
    """A notice is open from the commit that made it until it is done, and it is found by its run for ever."""
    await pair.store.commit([*new(run(1)), SaveNotice(FIRST)])
    opened = await pair.store.open_notices()
    done = replace(FIRST, tries=2, done_at=T0 + 9)
    await pair.store.commit([SaveNotice(done)])

    assert [FIRST] == opened
    assert [] == await pair.store.open_notices()
    assert [done] == pair.reader.notices(1)
    assert [] == pair.reader.notices(2)


async def test_a_note_is_a_row_of_the_runs_log(pair: Pair) -> None:
    """What a delivery came to stands in the log of the run, at the state that the run is in by then."""
    await pair.store.commit(new(run(1, State.WAITING)))
    await pair.store.commit([SaveNotice(FIRST, T0 + 5, "the server is away")])
    (entry,) = pair.reader.log(1)

    assert (State.WAITING, State.WAITING, T0 + 5) == (entry.old, entry.new, entry.at)
    assert (Reason.CREATED, "the server is away") == (entry.reason, entry.message)


async def test_a_note_without_a_run(pair: Pair) -> None:
    """What a job's alert came to stands in the log of the job."""
    await pair.store.commit([SaveNotice(replace(FIRST, run_id=None), T0 + 5, "the server is away")])

    assert [(T0 + 5, "the server is away")] == pair.reader.job_log("backup")


async def test_all_or_nothing(pair: Pair) -> None:
    """Where the save of a run fails there is no notice of it either."""
    with pytest.raises(StoreError):
        await pair.store.commit([SaveNotice(FIRST), *new(run(1)), *new(run(1))])

    assert [] == await pair.store.open_notices()


_words = st.text(st.characters(codec="utf-8") | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF), max_size=9)
_plain = st.none() | st.booleans() | st.integers(-9, 9) | _words
_options = st.dictionaries(_words, _plain | st.lists(_plain, max_size=2), max_size=3)
_any = st.builds(
    Notice,
    id=st.text(st.characters(codec="utf-8"), max_size=9),
    deed=st.builds(Deed, kind=st.just("x"), options=_options, on=st.lists(st.just("late"), max_size=2).map(tuple)),
    occasion=st.just("late"),
    facts=_options,
    made_at=st.floats(0, 1e11),
    run_id=st.none() | st.integers(1, 2**62),
    job_id=st.none() | st.text(st.characters(codec="utf-8"), max_size=9),
    tries=st.integers(0, 99),
    next_at=st.floats(0, 1e11),
    problem=st.text(st.characters(codec="utf-8"), max_size=9),
    done_at=st.none() | st.floats(0, 1e11),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@given(notice=_any)
def test_any_notice_comes_back(notice: Notice, folder: Path) -> None:
    """A notice comes out of the database as it went in."""
    connection = open_writer(database(folder), 5)
    try:
        connection.execute("DELETE FROM notices")
        save_notice(connection, SaveNotice(notice))
        columns = "id, run_id, job_id, made_at, deed, occasion, facts, tries, next_at, problem, done_at"
        (back,) = notices_of(connection.execute(f"SELECT {columns} FROM notices").fetchall())
    finally:
        connection.close()

    assert notice == back


async def test_open_notices_survive(tmp_path: Path) -> None:
    """The next scheduler finds what this one had still to tell."""
    async with open_store(tmp_path / "state") as store:
        await store.commit([SaveNotice(FIRST)])
    async with open_store(tmp_path / "state") as store:
        assert [FIRST] == await store.open_notices()
