"""What happens in this process, counted for whoever operates it, and told as Prometheus text.

Rule: counting costs a microsecond and imports nothing; the text is put together, by prometheus_client, when somebody
asks. Labels are bounded: hosts and jobs beyond a limit are counted and not named.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sshsched import __version__
from sshsched.domain.events import Saving
from sshsched.domain.model import Run
from sshsched.domain.shape import Shape
from sshsched.domain.states import FINISHED, LIVE, State
from sshsched.engine.core import Saver

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
NAMED_HOSTS: Final = 200
NAMED_JOBS: Final = 500
LAG_EVERY: Final = 1.0

LATENESS: Final = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
DURATION: Final = (0.1, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
COMMIT: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
LAG: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


@dataclass(slots=True)
class Histogram:
    """Seconds, counted by the upper bounds of their buckets."""

    bounds: Sequence[float]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Each bound with how many were at most that, as the format wants it."""
        seen = 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            yield ("+Inf" if bound == float("inf") else repr(float(bound))), seen


class Meters:
    """What has been counted since this process began; told of every saved run, live ones at the begin included."""

    def __init__(self, live: Iterable[Run] = ()) -> None:
        self.finished: Counter[State] = Counter()
        self.lateness = Histogram(LATENESS)
        self.duration = Histogram(DURATION)
        self.commits = Histogram(COMMIT)
        self.lag = Histogram(LAG)
        self.successes: dict[str, float] = {}
        """When each job last succeeded, of those that have since this process began."""
        self._known: dict[int, tuple[bool, bool]] = {run.id: _place(run) for run in live}

    def saw(self, run: Run) -> None:
        """A run as it has just been saved."""
        started, finished = _place(run)
        had_started, had_finished = self._known.get(run.id, (False, False))
        if started and not had_started and run.started_at is not None:
            self.lateness.observe(max(0.0, run.started_at - run.due_at))
        if finished and not had_finished:
            self._ended(run)
        if run.settled:
            self._known.pop(run.id, None)
        else:
            self._known[run.id] = (started, finished)

    async def watch_the_loop(self) -> None:
        """How late the loop is to wake us, over and over."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(LAG_EVERY)
            self.lag.observe(max(0.0, time.monotonic() - began - LAG_EVERY))

    def _ended(self, run: Run) -> None:
        self.finished[run.state] += 1
        if run.started_at is not None and run.finished_at is not None:
            self.duration.observe(max(0.0, run.finished_at - run.started_at))
        if run.state is State.SUCCESS and run.job_id is not None and run.finished_at is not None:
            self.successes[run.job_id] = run.finished_at


def _place(run: Run) -> tuple[bool, bool]:
    return run.started_at is not None, run.finished


class TimedStore:
    """The store, with its commits timed."""

    def __init__(self, store: Saver, meters: Meters) -> None:
        self._store = store
        self._meters = meters

    async def commit(self, saves: Sequence[Saving]) -> None:
        """See Store.commit()."""
        began = time.perf_counter()
        await self._store.commit(saves)
        self._meters.commits.observe(time.perf_counter() - began)


@dataclass(frozen=True)
class Snapshot:
    """How things stand when somebody asks. Times are seconds since 1970.

    `jobs` are the ids of jobs with schedules, `since` is when this process began.
    """

    now: float
    since: float
    mode: str
    live: Mapping[str, int]
    hosts: Sequence[Shape]
    jobs: Collection[str]
    waiting_events: int
    store_problem: str


class Exposition:
    """`text()` is what `/metrics` answers."""

    def __init__(
        self,
        meters: Meters,
        snapshot: Callable[[], Snapshot],
        last_success: Callable[[Sequence[str]], Mapping[str, float]],
    ) -> None:
        self._meters = meters
        self._snapshot = snapshot
        self._last_success = last_success
        self._asked: set[str] = set()

    def prepare(self) -> Snapshot:
        """On the loop."""
        return self._snapshot()

    def text(self, at: Snapshot) -> bytes:
        """In the thread of the past, which is asked once about each job."""
        from prometheus_client import generate_latest

        new = [job for job in sorted(at.jobs)[:NAMED_JOBS] if job not in self._asked]
        for job, when in self._last_success(new).items():
            self._meters.successes.setdefault(job, when)
        self._asked.update(new)
        self._at = at
        return generate_latest(self._registry)

    @cached_property
    def _registry(self) -> CollectorRegistry:
        from prometheus_client import CollectorRegistry

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def describe(self) -> list[Metric]:
        """Nothing beforehand: prometheus_client would collect to find out."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client asks for."""
        yield from _state(self._at)
        yield from _counted(self._meters)
        yield from _hosts(self._at.hosts)
        yield from _jobs(self._at, self._meters.successes)


