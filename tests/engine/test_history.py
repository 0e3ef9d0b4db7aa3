"""Old runs leave the store, whole, and only those that may."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sshsched.domain.instructions import Notice, Save, SaveNotice
from sshsched.domain.model import Output, Run
from sshsched.domain.plan import Deed
from sshsched.domain.retention import Retention, Then
from sshsched.domain.states import State
from sshsched.engine import history as engine
from sshsched.engine.history import Gone, History
from sshsched.engine.policies import Policies
from sshsched.errors import NotFoundError, RefusedError, StoreBusyError, StoreError, StoreNewerError
from sshsched.store import archive as archives
from sshsched.store import history, vacuum
from sshsched.store.filter import RunFilter
from sshsched.store.history import Policy
from sshsched.store.lock import hold
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.store.schema import MIGRATIONS, VERSION
from sshsched.store.store import Store, open_store
from tests.store.samples import entry, run
from tests.support import until

NOW = 1_800_000_000.0  # long after the runs of these tests, and before any clock that reads them
DAY = 86400.0
ALL = Retention(age=1.0)


def old(id: int, state: State = State.SUCCESS, **more: Any) -> Run:
    """A settled run that printed its number of bytes."""
    more = {"job_id": None, "key": f"key{id}", "output": Output(id, 0, complete=True)} | more
    return run(id, state, **{"finished_at": run(id).created_at + 5, "cleaned": True, **more})


class Kept:
    """A folder with a store, and what moves runs out of it."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self.archive = archives.usual(folder)
        self.history = History(store, folder, lambda: Policies([]), alone=True)

    async def fill(self, *runs: Run) -> None:
        """Runs with a log, and with the output that they are said to have."""
        files = OutputFiles(self.folder)
        for each in runs:
            if each.output.stdout:
                files.write(each.id, "stdout", 0, b"x" * each.output.stdout)
                files.sync(each.id)
                files.finish(each.id)
        await self.store.commit([Save(each, None, (entry(each.id, None, each.state, each.name),)) for each in runs])

    async def apply(self, *limits: Retention | Policy, to: Path | None = None, **more: Any) -> Gone:
        policies = [each if isinstance(each, Policy) else Policy(each) for each in limits]
        return await self.history.archive(Policies(policies, **more), to)

    def ids(self) -> list[int]:
        with Reader(self.folder) as reader:
            return sorted(each.id for each in reader.runs(RunFilter(), limit=10_000))

    def archived(self) -> list[int]:
        if not self.archive.exists():
            return []
        with Reader.of_archive(self.archive) as reader:
            return sorted(each.id for each in reader.runs(RunFilter(), limit=10_000))

    def folders(self) -> list[str]:
        place = self.folder / "output"
        return sorted(path.name for path in place.iterdir()) if place.exists() else []


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Kept]:
    with hold(folder, "test"):
        async with open_store(folder) as store:
            kept = Kept(folder, store)
            try:
                yield kept
            finally:
                await kept.history.close()


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    async with opened(tmp_path / "state") as found:
        yield found


async def test_archived(kept: Kept) -> None:
    """What is moved is found in the archive as it was, with program, log, marks and output, and nowhere else."""
    moved = old(1, args={"a": "b"}, labels=("night", "z" * 1000), output=Output(50_000, 0, complete=True))
    await kept.fill(moved, run(2))
    gone = await kept.apply(ALL)

    assert Gone(archived=1, bytes=50_000) == gone
    assert [2] == kept.ids()
    with Reader.of_archive(kept.archive) as reader:
        assert [moved] == reader.runs(RunFilter(args={"a": "b"}, label="z" * 1000), limit=9)
        assert [entry(1, None, State.SUCCESS, "r1")] == reader.log(1)
        assert {State.SUCCESS: 1} == reader.counts()
    assert b"x" * 50_000 == archives.output_of(kept.archive).read(1, "stdout", 0, 1 << 20)
    assert [] == kept.folders()
    with Reader(kept.folder) as reader:
        assert [] == reader.runs(RunFilter(label="night"), limit=9)
        assert [] == reader.log(1)
        assert {State.WAITING: 1} == reader.counts()


async def test_the_archive_is_private(kept: Kept) -> None:
    """Nobody else can read it, as with the store."""
    await kept.fill(old(1))
    await kept.apply(ALL)
    made = [path for path in kept.folder.rglob("*") if "archive" in str(path)]

    assert 4 <= len(made)
    assert {0} == {path.stat().st_mode & 0o077 for path in made}


