"""The read-only side."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sshsched.domain.states import FINISHED, State
from sshsched.store import database
from sshsched.store.filter import Field, RunFilter, Term
from sshsched.store.queries import select_runs
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.store.samples import new, run


def test_no_database(tmp_path: Path) -> None:
    """No database means no runs, and none is made."""
    with Reader(tmp_path / "none") as reader:
        assert reader.run(1) is None
        assert [] == reader.runs(RunFilter(), limit=5)
        assert [] == reader.log(1)
        assert {} == reader.counts()
    assert [] == list(tmp_path.iterdir())


def test_empty_file(tmp_path: Path) -> None:
    """A database that is just being made has no runs yet."""
    (tmp_path / "store.db").touch()

    assert {} == Reader(tmp_path).counts()


async def test_appears(tmp_path: Path) -> None:
    """A reader that came before the database sees it when it is there."""
    with Reader(tmp_path) as reader:
        assert reader.run(1) is None
        async with open_store(tmp_path) as store:
            await store.commit(new(run(1)))

            assert run(1) == reader.run(1)


async def test_without_scheduler(tmp_path: Path) -> None:
    """A closed store, without the files of its write-ahead log, can be read; what the reader leaves is private."""
    async with open_store(tmp_path) as store:
        await store.commit(new(run(1)))
    assert ["store.db"] == [path.name for path in tmp_path.iterdir()]

    with Reader(tmp_path) as reader:
        assert run(1) == reader.run(1)
    assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}


async def test_never_writes(tmp_path: Path) -> None:
    """Not even by mistake."""
    async with open_store(tmp_path):
        connection = database.open_reader(tmp_path / "store.db", 1.0)
        assert connection is not None
        with pytest.raises(Exception, match="readonly"):
            connection.execute("DELETE FROM runs")
        connection.close()


@pytest.mark.parametrize("name", ["has space", "a?mode=rw", "100%25", "ü#x"])
async def test_odd_folders(tmp_path: Path, name: str) -> None:
    """The folder's name is never read as part of an address."""
    async with open_store(tmp_path / name) as store:
        await store.commit(new(run(1)))
        with Reader(tmp_path / name) as reader:
            assert run(1) == reader.run(1)


def test_quick_to_import() -> None:
    """Commands that only read wait for no event loop and no ssh."""
    script = (
        "import sys, sshsched.store.reader, sshsched.store.output, sshsched.store.lock; "
        "print(sorted({'asyncio', 'aiosqlite', 'asyncssh', 'starlette', 'rich', 'concurrent'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout


@pytest.mark.parametrize(
    ("where", "index", "sorts"),
    [
        (RunFilter(), "SCAN runs", False),
        (RunFilter(states=frozenset({State.ERROR})), "runs_state (state=?)", False),
        (RunFilter(states=FINISHED), "runs_state (state=?)", False),
        (RunFilter(states=FINISHED, host="a"), "runs_host (host=?)", False),
        (RunFilter(states=frozenset({State.RUNNING}), host="a"), "runs_state (state=?)", False),
        (RunFilter(host="a"), "runs_host (host=?)", False),
        (RunFilter(job="a"), "runs_job (job_id=?)", False),
        (RunFilter(job="a/*"), "runs_job (job_id>? AND job_id<?)", True),
        (RunFilter(label="a"), "marks USING PRIMARY KEY (mark=?)", False),
        (RunFilter(args={"a": "b"}, job="a"), "marks USING PRIMARY KEY (mark=?)", False),
        (RunFilter(since=5.0), "runs_created (created_at>?)", True),
        (RunFilter(until=5.0), "runs_created (created_at<?)", True),
        (RunFilter([Term(Field.JOB, ("a", "b"))]), "runs_job (job_id=?)", False),
        (RunFilter([Term(Field.HOST, ("a", "b"))]), "runs_host (host=?)", False),
        (RunFilter([Term(Field.HOST, ("a",), negated=True)]), "SCAN runs", False),
        (RunFilter([Term(Field.LABEL, ("a", "b"))]), "marks USING PRIMARY KEY (mark=?)", False),
        (RunFilter([Term(Field.ROOT, ("r1",))]), "runs_root (root=?)", False),
        (RunFilter([Term(Field.IS, ("unreachable",))]), "runs_state (state=?)", False),
        (RunFilter(ids=frozenset({5})), "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)", False),
    ],
)
async def test_plan(tmp_path: Path, where: RunFilter, index: str, sorts: bool) -> None:
    """Each filter is answered by its index; ids come in order wherever that index can give them so."""
    async with open_store(tmp_path):
        connection = database.open_reader(tmp_path / "store.db", 1.0)
        assert connection is not None
        query, values = select_runs(where, 10, None)
        plan = "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values))
        connection.close()
    of_ids = plan.partition("SCAN page")[0]

    assert index in of_ids
    assert sorts == ("TEMP B-TREE FOR ORDER BY" in of_ids)