def _state(at: Snapshot) -> Iterator[Metric]:
    yield _gauge("build_info", "1; the labels tell the version and the mode", {(__version__, at.mode): 1},
                 ("version", "mode"))  # fmt: skip
    yield _gauge("start_time_seconds", "When this scheduler began, in seconds since 1970", {(): at.since})
    live = {(str(state),): at.live.get(str(state), 0) for state in State if state in LIVE}
    unsettled = sum(at.live.get(str(state), 0) for state in FINISHED)
    yield _gauge("runs", "Runs that have not ended, by state", live, ("state",))
    yield _gauge("runs_unsettled", "Runs that have ended and whose output or spool is still on the host",
                 {(): unsettled})  # fmt: skip
    yield _gauge("events_waiting", "Events that the scheduler has not yet decided", {(): at.waiting_events})
    yield _gauge("store_writable", "0 while the database cannot be written, and nothing is started",
                 {(): int(not at.store_problem)})  # fmt: skip


def _counted(meters: Meters) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    ended = CounterMetricFamily("sshsched_runs_finished", "Runs that have ended, by how", labels=["state"])
    for state in State:
        if state in FINISHED:
            ended.add_metric([str(state)], meters.finished[state])
    yield ended
    yield _histogram("start_lateness_seconds", "From when a run was due to its start", meters.lateness)
    yield _histogram("run_duration_seconds", "From the start of a program to its end", meters.duration)
    yield _histogram("store_commit_seconds", "How long the database took to save a turn", meters.commits)
    yield _histogram("loop_lag_seconds", "How late the scheduler's loop wakes", meters.lag)


def _hosts(hosts: Sequence[Shape]) -> Iterator[Metric]:
    states = Counter(host["state"] for host in hosts)
    known = ("up", "connecting", "unreachable", "idle")
    yield _gauge("hosts", "Hosts by the state of the link to them", {(name,): states[name] for name in known},
                 ("state",))  # fmt: skip
    wanted = [host for host in hosts if host["state"] != "idle"]
    up = {(str(host["host"]),): int(host["state"] == "up") for host in wanted[:NAMED_HOSTS]}
    yield _gauge("host_up", "1 if the link to a host that is needed is up", up, ("host",))
    yield _gauge("hosts_unnamed", "Hosts left out of sshsched_host_up, of which there is a limit",
                 {(): len(wanted) - len(up)})  # fmt: skip


def _jobs(at: Snapshot, successes: Mapping[str, float]) -> Iterator[Metric]:
    named = sorted(at.jobs)[:NAMED_JOBS]
    ages = {(job,): max(0.0, at.now - successes.get(job, at.since)) for job in named}
    yield _gauge(
        "job_since_success_seconds",
        "Since the last success of a job with a schedule; of one that never succeeded, since this scheduler began",
        ages,
        ("job",),
    )
    yield _gauge("jobs_unnamed", "Jobs left out of sshsched_job_since_success_seconds, of which there is a limit",
                 {(): len(at.jobs) - len(named)})  # fmt: skip


def _gauge(name: str, text: str, values: Mapping[tuple[str, ...], float], labels: Sequence[str] = ()) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    found = GaugeMetricFamily(f"sshsched_{name}", text, labels=list(labels))
    for each, value in values.items():
        found.add_metric(list(each), value)
    return found


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    buckets: list[Any] = list(histogram.buckets())
    return HistogramMetricFamily(f"sshsched_{name}", text, buckets=buckets, sum_value=histogram.total)
