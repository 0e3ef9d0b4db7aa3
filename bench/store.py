"""What the store costs: commits a second, time of the loop for each, and questions among many old runs."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, Rival, Sizes, seconds
from bench.place import folder
from sshsched.domain.instructions import Save
from sshsched.domain.model import LogEntry, Outcome, Output, Reason, Run, Spool
from sshsched.domain.program import Program
from sshsched.domain.states import FINISHED, State
from sshsched.store.filter import RunFilter
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.store.store import Store, open_store

DAY = 86_400.0
T0 = 1_700_000_000.0


def waiting(id: int) -> Run:
    return Run(
        id=id,
        host=f"host{id % 50}",
        program=Program(command=f"restic backup /srv/user{id % 1000}", env={"LANG": "C"}),
        created_at=T0 + id,
        state=State.WAITING,
        job_id=f"load/{id % 20}/part{id % 300}",
        args={"date": f"day{id % 365}", "region": "us"},
        labels=("nightly", "rare") if id % 40_000 == 0 else ("nightly", "big") if id % 3 else ("nightly",),
        by="user",
    )


def log(run: Run, old: State | None) -> tuple[LogEntry]:
    return (LogEntry(run.id, run.created_at, old, run.state, Reason.CREATED, "as it was asked for"),)


def finished(id: int) -> Run:
    return replace(
        waiting(id),
        state=State.ERROR if id % 25_000 == 0 else State.FAILURE if id % 50 == 0 else State.SUCCESS,
        reason=Reason.EXITED,
        message="exit code 0",
        started_at=T0 + id,
        finished_at=T0 + id + 9.5,
        spool=Spool(f"/srv/spool/0123456789ab/host/r{id}", "0f" * 16),
        pid=id % 30_000,
        outcome=Outcome(exit_code=0, started_at=T0 + id, ended_at=T0 + id + 9.5, cpu_user=0.1, cpu_system=0.2),
        output=Output(100, 0, True),
        cleaned=True,
    )


async def fill(store: Store, count: int) -> None:
    """Add finished runs, a thousand in a transaction."""
    first = await store.last_id() + 1
    for id in range(first, first + count, 1000):
        runs = [finished(n) for n in range(id, min(id + 1000, first + count))]
        await store.commit([Save(run, None, log(run, None)) for run in runs])


def figures(sizes: Sizes) -> Iterator[Figure]:
    """The rivals are what the disk and SQLite can do at best, without a run, an index or a log."""
    with folder() as place:
        state_dir = place / "state"
        yield from asyncio.run(_commits(state_dir, sizes))
        yield from _questions(state_dir, sizes.history)
        yield from _output(state_dir, place / "plain", min(sizes.output, 256))


async def _commits(state_dir: Path, sizes: Sizes) -> list[Figure]:
    async with open_store(state_dir) as store:
        began = time.perf_counter()
        await fill(store, sizes.history)
        found = [Figure("store: finished runs added", sizes.history / (time.perf_counter() - began), "/s")]
        floor = _plain_commits(state_dir.with_name("plain.db"), 300)
        for size, turns in ((1, 300), (100, 30)):
            rate, loop = await _moves(store, size, turns)
            rival = Rival("plain sqlite3, one row each", floor)
            found.append(Figure(f"store: commits of {size} moves", rate, "/s", rival))
            found.append(Figure(f"store: commits of {size} moves, time of the loop", loop, "ms"))
    began = time.perf_counter()
    async with open_store(state_dir) as store:
        await store.live()
    found.append(Figure("store: open, and read what lives", (time.perf_counter() - began) * 1000, "ms"))
    return found


async def _moves(store: Store, size: int, count: int) -> tuple[float, float]:
    """Commits a second of so many runs each, and milliseconds of this thread, which is the loop's, for each."""
    first = await store.last_id() + 1
    turns = [[waiting(first + turn * size + n) for n in range(size)] for turn in range(count)]
    for runs in turns:
        await store.commit([Save(run, None, log(run, None)) for run in runs])
    moves = [[replace(run, state=State.STARTING) for run in runs] for runs in turns]
    began, own = time.perf_counter(), time.thread_time()
    for runs in moves:
        await store.commit([Save(run, State.WAITING, log(run, State.WAITING)) for run in runs])
    rate, loop = count / (time.perf_counter() - began), (time.thread_time() - own) / count * 1000
    gone = [replace(run, state=State.ERROR, cleaned=True) for runs in turns for run in runs]
    await store.commit([Save(run, State.STARTING) for run in gone])
    return rate, loop