async def test_deleted(kept: Kept) -> None:
    """A policy may let runs go for good, and makes no archive for that."""
    await kept.fill(old(1), old(2))
    gone = await kept.apply(Retention(age=1.0, then=Then.DELETE))

    assert Gone(deleted=2, bytes=3) == gone
    assert [] == kept.ids()
    assert [] == kept.folders()
    assert not kept.archive.exists()


@pytest.mark.parametrize(
    ("limits", "stay"),
    [
        (Retention(count=3), [8, 9, 10]),
        (Retention(count=10), [*range(1, 11)]),
        (Retention(size=27), [8, 9, 10]),
        (Retention(size=26), [9, 10]),
        (Retention(size=1), []),
        (Retention(age=1.0), []),
        (Retention(count=5, size=27), [8, 9, 10]),
        (Retention(age=1e9), [*range(1, 11)]),
        (Retention(age=1e9, count=9), [*range(2, 11)]),
    ],
)
async def test_limits(kept: Kept, limits: Retention, stay: list[int]) -> None:
    """A run goes once it is beyond any of the limits: r1 printed one byte, r10 ten."""
    await kept.fill(*map(old, range(1, 11)))
    await kept.apply(limits)

    assert stay == kept.ids()
    assert sorted({*range(1, 11)} - {*stay}) == kept.archived()


async def test_age_counts_from_the_end(kept: Kept) -> None:
    """A run that took long is as old as its end."""
    from time import time

    await kept.fill(old(1), old(2, finished_at=time() - 2 * DAY), old(3))
    await kept.apply(Retention(age=3 * DAY))

    assert [2] == kept.ids()


async def test_what_is_not_settled_stays(kept: Kept) -> None:
    """A run with anything left to do stays, however old it is and whatever the limit."""
    states = [State.SCHEDULED, State.WAITING, State.STARTING, State.RUNNING, State.STOPPING]
    live = [run(id, state, key="k") for id, state in enumerate(states, 1)]
    await kept.fill(*live, old(6, cleaned=False), *map(old, range(7, 10)))
    await kept.apply(ALL, Retention(count=1), Retention(size=1))

    assert [1, 2, 3, 4, 5, 6] == kept.ids()


async def test_what_has_just_ended_stays(kept: Kept) -> None:
    """Somebody may be about to look at it."""
    from time import time

    await kept.fill(old(1), old(2, finished_at=time() - 60), old(3, finished_at=time() - 60))
    await kept.apply(ALL, Retention(count=1))

    assert [2, 3] == kept.ids()


async def test_the_last_of_each_job_stays(kept: Kept) -> None:
    """Its last run and its last success, whatever the limit; runs of no job have no last one."""
    fail = State.FAILURE
    jobs = [old(1, job_id="a"), old(2, job_id="a"), old(3, fail, job_id="a"), old(4, fail, job_id="a")]
    await kept.fill(*jobs, old(5, job_id="b"), old(6), old(7, fail, job_id="c"), old(8, fail, job_id="c"))
    await kept.apply(ALL)

    assert [2, 4, 5, 8] == kept.ids()


async def test_a_step_is_not_the_last_of_its_job(kept: Kept) -> None:
    """What ran as part of a workflow is no run of the job by itself, so it takes nobody's place."""
    await kept.fill(old(1, job_id="a"), old(2), run(3, State.RUNNING, job_id="a", root=2))
    await kept.apply(ALL)

    assert [1, 2, 3] == kept.ids()


async def test_policies_of_jobs(kept: Kept) -> None:
    """A job's own limits are about its runs alone, the general ones about all others together."""
    jobs = [None, "a", "b", "c"]
    await kept.fill(*[old(id, job_id=jobs[id % 4]) for id in range(1, 17)])
    await kept.apply(
        Policy(Retention(count=3), job="a"),
        Policy(Retention(count=3), apart=frozenset({"a", "b"})),
    )

    assert [2, 5, 6, 9, 10, 12, 13, 14, 15, 16] == kept.ids()


async def test_spared(kept: Kept) -> None:
    """What nobody knows the limits of stays."""
    await kept.fill(old(1), old(2), old(3))
    await kept.apply(ALL, spared=lambda run: run.id == 2)

    assert [2] == kept.ids()


async def test_a_mark_under_way(kept: Kept) -> None:
    """Nothing leaves the store while somebody marks what has ended; what was marked stays for now."""
    await kept.fill(run := old(1, State.FAILURE), old(2))

    def copied() -> bool:
        with suppress(StoreError):  # it may just be made
            return kept.archived() == [1, 2]
        return False

    async with kept.history.still:
        going = asyncio.create_task(kept.apply(ALL))
        await until(copied)
        await kept.store.commit([Save(replace(run, state=State.SUCCESS), State.FAILURE)])
    await going

    assert [1] == kept.ids()


