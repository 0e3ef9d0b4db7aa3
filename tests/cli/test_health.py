"""Each thing that can be wrong is found, named with its mend, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sshsched.cli.health import Condition, findings, overdue, unknown
from sshsched.domain.model import Program, Run, StopAsked
from sshsched.domain.states import State
from sshsched.kinds.jobs import Job, Scheduled
from sshsched.kinds.options import Options
from sshsched.kinds.schedules.cron import Cron
from sshsched.kinds.timetable import identities
from tests.store.samples import run

NOW = 1_800_000_000.0
UP = {"host": "nas", "state": "up", "problem": None, "since": None}
DOWN = {"host": "web", "state": "unreachable", "problem": "no route", "since": "2026-11-22T03:30:00Z"}
SERVE: dict[str, Any] = {
    "version": "1", "mode": "serve", "store": "ok", "hosts": [UP], "jobs": {"problems": [], "dropped": []},
}  # fmt: skip
WELL = Condition(NOW, "1", "/state", scheduler=SERVE, free=10**12, inodes=1000, timed=3, hosts={"nas": []})
BOOK = {"job": "a", "at": "2026-11-22T03:30:00Z", "count": 1, "message": "not run: 1 time"}
FACT = {
    "what": "free space",
    "value": "3 MiB",
    "verdict": "warning",
    "meaning": "outputs are kept there",
    "mend": "room",
}


def at(id: int, state: State, since: float, **more: Any) -> Run:
    """A run made so many seconds ago."""
    return run(id, state, created_at=NOW - since, **more)


def gone(seconds: float) -> dict[str, Any]:
    return {"unreachable_since": NOW - seconds}


def asked(seconds: float, grace: float = 60.0) -> dict[str, Any]:
    return {"stop_asked": StopAsked(NOW - seconds, "me", grace=grace)}


CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no scheduler": ({"scheduler": None}, "scheduler", "the schedules of 3 jobs wait for one"),
    "nobody follows": (
        {"scheduler": None, "timed": 0, "live": [at(1, State.RUNNING, 9)]}, "scheduler", "follows 1 run on hosts"),
    "only ad hoc": ({"scheduler": {**SERVE, "mode": "adhoc", "jobs": None}}, "scheduler", "runs no schedules"),
    "another version": ({"version": "2"}, "version", "the scheduler is sshsched 1, and this command 2"),
    "service": ({"service_ends": True}, "linger", "ends when you log out"),
    "unreadable store": ({"store_problem": "store.db: locked"}, "store", "store.db: locked"),
    "unwritable store": ({"scheduler": {**SERVE, "store": "disk is full"}}, "store", "disk is full"),
    "damaged": ({"integrity": "row 3 missing from index"}, "integrity", "row 3 missing"),
    "little room": ({"free": 99_000_000}, "disk", "99 MB are free for /state"),
    "no inodes": ({"inodes": 0}, "disk", "inodes are used up"),
    "loose": ({"loose": ["/state has mode 755: others can get at it"]}, "permissions", "mode 755"),
    "job files": ({"problems": ["jobs/a.yaml:1:1: bad"]}, "job-files", "jobs/a.yaml:1:1: bad"),
    "calendar": ({"warnings": ["job 'a': ends soon"]}, "calendar", "ends soon"),
    "overdue": ({"overdue": [("a", NOW - 300)]}, "overdue", "job 'a' was due 5 m ago"),
    "missed": ({"scheduler": {**SERVE, "jobs": {"dropped": [BOOK]}}}, "missed", "job 'a': not run: 1 time"),
    "late": ({"live": [at(1, State.WAITING, 400, message="no slot")]}, "late", "was due 6 m ago and waits: no"),
    "late by its schedule": (
        {"live": [at(1, State.SCHEDULED, 9000, schedule_time=NOW - 400, job_id="a")]}, "late", "r1 of a on alpha"),
    "orphaned": ({"live": [at(1, State.RUNNING, 9000, **gone(7200))]}, "orphaned", "out of reach for 2 h"),
    "survivors": ({"live": [at(1, State.STOPPING, 99, survivors=(7, 8))]}, "survivors", "live on: 7, 8"),
    "does not stop": ({"live": [at(1, State.STOPPING, 999, **asked(400))]}, "stopping", "asked to stop 6 m ago"),
    "unsettled": ({"live": [at(1, State.SUCCESS, 9999, finished_at=NOW - 7200)]}, "unsettled", "ended 2 h ago"),
    "unreachable": ({"scheduler": {**SERVE, "hosts": [UP, DOWN]}}, "unreachable", "web: no route (since 2026"),
    "asked in vain": ({"hosts": {"web": "web: no route"}}, "unreachable", "web: no route"),
    "bad host": ({"hosts": {"nas": [FACT]}}, "host", "nas: free space 3 MiB: outputs are kept there"),
}  # fmt: skip

WELL_ALL_THE_SAME = {
    "as it is": {},
    "no scheduler, nothing to do": {"scheduler": None, "timed": 0},
    "ad hoc, no schedules": {"scheduler": {**SERVE, "mode": "adhoc", "jobs": None}, "timed": 0},
    "unknown": {"free": None, "inodes": None, "integrity": None},
    "idle host": {"scheduler": {**SERVE, "hosts": [{**DOWN, "state": "idle"}]}},
    "just due": {"live": [at(1, State.WAITING, 200)]},
    "later": {"live": [at(1, State.SCHEDULED, 9000, schedule_time=NOW + 5)]},
    "runs for long": {"live": [at(1, State.RUNNING, 1e6)]},
    "away for a moment": {"live": [at(1, State.RUNNING, 9000, **gone(60))]},
    "long grace": {"live": [at(1, State.STOPPING, 9000, **asked(400, grace=3600))]},
    "just ended": {"live": [at(1, State.SUCCESS, 9000, finished_at=NOW - 5)]},
    "fine host": {"hosts": {"nas": [{**FACT, "verdict": "note"}]}},
}


@pytest.mark.parametrize("name", CASES)
def test_found(name: str) -> None:
    """One thing is wrong: it is found alone, with a mend."""
    changes, kind, message = CASES[name]
    (found,) = findings(replace(WELL, **changes))

    assert kind == found.kind
    assert message in found.message
    assert found.mend


@pytest.mark.parametrize("name", WELL_ALL_THE_SAME)
def test_not_found(name: str) -> None:
    """What is usual, or will pass, is nothing wrong."""
    assert [] == findings(replace(WELL, **WELL_ALL_THE_SAME[name]))


def test_all_at_once() -> None:
    """Several things do not hide each other."""
    many = replace(WELL, live=[at(id, State.WAITING, 400) for id in range(1, 6)], free=5, warnings=["a", "b"])

    assert ["disk", "calendar", "calendar", *["late"] * 5] == [found.kind for found in findings(many)]


def test_what_is_unknown() -> None:
    """It is said, with what would tell it."""
    assert [] == unknown(WELL)
    assert 3 == len(unknown(replace(WELL, scheduler=None, integrity=None, hosts={})))


DAILY = Job("a", "nas", Program("true"), schedules=(Scheduled(Cron("0 3 * * *", "UTC"), Options()),))
THREE = 1_799_982_000.0  # 03:00 UTC on the day of NOW


@pytest.mark.parametrize(
    ("until", "now", "found"),
    [
        (THREE, NOW, []),
        (THREE - 60, THREE + 60, []),
        (THREE - 60, NOW, [("a", THREE)]),
        (THREE - 3 * 86400 - 60, NOW, [("a", THREE - 3 * 86400)]),
        (None, NOW, []),
    ],
)
def test_overdue(until: float | None, now: float, found: list[tuple[str, float]]) -> None:
    """A run is missing if its time has passed and the schedule was not asked for it; new schedules have not begun."""
    cursors = {} if until is None else dict.fromkeys(identities(DAILY), until)

    assert found == [*overdue([DAILY], cursors, now)]


def test_disabled_is_never_overdue() -> None:
    """It makes no runs."""
    off = replace(DAILY, schedules=(Scheduled(DAILY.schedules[0].schedule, Options(enabled=False)),))

    assert [] == [*overdue([off], dict.fromkeys(identities(off), 0.0), NOW)]