def _plain_commits(path: Path, count: int) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE run (data TEXT)")
        return count / seconds(
            lambda: [plain.execute("INSERT INTO run VALUES (?)", ("x" * 500,)) for _ in range(count)]
        )


def _questions(state_dir: Path, count: int) -> Iterator[Figure]:
    middle = T0 + count // 2
    filters = {
        "no filter": RunFilter(),
        "state: three in 100,000": RunFilter(states=frozenset({State.ERROR})),
        "state: none": RunFilter(states=frozenset({State.RUNNING})),
        "state: all finished": RunFilter(states=FINISHED),
        "host": RunFilter(host="host7"),
        "host: unknown": RunFilter(host="nowhere"),
        "job": RunFilter(job="load/7/part7"),
        "jobs of a folder": RunFilter(job="load/7/*"),
        "jobs of a folder: all": RunFilter(job="load/*"),
        "label: all": RunFilter(label="nightly"),
        "label: rare": RunFilter(label="rare"),
        "argument": RunFilter(args={"date": "day7"}),
        "since: half of them": RunFilter(since=middle),
        "since: few": RunFilter(since=T0 + count - 20),
        "until: half of them": RunFilter(until=middle),
        "text: in many": RunFilter(text="user7"),
        "text: in none": RunFilter(text="nonesuch"),
        "host and rare state": RunFilter(host="host0", states=frozenset({State.ERROR})),
        "ids": RunFilter(ids=frozenset(range(1, 100))),
    }
    with Reader(state_dir) as reader:
        took = {name: _median(lambda where=where: reader.runs(where, limit=50)) for name, where in filters.items()}  # type: ignore[misc]
        took["counts"] = _median(reader.counts)
        took["a page in the middle"] = _median(lambda: reader.runs(RunFilter(), limit=50, before=count // 2))
    yield Figure(f"store: the median of {len(took)} questions", statistics.median(took.values()), "ms")
    for name in sorted(took, key=took.__getitem__)[:-4:-1]:
        yield Figure(f"store: a slow question, {name}", took[name], "ms")


def _median(question: Callable[[], object]) -> float:
    """Milliseconds, after one time that warms the cache of the disk."""
    question()
    return statistics.median(seconds(question) for _ in range(5)) * 1000


def _output(state_dir: Path, plain: Path, size: int) -> Iterator[Figure]:
    files, part = OutputFiles(state_dir), b"a line of a log that is not very long, and much like others\n" * 17476

    def write() -> None:
        for number in range(size):
            files.write(1, "stdout", number * len(part), part)
        files.sync(1)

    def rival() -> None:
        with plain.open("wb") as file:
            for _ in range(size):
                file.write(part)
            file.flush()
            os.fsync(file.fileno())

    floor = Rival("a plain file and fsync", size / seconds(rival))
    yield Figure("store: output, write and sync", size / seconds(write), "MiB/s", floor)
    yield Figure("store: output, compress", size / seconds(lambda: files.finish(1)), "MiB/s")

    def read() -> None:
        for number in range(size):
            files.read(1, "stdout", number * len(part), len(part))

    yield Figure("store: output, read compressed", size / seconds(read), "MiB/s")
    some = _median(lambda: files.read(1, "stdout", size // 2 << 20, 4096))
    yield Figure("store: output, 4 KiB in the middle, compressed", some, "ms")
