"""Many runs that wait for one other: from its end until each of them has begun, on four hosts of one stock sshd."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bench.figures import Figure, Sizes, at_quantile
from bench.place import Bench, bench
from sshsched.domain.model import Run
from sshsched.store.filter import RunFilter
from sshsched.store.reader import Reader

COUNT = 1000
HOSTS = ("h1", "h2", "h3", "h4")
WITHIN = 5.0


def figures(sizes: Sizes) -> Iterator[Figure]:
    """They are of one job, each with args of its own, and run a program that does nothing."""
    del sizes  # always the number that is promised
    with bench(HOSTS, MaxStartups="1000:30:1000") as place, place.serving() as scheduler:
        place.warm()
        release(place, 20)  # whatever is only done once
        before = scheduler.cpu()
        late = release(place, COUNT)
        spent = scheduler.cpu() - before
    name = f"{COUNT} runs released by one on {len(HOSTS)} hosts"
    yield Figure(f"{name}: all started after", max(late), "s", aim=f"< {WITHIN:g} s", met=max(late) < WITHIN)
    yield Figure(f"{name}: median", at_quantile(late, 0.5), "s")
    yield Figure(f"{name}: the scheduler's processor", spent, "s until all are done")


def release(place: Bench, count: int) -> list[float]:
    """Seconds from the end of what so many wait for until each of their programs began."""
    waits = {"conditions": [{"kind": "dependency", "options": {"job": f"load{count}"}}]}
    waiting = [
        {**place.draft("true", HOSTS[n % len(HOSTS)]), "job": "after", "args": {"n": str(n)}, "plan": waits}
        for n in range(count)
    ]
    with place.client() as client:
        names = [run["run"] for run in client.submit(waiting)]
        (first,) = client.submit([{**place.draft("true"), "job": f"load{count}"}])
        place.wait(client, [first["run"], *names])
    (ended,) = (run.finished_at or 0.0 for run in found(place, [first["run"]]))
    return [(run.started_at or math.inf) - ended for run in found(place, names)]


def found(place: Bench, names: list[str]) -> list[Run]:
    with Reader(place.state) as reader:
        return reader.runs(RunFilter(ids=frozenset(int(name[1:]) for name in names)), limit=len(names))