async def test_many(kept: Kept) -> None:
    """More than one slice and one page: each run moves once."""
    await kept.fill(*[old(id, output=Output(complete=True)) for id in range(1, 501)])
    gone = await kept.apply(Retention(count=3))

    assert 497 == gone.archived
    assert [498, 499, 500] == kept.ids()
    assert [*range(1, 498)] == kept.archived()


async def test_again(kept: Kept) -> None:
    """A second round adds to the same archive."""
    await kept.fill(old(1))
    await kept.apply(ALL)
    await kept.fill(old(2))
    await kept.apply(ALL)

    assert [] == kept.ids()
    assert [1, 2] == kept.archived()


async def test_a_number_is_never_given_again(kept: Kept) -> None:
    """The newest run may be gone, its number is not free."""
    await kept.fill(old(7))
    await kept.apply(Retention(age=1.0, then=Then.DELETE))

    assert 7 == await kept.store.last_id()


async def test_another_place(kept: Kept, tmp_path: Path) -> None:
    """The archive may lie anywhere, also on another disk, where there are no links."""
    other = Path("/dev/shm") / f"sshsched-test-{tmp_path.name}-{id(kept)}"
    try:
        await kept.fill(old(1))
        await kept.apply(ALL, to=other / "old.db")

        assert kept.folder.stat().st_dev != other.stat().st_dev
        assert b"x" == archives.output_of(other / "old.db").read(1, "stdout", 0, 9)
        assert [] == kept.folders()
    finally:
        shutil.rmtree(other, ignore_errors=True)


async def test_not_into_itself(kept: Kept) -> None:
    """The store is no archive."""
    await kept.fill(old(1))
    with pytest.raises(RefusedError, match=r"is the store itself; name another file"):
        await kept.apply(ALL, to=kept.folder / "store.db")

    assert [1] == kept.ids()


async def test_not_into_that_of_another(kept: Kept, tmp_path: Path) -> None:
    """Neither another store nor the archive of another one is written to."""
    await kept.fill(old(1))
    async with opened(tmp_path / "other") as other:
        await other.fill(old(1), old(2), old(3))
        await other.apply(Retention(count=1))
        for file, what in ((other.archive, "the archive of another store"), (other.folder / "store.db", "a store")):
            with pytest.raises(RefusedError, match=f"is {what}.*; name another file with --to"):
                await kept.apply(ALL, to=file)

        assert [1] == kept.ids()
        assert ([3], [1, 2]) == (other.ids(), other.archived())


async def test_a_store_that_was_set_back(kept: Kept) -> None:
    """Two runs of one number are never mixed up: nothing moves, and the message says how to go on."""
    await kept.fill(old(1, key="first"))
    await kept.apply(ALL)
    await kept.fill(old(1, key="second"), old(2))
    with pytest.raises(StoreError, match=r"holds another r1 than the store.*--to"):
        await kept.apply(ALL)

    assert ([1, 2], [1]) == (kept.ids(), kept.archived())


def test_no_archive(tmp_path: Path) -> None:
    """An archive that is not there is named, with what makes one."""
    with pytest.raises(NotFoundError, match=r"old.db: there is no such archive; `sshsched archive` makes one"):
        Reader.of_archive(tmp_path / "old.db")


async def test_vacuum_in_pieces(kept: Kept) -> None:
    """A piece frees some pages: not one, and not all."""
    await kept.fill(*[old(id, message="x" * 2000, output=Output(complete=True)) for id in range(1, 301)])
    await kept.apply(Retention(count=1, then=Then.DELETE))
    before = await kept.store.perform(vacuum.size)

    assert await kept.store.perform(vacuum.piece)
    assert vacuum.PAGES * 4096 == before - await kept.store.perform(vacuum.size)


async def test_a_database_that_knows_no_pieces(tmp_path: Path) -> None:
    """One of an earlier version is done whole by whoever is alone with it, once, and never by a scheduler."""
    folder = tmp_path / "state"
    async with opened(folder) as kept:
        await kept.fill(old(1), old(2))
    with closing(sqlite3.connect(folder / "store.db")) as connection:
        connection.executescript("PRAGMA auto_vacuum = NONE; VACUUM")
    async with opened(folder) as kept:
        scheduler = History(kept.store, folder, lambda: Policies([]))
        with pytest.raises(RefusedError, match=r"end the scheduler, and `sshsched vacuum` does it whole, once"):
            await scheduler.vacuum()
        await kept.history.vacuum()
        await scheduler.vacuum()

        assert [1, 2] == kept.ids()


