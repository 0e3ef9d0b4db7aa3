"""What `/metrics` answers: Prometheus text, version 0.0.4.

Rule: prometheus_client writes the format, and is imported when somebody first asks. Labels are bounded: hosts and jobs
beyond a limit are counted and not named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sshsched import __version__
from sshsched.domain.shape import Shape
from sshsched.domain.states import FINISHED, LIVE, State
from sshsched.service.meters import Histogram, Meters

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

Values = Mapping[Any, float]
"""By the values of the labels, as a tuple."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
NAMED_HOSTS: Final = 200
NAMED_JOBS: Final = 500


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
        self.snapshot = snapshot
        """To be called on the loop."""
        self._last_success = last_success
        self._asked: set[str] = set()

    def text(self, at: Snapshot) -> bytes:
        """In the thread of the past, which is asked about each job once."""
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


def _gauge(name: str, text: str, values: Values, labels: Sequence[str] = ()) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    found = GaugeMetricFamily(f"sshsched_{name}", text, labels=list(labels))
    for each, value in values.items():
        found.add_metric(list(each), value)
    return found


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    buckets: list[Any] = list(histogram.buckets())
    return HistogramMetricFamily(f"sshsched_{name}", text, buckets=buckets, sum_value=histogram.total)
