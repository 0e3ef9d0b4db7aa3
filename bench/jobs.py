"""What ten thousand job files cost: loading them, checking them, and finding the one that has changed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from bench.figures import Figure, Rival, Sizes
from sshsched.config.jobs import load_jobs

COUNT = 10_000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def figures(sizes: Sizes) -> Iterator[Figure]:
    del sizes  # always the number that is promised
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        loaded = seconds(lambda: load_jobs(folder))
        rival = Rival("yaml.load alone", seconds(lambda: plain(folder)))
        yield Figure(f"load {COUNT} job files", loaded, "s", rival)
        checked = seconds(lambda: check(folder))
        yield Figure(f"`check` of {COUNT} job files, processor time", checked, "s", aim="< 5 s", met=checked < 5)
        began = time.perf_counter()
        check(folder)
        yield Figure(f"`check` of {COUNT} job files, as one waits for it", time.perf_counter() - began, "s")


def write(folder: Path) -> None:
    """As people write them: mostly a host, a line and a schedule, some with more."""
    for number in range(COUNT):
        path = folder / "jobs" / f"group{number // 100}" / f"job{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(job(number))


def job(number: int) -> str:
    text = f"host: host{number % 50}\ncommand: backup --part {number}\ntimeout: 2h\n"
    if number % 10 == 0:
        text = text.replace("part", "day {{ date | q }} --part") + "params: [date]\n"
    if number % 7 == 0:
        text += "schedule: {type: daily, daytime: 09:30, calendar: Mon-Fri, tz: Europe/Berlin, jitter: 5m}\n"
    else:
        text += f"schedule: {number % 60} {number % 24} * * *\n"
    if number % 4 == 3:
        text += f"depends_on: group{(number - 1) // 100}/job{number - 1}\nretry: {{count: 3, delay: 10s}}\n"
    return text + "metadata: {description: One of many, labels: [nightly, backup]}\n"


def plain(folder: Path) -> None:
    """What anybody pays who reads these files."""
    for path in (folder / "jobs").rglob("*.yaml"):
        yaml.load(path.read_bytes(), Loader=LOADER)


def check(folder: Path) -> None:
    command = [sys.executable, "-m", "sshsched", "--config-dir", str(folder), "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"{COUNT} jobs, {COUNT} schedules, 0 problems" in done.stderr, done.stderr


def seconds(work: Callable[[], object]) -> float:
    """Processor time, with that of processes that it has waited for: other work on the machine leaves it alone."""
    before = os.times()
    work()
    return sum(after - was for after, was in zip(os.times()[:4], before[:4], strict=True))
