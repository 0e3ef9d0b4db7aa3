"""What is counted, and how it is told."""

from __future__ import annotations

import re
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sshsched.config.addresses import listen_at
from sshsched.domain.model import Run
from sshsched.domain.states import State
from sshsched.errors import SchedulerError
from sshsched.service.meters import Histogram, Meters
from sshsched.service.metrics import NAMED_HOSTS, NAMED_JOBS, Exposition, Snapshot
from sshsched.service.server import serving
from tests.documents import blocks
from tests.service.scheduler import Scheduler
from tests.service.test_api import ask, do
from tests.store.samples import run
from tests.support import ROOT

AT = Snapshot(
    now=1000.0,
    since=100.0,
    mode="serve",
    live={"running": 2, "success": 3},
    hosts=[{"host": "nas", "state": "up"}, {"host": 'a"b\\\n', "state": "unreachable"}, {"host": "x", "state": "idle"}],
    jobs=["backup", "new"],
    waiting_events=7,
    store_problem="",
)


def told(meters: Meters, at: Snapshot = AT, **successes: float) -> dict[tuple[str, frozenset[Any]], float]:
    """Each sample, by name and labels, as a Prometheus reads them."""
    asked: list[str] = []

    def last_success(jobs: Any) -> dict[str, float]:
        asked.extend(jobs)
        return {job: successes[job] for job in jobs if job in successes}

    text = Exposition(meters, lambda: at, last_success).text(at).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def value(found: dict[tuple[str, frozenset[Any]], float], name: str, **labels: str) -> float:
    return found[f"sshsched_{name}", frozenset(labels.items())]


def moved(begun: Run, *states: State, **more: Any) -> list[Run]:
    """A run as it goes through these states."""
    runs = [begun]
    for state in states:
        runs.append(replace(runs[-1], state=state, **(more if state is states[-1] else {})))
    return runs


def test_histogram() -> None:
    """A value counts in the bucket whose bound it does not exceed, and in all above."""
    histogram = Histogram((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(seconds)

    assert [("1.0", 2), ("2.0", 3), ("+Inf", 4)] == list(histogram.buckets())
    assert 12.0 == histogram.total


def test_each_run_counts_once() -> None:
    """However often it is saved: one start, one end."""
    meters = Meters()
    waits = run(1, job_id="backup")
    due = waits.due_at
    begun = replace(waits, state=State.RUNNING, started_at=due + 3)
    ended = replace(begun, state=State.SUCCESS, finished_at=due + 13)
    for each in (waits, waits, begun, begun, ended, ended, replace(ended, cleaned=True)):
        meters.saw(each)
    found = told(meters)

    assert 1 == value(found, "runs_finished_total", state="success")
    assert (1, 3.0) == (value(found, "start_lateness_seconds_count"), value(found, "start_lateness_seconds_sum"))
    assert (0, 1) == tuple(value(found, "start_lateness_seconds_bucket", le=le) for le in ("2.5", "5.0"))
    assert 10.0 == value(found, "run_duration_seconds_sum")


def test_what_was_so_before_does_not_count() -> None:
    """A scheduler that comes up meets runs that have started, and ended, under the one before."""
    begun = run(1, State.RUNNING, started_at=50.0)
    ended = run(2, State.FAILURE, started_at=50.0, finished_at=60.0)
    meters = Meters([begun, ended])
    meters.saw(replace(ended, cleaned=True))
    meters.saw(replace(begun, state=State.ERROR, finished_at=70.0))
    found = told(meters)

    assert 0 == value(found, "runs_finished_total", state="failure")
    assert 1 == value(found, "runs_finished_total", state="error")
    assert 0 == value(found, "start_lateness_seconds_count")


def test_how_things_stand() -> None:
    """Live states, hosts with any name, jobs with their last success, from the store or from what was seen."""
    meters = Meters()
    meters.saw(run(1, State.SUCCESS, job_id="new", finished_at=990.0, cleaned=True))
    found = told(meters, backup=400.0)

    assert 2 == value(found, "runs", state="running")
    assert 0 == value(found, "runs", state="waiting")
    assert 3 == value(found, "runs_unsettled")
    assert (1, 0) == (value(found, "host_up", host="nas"), value(found, "host_up", host='a"b\\\n'))
    assert (1, 1, 1) == tuple(value(found, "hosts", state=state) for state in ("up", "unreachable", "idle"))
    assert 600.0 == value(found, "job_since_success_seconds", job="backup")
    assert 10.0 == value(found, "job_since_success_seconds", job="new")
    assert 7 == value(found, "events_waiting")
    assert 1 == value(found, "store_writable")


def test_a_job_without_success() -> None:
    """It ages from when this scheduler began."""
    assert 900.0 == value(told(Meters()), "job_since_success_seconds", job="new")


def test_labels_are_bounded() -> None:
    """Beyond a limit hosts and jobs are counted and not named."""
    hosts = [{"host": f"h{number}", "state": "up"} for number in range(NAMED_HOSTS + 5)]
    found = told(Meters(), replace(AT, hosts=hosts, jobs=[f"j{number}" for number in range(NAMED_JOBS + 7)]))

    assert (5, 7) == (value(found, "hosts_unnamed"), value(found, "jobs_unnamed"))
    assert NAMED_HOSTS == sum(name == "sshsched_host_up" for name, _ in found)
    assert NAMED_JOBS == sum(name == "sshsched_job_since_success_seconds" for name, _ in found)


def test_the_document_names_them_all() -> None:
    """docs/metrics.md lists what is told, no more and no less, and its alerts use what there is."""
    text = (ROOT / "docs" / "metrics.md").read_text()
    listed = re.findall(r"^\| `(sshsched_\w+)`", text, re.MULTILINE)
    names = {name for name, _ in told(Meters())}
    bare = {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}

    assert sorted(bare) == sorted(listed)
    assert set() == set(re.findall(r"sshsched_\w+", text)) - names - bare


def test_the_alerts_are_yaml() -> None:
    """They can be pasted as they are."""
    (block,) = [block for block in blocks(ROOT / "docs" / "metrics.md") if block.kind == "text"]
    (group,) = yaml.safe_load(block.text)["groups"]

    assert all({"alert", "expr"} <= {*rule} for rule in group["rules"])


async def test_on_the_socket(scheduler: Scheduler, tmp_path: Path) -> None:
    """A scheduler that keeps no figures says so."""
    status, answer = await do(ask, tmp_path, "GET", "/metrics")

    assert (409, "this scheduler keeps no figures") == (status, answer["error"])


async def test_at_a_port(tmp_path: Path, unused_port: int) -> None:
    """At the port there are the figures, and nothing else; a port that is taken is named."""
    small = Scheduler()
    exposition = Exposition(Meters(), lambda: AT, lambda jobs: {})
    at = listen_at(f"{unused_port}")

    def serve(folder: Path) -> Any:
        folder.mkdir()
        more = {"history": small, "exposition": exposition, "metrics": at}
        return serving(small, small.store, small.outputs, small.hub, folder, **more)

    async with serve(tmp_path / "a"):
        with await do(urllib.request.urlopen, f"http://127.0.0.1:{unused_port}/metrics") as answer:
            assert "text/plain; version=0.0.4; charset=utf-8" == answer.headers["content-type"]
            assert b"sshsched_events_waiting 7.0\n" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            await do(urllib.request.urlopen, f"http://127.0.0.1:{unused_port}/v1/status")
        with pytest.raises(
            SchedulerError, match=rf"metrics: cannot listen at 127.0.0.1:{unused_port}: Address already"
        ):
            async with serve(tmp_path / "b"):
                pass
