"""What the store costs: commits per second, time of the loop per commit, and questions among many old runs.

Usage: python -m bench.store [RUNS [FOLDER]]   (default: 100000 finished runs, in a temporary folder)
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sshsched.domain.events import Save
from sshsched.domain.model import LogEntry, Outcome, Output, Program, Reason, Run, Spool
from sshsched.domain.states import FINISHED, State
from sshsched.store.filter import RunFilter
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.store.store import Store, open_store

DAY = 86_400.0
T0 = 1_700_000_000.0


def report(name: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{name:<52} {value:>12,.2f} {unit}\n")
    sys.stdout.flush()


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


@contextmanager
def loop_time(count: int) -> Iterator[None]:
    """Processor time of this thread, which is the loop's."""
    begin, own = time.perf_counter(), time.thread_time()
    yield
    report("   commits", count / (time.perf_counter() - begin), "/s")
    report("   loop time per commit", (time.thread_time() - own) / count * 1000, "ms")


async def commits(store: Store, size: int, count: int) -> None:
    first = await store.last_id() + 1
    turns = [[waiting(first + turn * size + n) for n in range(size)] for turn in range(count)]
    report(f"{size} new runs per transaction", count, "commits")
    with loop_time(count):
        for runs in turns:
            await store.commit([Save(run, None, log(run, None)) for run in runs])
    report(f"{size} moves per transaction", count, "commits")
    moves = [[replace(run, state=State.STARTING) for run in runs] for runs in turns]
    with loop_time(count):
        for runs in moves:
            await store.commit([Save(run, State.WAITING, log(run, State.WAITING)) for run in runs])
    gone = [replace(run, state=State.ERROR, cleaned=True) for runs in turns for run in runs]
    await store.commit([Save(run, State.STARTING) for run in gone])


async def fill(store: Store, count: int) -> None:
    begin, first = time.perf_counter(), await store.last_id() + 1
    for id in range(first, first + count, 1000):
        runs = [finished(n) for n in range(id, min(id + 1000, first + count))]
        await store.commit([Save(run, None, log(run, None)) for run in runs])
    report("finished runs added", count / (time.perf_counter() - begin), "/s")


def ask(name: str, question: Callable[[], object]) -> None:
    """The median of five times, after one that warms the cache of the disk."""
    question()
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        question()
        times.append(time.perf_counter() - begin)
    report(name, statistics.median(times) * 1000, "ms")


def questions(state_dir: Path, count: int) -> None:
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
        ask("counts()", reader.counts)
        ask("run()", lambda: reader.run(count // 2))
        for name, where in filters.items():
            ask(f"runs(limit=50), {name}", lambda where=where: reader.runs(where, limit=50))  # type: ignore[misc]
        ask("runs(limit=50), a page in the middle", lambda: reader.runs(RunFilter(), limit=50, before=count // 2))

    def cold() -> None:
        with Reader(state_dir) as reader:
            reader.runs(RunFilter(), limit=50)

    ask("open, runs(limit=50), close", cold)


def output(state_dir: Path) -> None:
    files, part = OutputFiles(state_dir), b"a line of a log that is not very long, and much like others\n" * 17476
    size = 256

    def timed(name: str, work: Callable[[], object]) -> None:
        begin = time.perf_counter()
        work()
        report(name, size / (time.perf_counter() - begin), "MB/s")

    def write() -> None:
        for number in range(size):
            files.write(1, "stdout", number * len(part), part)
        files.sync(1)

    timed("output: write and sync", write)
    timed("output: finish", lambda: files.finish(1))
    timed("output: read compressed", lambda: [files.read(1, "stdout", n * len(part), len(part)) for n in range(size)])
    ask("output: 4 KiB in the middle of 256 MiB, compressed", lambda: files.read(1, "stdout", 100 << 20, 4096))


async def main(count: int, state_dir: Path) -> None:
    async with open_store(state_dir) as store:
        await fill(store, count)
        for size, turns in ((1, 500), (10, 200), (100, 50)):
            await commits(store, size, turns)
    begin = time.perf_counter()
    async with open_store(state_dir) as store:
        await store.live()
        report("open the store, live()", (time.perf_counter() - begin) * 1000, "ms")
    report("size of the database", (state_dir / "store.db").stat().st_size / 1e6, "MB")
    await asyncio.to_thread(questions, state_dir, count)
    await asyncio.to_thread(output, state_dir)


if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        asyncio.run(main(runs, Path(folder)))
