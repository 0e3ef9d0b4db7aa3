"""Opening the database: what is made, and what is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from sshsched.domain.instructions import Save
from sshsched.domain.states import State
from sshsched.errors import StoreBusyError, StoreDamagedError, StoreError, StoreNewerError
from sshsched.store import database, schema
from sshsched.store.filter import RunFilter
from sshsched.store.queries import LIVE_RUNS
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.store.samples import entry, new, run


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


async def fill(state_dir: Path, count: int = 300) -> Path:
    """A closed database with some runs."""
    async with open_store(state_dir) as store:
        await store.commit(new(*[run(id, message="x" * 100) for id in range(1, count + 1)]))
    return database.database(state_dir)


async def test_private(tmp_path: Path) -> None:
    """Folder and files belong to the user alone, whatever the umask."""
    before = os.umask(0)
    try:
        async with open_store(tmp_path / "deep" / "state") as store:
            await store.commit(new(run(1)))
            modes = {path.name: mode(path) for path in (tmp_path / "deep" / "state").iterdir()}
    finally:
        os.umask(before)

    assert {"store.db": "0o600", "store.db-wal": "0o600", "store.db-shm": "0o600"} == modes
    assert "0o700" == mode(tmp_path / "deep" / "state")


async def test_made_private(tmp_path: Path) -> None:
    """A database that others could read is closed to them; a folder that was there keeps its mode."""
    path = await fill(tmp_path, 1)
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    await fill(tmp_path, 0)

    assert "0o600" == mode(path)
    assert "0o755" == mode(tmp_path)


async def test_settings(tmp_path: Path) -> None:
    """The writer keeps a write-ahead log, waits for the disk and minds foreign keys."""
    await fill(tmp_path)
    connection = database.open_writer(database.database(tmp_path), 1.5)

    assert ("wal",) == connection.execute("PRAGMA journal_mode").fetchone()
    assert (2,) == connection.execute("PRAGMA synchronous").fetchone()
    assert (1,) == connection.execute("PRAGMA foreign_keys").fetchone()
    assert (1500,) == connection.execute("PRAGMA busy_timeout").fetchone()
    assert (schema.VERSION,) == connection.execute("PRAGMA user_version").fetchone()
    connection.close()


async def test_opened_again(tmp_path: Path) -> None:
    """A store keeps its name, its runs and its highest id, also of a run that is gone."""
    async with open_store(tmp_path) as store:
        name = store.instance
        await store.commit(new(run(1), run(9)))
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("DELETE FROM runs WHERE id = 9")
    connection.close()

    async with open_store(tmp_path) as store:
        assert name == store.instance
        assert [run(1)] == await store.live()
        assert 9 == await store.last_id()


async def test_two_stores(tmp_path: Path) -> None:
    """Two stores have two names."""
    async with open_store(tmp_path / "a") as one, open_store(tmp_path / "b") as other:
        assert one.instance != other.instance


async def test_newer(tmp_path: Path) -> None:
    """A database of a newer sshsched is refused by writer and reader, with both versions and the remedy."""
    path = await fill(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    said = rf"store.db: written by a newer sshsched \(version 99; this one knows {schema.VERSION}\); upgrade"

    with pytest.raises(StoreNewerError, match=said):
        await fill(tmp_path)
    with pytest.raises(StoreNewerError, match=said):
        Reader(tmp_path).counts()


async def test_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of an older database says who upgrades it; the writer upgrades it, and keeps what is there."""
    await fill(tmp_path, 3)
    monkeypatch.setattr(database, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(database, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE extra (x)",)))

    with pytest.raises(
        StoreError,
        match=rf"older sshsched \(version {schema.VERSION}, not {schema.VERSION + 1}\); `sshsched serve` upgrades",
    ):
        Reader(tmp_path).counts()
    async with open_store(tmp_path) as store:
        assert 3 == len(await store.live())
    with Reader(tmp_path) as reader:
        assert 3 == len(reader.runs(RunFilter(), limit=9))


async def test_migration_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails half way leaves the version before it, and nothing of itself."""
    path = await fill(tmp_path, 3)
    monkeypatch.setattr(database, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(database, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE extra (x)", "CREATE NONSENSE")))
    with pytest.raises(StoreError, match="please report"):
        await fill(tmp_path)

    with sqlite3.connect(path) as connection:
        assert (schema.VERSION,) == connection.execute("PRAGMA user_version").fetchone()
        assert [] == connection.execute("SELECT * FROM sqlite_master WHERE name = 'extra'").fetchall()
    connection.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"this is a shopping list\n" * 1000)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def hole(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 8 * 4096)


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE moz_places (url)")
    connection.close()


@pytest.mark.parametrize("harm", [garbage, half, hole, foreign])
async def test_damaged(tmp_path: Path, harm: object) -> None:
    """A broken or foreign file is named, with the remedy, and left as it is."""
    assert callable(harm)
    path = await fill(tmp_path)
    harm(path)
    before = path.read_bytes()

    with pytest.raises(
        StoreDamagedError, match=r"store.db: damaged, or no database of sshsched \(.*\); restore a backup"
    ):
        await fill(tmp_path)
    assert before == path.read_bytes()


@pytest.mark.parametrize("harm", [garbage, half, foreign])
async def test_damaged_for_readers(tmp_path: Path, harm: object) -> None:
    """Readers say the same."""
    assert callable(harm)
    harm(await fill(tmp_path))

    with (
        pytest.raises(StoreDamagedError, match=r"store.db: damaged, or no database of sshsched"),
        Reader(tmp_path) as reader,
    ):
        reader.runs(RunFilter(), limit=1000)


async def test_damaged_later(tmp_path: Path) -> None:
    """Damage that a quick look does not show is named when it is met."""
    path = await fill(tmp_path)
    reader = Reader(tmp_path)
    assert reader.run(1) is not None
    hole(path)
    reader.close()

    with pytest.raises(StoreDamagedError, match=r"restore a backup"):
        Reader(tmp_path).runs(RunFilter(), limit=1000)


async def test_no_folder(tmp_path: Path) -> None:
    """A place where no folder can be is named."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreBusyError, match=r"file/state/store.db: .*; check the folder"):
        await fill(tmp_path / "file" / "state")


async def test_folder_in_its_place(tmp_path: Path) -> None:
    """A folder in the database's place is named."""
    (tmp_path / "store.db").mkdir()

    with pytest.raises(StoreBusyError, match=r"store.db: Is a directory; check"):
        await fill(tmp_path)


async def test_live_is_indexed(tmp_path: Path) -> None:
    """Settled runs cost live() nothing: it walks an index that does not hold them."""
    async with open_store(tmp_path) as store:
        for first in range(1, 3001, 1000):
            await store.commit(new(*[run(id, State.SUCCESS, cleaned=True) for id in range(first, first + 1000)]))
        await store.commit(new(run(30_000)))

    async with open_store(tmp_path) as store:
        live = await store.live()
    connection = sqlite3.connect(tmp_path / "store.db")
    plan = connection.execute(f"EXPLAIN QUERY PLAN {LIVE_RUNS}").fetchall()
    connection.close()

    assert [run(30_000)] == live
    assert "SCAN runs USING INDEX runs_open" in str(plan)


async def test_log_needs_its_run(tmp_path: Path) -> None:
    """A row of the log without its run is a mistake of ours, and refused."""
    async with open_store(tmp_path) as store:
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            await store.commit([Save(run(1), None, (entry(5, None, State.WAITING),))])

        assert [] == await store.live()
