"""What both stores promise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sshsched.domain.instructions import Save, SaveCursor
from sshsched.domain.model import Output
from sshsched.domain.program import Program
from sshsched.domain.states import State
from sshsched.errors import StoreError
from sshsched.store.filter import RunFilter
from tests.store.samples import Pair, entry, new, run


async def test_new_store(pair: Pair) -> None:
    """A new store has a name of 12 hex digits and no runs."""
    assert 12 == len(f"{int(pair.store.instance, 16):012x}")
    assert 12 == len(pair.store.instance)
    assert 0 == await pair.store.last_id()
    assert [] == await pair.store.live()
    assert {} == pair.reader.counts()
    assert pair.reader.run(1) is None


async def test_saved(pair: Pair) -> None:
    """What was committed can be read at once, by everybody."""
    first = run(1, args={"a": "b"}, labels=("x",), job_id="j")
    await pair.store.commit(new(first))

    assert first == pair.reader.run(1)
    assert [first] == await pair.store.live()
    assert 1 == await pair.store.last_id()


async def test_moves_in_one_commit(pair: Pair) -> None:
    """A run may be made and moved several times in one commit; the last word counts."""
    first = run(1)
    second = replace(first, state=State.STARTING, message="on its way")
    third = replace(second, state=State.SUCCESS, finished_at=9.5, output=Output(5, 6, True))
    await pair.store.commit([Save(first, None), Save(second, State.WAITING), Save(third, State.STARTING)])

    assert third == pair.reader.run(1)


async def test_same_state(pair: Pair) -> None:
    """A run can change without a move."""
    first = run(1)
    await pair.store.commit(new(first))
    await pair.store.commit([Save(replace(first, message="host is down"), State.WAITING)])

    assert replace(first, message="host is down") == pair.reader.run(1)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Save(run(1), None), "r1 "),
        (Save(run(1, State.RUNNING), State.STARTING), "r1 is waiting in the store, and was to be starting there"),
        (Save(run(7, State.STARTING), State.WAITING), "r7 is "),
        (Save(run(1, key="other"), State.WAITING), "r1 differs from the store in what is fixed"),
        (Save(run(1, asked="beta"), State.WAITING), "r1 differs from the store in what is fixed"),
        (Save(run(1, args={"new": "one"}), State.WAITING), "r1 differs from the store in what is fixed"),
    ],
)
async def test_compare_and_set(pair: Pair, bad: Save, message: str) -> None:
    """One save that does not find what it expects undoes the whole commit, and says which and why."""
    await pair.store.commit(new(run(1)))
    with pytest.raises(StoreError, match=message):
        await pair.store.commit([*new(run(2)), replace(bad, log=(entry(bad.run.id, None, State.WAITING),))])

    assert run(1) == pair.reader.run(1)
    assert pair.reader.run(2) is None
    assert [] == pair.reader.log(1)
    assert 1 == await pair.store.last_id()

    await pair.store.commit(new(run(2)))

    assert run(2) == pair.reader.run(2)


async def test_live(pair: Pair) -> None:
    """Live is what is not finished, and what is finished but not yet cleaned from its host; by id."""
    await pair.store.commit(
        new(
            run(4, State.SCHEDULED),
            run(3, State.SUCCESS, cleaned=True),
            run(2, State.SUCCESS),
            run(1, State.RUNNING),
        )
    )

    assert [1, 2, 4] == [found.id for found in await pair.store.live()]


async def test_settles(pair: Pair) -> None:
    """A run leaves the live ones when it is finished and cleaned."""
    ended = run(1, State.FAILURE)
    await pair.store.commit(new(ended))
    await pair.store.commit([Save(replace(ended, cleaned=True), State.FAILURE)])

    assert [] == await pair.store.live()
    assert {State.FAILURE: 1} == pair.reader.counts()


async def test_counts(pair: Pair) -> None:
    """Each state is counted as runs come and move; a state without runs is left out."""
    await pair.store.commit(new(*[run(id) for id in range(1, 6)]))
    await pair.store.commit([Save(run(id, State.STARTING), State.WAITING) for id in range(1, 4)])
    await pair.store.commit([Save(run(1, State.SUCCESS), State.STARTING)])

    assert {State.WAITING: 2, State.STARTING: 2, State.SUCCESS: 1} == pair.reader.counts()

    await pair.store.commit([Save(run(id, State.SKIPPED), State.WAITING) for id in (4, 5)])

    assert {State.SKIPPED: 2, State.STARTING: 2, State.SUCCESS: 1} == pair.reader.counts()


async def test_log(pair: Pair) -> None:
    """The run log keeps the order in which it was written, and each run its own."""
    made, moved = entry(1, None, State.WAITING, "made"), entry(1, State.WAITING, State.STARTING, "sent\nnow")
    other = entry(2, None, State.WAITING)
    await pair.store.commit([Save(run(1), None, (made,)), Save(run(2), None, (other,))])
    await pair.store.commit([Save(run(1, State.STARTING), State.WAITING, (moved, made))])

    assert [made, moved, made] == pair.reader.log(1)
    assert [other] == pair.reader.log(2)
    assert [] == pair.reader.log(3)


async def test_pages(pair: Pair) -> None:
    """Pages by key, newest first, meet every run once, whatever is added meanwhile."""
    await pair.store.commit(new(*[run(id) for id in range(1, 8)]))
    first = pair.reader.runs(RunFilter(), limit=3)
    await pair.store.commit(new(run(8)))
    second = pair.reader.runs(RunFilter(), limit=3, before=first[-1].id)
    third = pair.reader.runs(RunFilter(), limit=3, before=second[-1].id)

    assert [7, 6, 5, 4, 3, 2, 1] == [found.id for found in (*first, *second, *third)]


async def test_nothing_to_commit(pair: Pair) -> None:
    """A commit of nothing is nothing."""
    await pair.store.commit([])

    assert 0 == await pair.store.last_id()


async def test_big_and_hostile(pair: Pair) -> None:
    """100 KB, quotes, NUL, newlines, ends of statements and bytes that are no Unicode come back as they were."""
    hostile = "'; DROP TABLE runs; --\"\x00\n\r\t$()%_\\\udc80\udcff"
    program = Program(argv=(hostile, "x" * 100_000), env={hostile: hostile}, stdin="\u2028" * 100_000)
    stored = run(1, program=program, args={hostile: "y" * 100_000}, labels=(hostile, "z" * 1000))
    await pair.store.commit(new(stored))

    assert stored == pair.reader.run(1)
    assert [stored] == pair.reader.runs(RunFilter(args={hostile: "y" * 100_000}), limit=2)
    assert [stored] == pair.reader.runs(RunFilter(label="z" * 1000), limit=2)
    assert [] == pair.reader.runs(RunFilter(label="z" * 1001), limit=2)


async def test_cursors(pair: Pair) -> None:
    """A schedule's place in time moves with the runs that fell due, and can be forgotten."""
    await pair.store.commit([*new(run(1)), SaveCursor("a", "x", 5.5), SaveCursor("a", "y", 6.0)])
    await pair.store.commit([SaveCursor("a", "x", 7.25), SaveCursor("a", "y", None), SaveCursor("b", "x", 1.0)])

    assert {("a", "x"): 7.25, ("b", "x"): 1.0} == await pair.store.cursors()


async def test_cursors_move_with_runs_or_not_at_all(pair: Pair) -> None:
    """Where the run cannot be saved, the schedule's place stays where it was."""
    await pair.store.commit([*new(run(1)), SaveCursor("a", "x", 5.0)])
    with pytest.raises(StoreError):
        await pair.store.commit([SaveCursor("a", "x", 6.0, 1.0, "lost"), *new(run(1))])

    assert {("a", "x"): 5.0} == await pair.store.cursors()
    assert [] == pair.reader.job_log("a")


async def test_job_log(pair: Pair) -> None:
    """A job's log has what was noted with its schedules, newest first."""
    await pair.store.commit([SaveCursor("a", "x", 1.0, 1.0, "one"), SaveCursor("b", "x", 1.0)])
    await pair.store.commit([SaveCursor("a", "x", 2.0, 2.0, "two")])

    assert [(2.0, "two"), (1.0, "one")] == pair.reader.job_log("a")
    assert [(2.0, "two")] == pair.reader.job_log("a", 1)
    assert [] == pair.reader.job_log("b")