async def test_vacuum(kept: Kept) -> None:
    """The room of what is gone goes back to the disk, and what is left is whole."""
    await kept.fill(*[old(id, message="x" * 2000, output=Output(complete=True)) for id in range(1, 301)])
    await kept.apply(Retention(count=5, then=Then.DELETE))
    found = await kept.history.vacuum()

    assert not found.more
    assert found.after < found.before / 2
    assert [*range(296, 301)] == kept.ids()


async def test_by_itself(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler keeps to the limits over and over, and a mistake in one round does not end that."""
    monkeypatch.setattr(engine, "FIRST", 0.0)
    monkeypatch.setattr(engine, "EVERY", 0.01)
    asked: list[int] = []

    def policies() -> Policies:
        asked.append(len(asked))
        if len(asked) < 3:
            raise (StoreError("config.yaml: bad"), ValueError("a mistake"))[len(asked) - 1]
        return Policies([Policy(Retention(count=1))])

    await kept.fill(old(1), old(2))
    history = History(kept.store, kept.folder, policies)
    task = asyncio.create_task(history.run())
    await until(lambda: kept.ids() == [2])
    await kept.fill(old(3))
    await until(lambda: kept.ids() == [3])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await history.close()

    assert [1, 2] == kept.archived()


async def test_an_archive_of_an_earlier_version(kept: Kept) -> None:
    """It is brought up to date by who reads it."""
    with closing(sqlite3.connect(kept.archive)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()

    assert [] == kept.archived()


async def test_an_archive_of_a_later_version(kept: Kept) -> None:
    """It is refused, never guessed at."""
    await kept.fill(old(1), old(2))
    await kept.apply(Retention(count=1))
    with closing(sqlite3.connect(kept.archive)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StoreNewerError, match=r"archive.db: written by a newer sshsched"):
        kept.archived()


async def test_a_full_disk(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the archive cannot be written, everything stays in the store, and nothing is half there."""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    await kept.fill(old(1), old(2))
    with monkeypatch.context() as patch:
        patch.setattr("os.link", full)
        patch.setattr("os.fsync", full)
        with pytest.raises(StoreBusyError, match=r"No space left on device; make room"):
            await kept.apply(Retention(age=1.0))

        assert ([1, 2], []) == (kept.ids(), kept.archived())
    await kept.apply(Retention(age=1.0))

    assert ([], [1, 2]) == (kept.ids(), kept.archived())


async def test_steps_go_with_their_root(kept: Kept) -> None:
    """A workflow goes whole, or stays whole: while one of its steps has to stay, all of it does."""
    flow = [old(1), old(2, root=1), old(3, root=1)]
    busy = [old(4), old(5, root=4), run(6, State.RUNNING, root=4)]
    await kept.fill(*flow, *busy, old(7))
    await kept.apply(Policy(ALL))

    assert ([4, 5, 6], [1, 2, 3, 7]) == (kept.ids(), kept.archived())


async def test_what_was_marked_meanwhile(kept: Kept) -> None:
    """A run that somebody marks while it is being moved stays, and moves as it is then."""
    await kept.fill(old(1), old(2))
    with archives.open_archive(kept.archive, kept.folder, kept.store.instance) as archive:
        archive.take([1, 2])
    marked = replace(old(1), state=State.FAILURE)
    await kept.store.commit([Save(marked, State.SUCCESS)])
    await kept.store.perform(lambda connection: history.forget(connection, {1: "success", 2: "success"}))

    assert [1] == kept.ids()

    await kept.apply(ALL)
    with Reader.of_archive(kept.archive) as reader:
        assert marked == reader.run(1)
    assert ([], [1, 2]) == (kept.ids(), kept.archived())


async def test_what_is_still_to_be_told(kept: Kept) -> None:
    """A run stays until its notices are delivered; they move with it."""
    due = Notice("n1", Deed("notify"), "end", {}, 1.0, run_id=1)
    await kept.fill(old(1), old(2))
    await kept.store.commit([SaveNotice(due), SaveNotice(replace(due, id="n2", run_id=2, done_at=5.0))])
    await kept.apply(ALL)

    assert ([1], [2]) == (kept.ids(), kept.archived())

    await kept.store.commit([SaveNotice(replace(due, done_at=5.0))])
    await kept.apply(ALL)

    assert ([], [1, 2]) == (kept.ids(), kept.archived())
    with Reader.of_archive(kept.archive) as reader:
        assert ["n1"] == [notice.id for notice in reader.notices(1)]
    with Reader(kept.folder) as reader:
        assert [] == reader.notices(1)
