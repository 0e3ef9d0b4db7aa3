"""What time costs: ten thousand jobs that wait, reloads of them, and many runs that are due at once."""

from __future__ import annotations

import asyncio
import gc
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure, Sizes, at_quantile, seconds
from bench.place import Bench, bench, folder
from sshsched.config.watched import JobsFolder
from sshsched.domain.model import Run
from sshsched.engine.schedules import Begin, Schedules
from sshsched.store.filter import RunFilter
from sshsched.store.reader import Reader
from tests.support import wait_until

COUNT = 10_000
CROWD = 500
HOSTS = ("h1", "h2", "h3", "h4")
AHEAD = 8.0  # seconds from writing the files to the second in which all runs are due: they are loaded by then
LINES = (
    '{{cron: "{minute} {hour} * * *", tz: UTC}}',
    "{{every: 30000d, phase: 25000d}}",
    '{{type: daily, tz: UTC, daytime: "{hour:02d}:{minute:02d}", calendar: Mon-Fri}}',
    '{{cron: "{minute} {hour} 1 * *", tz: UTC}}',
)


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Jobs that wait, in files; then jobs that run, on four hosts of one stock sshd."""
    with folder() as config:
        write_many(config)
        yield from asyncio.run(reloads(JobsFolder(config)))
    with bench(HOSTS, MaxStartups="1000:30:1000") as place:
        write_many(place.config)
        with place.serving() as scheduler:
            wait_until(lambda: jobs_of(place) == COUNT, within=60)
            time.sleep(2)  # what is left of loading is no part of being idle
            share = scheduler.share(max(sizes.idle, 10.0))
            yield Figure(f"idle with {COUNT} jobs: processor", share, "%", aim="< 1 %", met=share < 1)
            yield Figure(f"idle with {COUNT} jobs: memory", scheduler.memory(), "MiB")
    with bench(HOSTS, MaxStartups="1000:30:1000") as place, place.serving():
        place.warm()
        yield from crowd(place)
        yield from steady(place, max(sizes.idle, 10.0))


def write_many(config: Path) -> None:
    """Job files as people write them, a hundred in a folder. None is due soon, in whatever hour this is run."""
    busy = datetime.now(UTC).hour
    for number in range(COUNT):
        line = LINES[number % len(LINES)].format(hour=(busy + 3 + number % 18) % 24, minute=number // 24 % 60)
        path = config / "jobs" / f"f{number // 100}" / f"j{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"host: h{number % 4 + 1}\nschedule: {line}\ncommand: echo {number}\n")


async def reloads(files: JobsFolder) -> list[Figure]:
    """How long loading takes, and for how long a reload ever holds the loop."""

    async def make(*_: object) -> None:
        await asyncio.sleep(0)

    schedules = Schedules(Begin(files, {}), make, lambda _shape: None, time.time)
    began = time.perf_counter()
    await schedules.begin()
    loaded = time.perf_counter() - began
    assert len(schedules.jobs) == COUNT, schedules.last.problems[:3]
    gc.freeze()
    one = next(iter(schedules.jobs.values()))
    path = files.config_dir / one.file
    path.write_text(path.read_text().replace("echo", "echo again"))
    holds: list[float] = []
    beat = asyncio.create_task(note_holds(holds))
    began = time.perf_counter()
    changes = await schedules.reload()
    took = time.perf_counter() - began
    beat.cancel()
    held = max(holds) * 1000
    assert (one.id,) == changes.changed
    return [
        Figure(f"{COUNT} jobs loaded, and their next runs known", loaded, "s", aim="< 5 s", met=loaded < 5),
        Figure(f"reload of {COUNT} jobs, one of them changed", took, "s"),
        Figure("the loop is held meanwhile for at most", held, "ms", aim="< 50 ms", met=held < 50),
        Figure(f"a look at the files of {COUNT} jobs", seconds(files.stamp) * 1000, "ms"),
    ]


async def note_holds(holds: list[float]) -> None:
    """Notes how much later than asked for it is woken."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        holds.append(time.perf_counter() - began - 0.001)


def crowd(place: Bench) -> Iterator[Figure]:
    """Many runs that are due in the same second."""
    due = math.ceil(time.time() + AHEAD)
    at = datetime.fromtimestamp(due, UTC).isoformat()
    with jobs(place, {f"c{n}": f"host: {HOSTS[n % 4]}\nschedule: {{type: once, at: '{at}'}}" for n in range(CROWD)}):
        wait_until(lambda: started(place, "c") == CROWD, within=60)
        late = lateness(place, "c")
    name = f"{CROWD} runs due in one second on {len(HOSTS)} hosts"
    yield Figure(f"{name}: all started after", max(late), "s", aim="< 3 s", met=max(late) < 3)
    yield Figure(f"{name}: median", at_quantile(late, 0.5), "s")


def steady(place: Bench, during: float) -> Iterator[Figure]:
    """A run a second on each host: how late each program begins."""
    wanted = int(during * len(HOSTS))
    with jobs(place, {f"s{host}": f"host: {host}\nschedule: every 1s" for host in HOSTS}):
        wait_until(lambda: started(place, "s") >= wanted, within=during + 30)
    late = [each * 1000 for each in lateness(place, "s")]
    yield Figure(f"a run a second on {len(HOSTS)} hosts: late by", at_quantile(late, 0.5), "ms (median)")
    yield Figure(f"a run a second on {len(HOSTS)} hosts: late by", at_quantile(late, 0.99), "ms (p99)")


@contextmanager
def jobs(place: Bench, texts: dict[str, str]) -> Iterator[None]:
    """These jobs, while entered."""
    top = place.config / "jobs"
    top.mkdir(exist_ok=True)
    for name, text in texts.items():
        (top / f"{name}.yaml").write_text(f"{text}\ncommand: 'true'\n")
    with place.client() as client:
        assert not client.reload()["problems"]
        yield
        for name in texts:
            (top / f"{name}.yaml").unlink()
        client.reload()
    wait_until(lambda: not place.client().status()["live"], within=60)


def runs(place: Bench, prefix: str) -> list[Run]:
    with Reader(place.state) as reader:
        found = reader.runs(RunFilter(), limit=100_000)
    return [run for run in found if (run.job_id or "").startswith(prefix)]


def started(place: Bench, prefix: str) -> int:
    return sum(run.started_at is not None for run in runs(place, prefix))


def lateness(place: Bench, prefix: str) -> list[float]:
    """Seconds from the scheduled time to the program's own begin."""
    return [(run.started_at or math.inf) - (run.schedule_time or 0.0) for run in runs(place, prefix)]


def jobs_of(place: Bench) -> int:
    with place.client() as client:
        return int((client.status()["jobs"] or {}).get("count", 0))
