"""What job files decide about their runs: conditions, actions, retries, locks, places; and what is said of mistakes."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Any

import pytest

from sshsched.config.jobs import load_jobs
from sshsched.domain.plan import Deed, Fan, Plan, Retry, Rule
from sshsched.kinds.calendars import calendar
from sshsched.kinds.jobs import Expect
from tests.config.reading import job_of, problems_of, write

GOOD = "host: a\ncommand: b\n"
ME = {"email": "me@example.com"}
FAILED = ("failure", "error", "held")

# What a job may decide -----------------------------------------------------------------------------------------------

PLANS: dict[str, dict[str, Any]] = {
    "": {},
    "condition: {type: dependency, job: load}": {"conditions": (Rule("dependency", {"job": "load"}),)},
    "condition: [{type: max_running, count: 2, max_wait: 1h, then: skip}, {type: manual}]": {
        "conditions": (Rule("max_running", {"count": "2"}, 3600.0, "skip"), Rule("manual"))
    },
    "condition: {type: file, path: /x, older_than: 10m, enabled: false}": {
        "conditions": (Rule("file", {"path": "/x", "older_than": "10m", "enabled": "false"}),)
    },
    "condition: {type: const, enabled: true}": {"conditions": (Rule("const"),)},
    "condition: {any: [{type: host_up}, {type: const}], max_wait: 5s}": {
        "conditions": (Rule("any", {"of": [{"type": "host_up"}, {"type": "const"}]}, 5.0),)
    },
    "depends_on: load": {"conditions": (Rule("dependency", {"job": "load"}),)},
    "after: [load, {job: clean, within: 1d, max_wait: 2h}]": {
        "conditions": (
            Rule("dependency", {"job": "load"}),
            Rule("dependency", {"job": "clean", "within": "1d"}, 7200.0),
        )
    },
    "max_running: 2\nskip_duplicate: true\ndepends_on: a": {
        "conditions": (Rule("dependency", {"job": "a"}), Rule("max_running", {"count": 2}), Rule("skip_duplicate"))
    },
    "skip_duplicate: false": {},
    "max_wait: 2h\nthen: skip": {"max_wait": 7200.0, "then": "skip"},
    "action: {type: schedule, job: c, args: {x: 1}, if: success}": {
        "actions": (Deed("schedule", {"job": "c", "args": {"x": "1"}}, ("success",)),)
    },
    "action: [{type: exec, command: c, if: {states: [error, late]}}, {type: notify, email: me@example.com}]": {
        "actions": (Deed("exec", {"command": "c"}, ("error", "late")), Deed("notify", ME, FAILED))
    },
    "notify: me@example.com": {"actions": (Deed("notify", ME, FAILED),)},
    "notify: {on: failure, email: me@example.com}": {"actions": (Deed("notify", ME, ("failure",)),)},
    "notify: [https://x.example/hook, ntfy://topic]": {
        "actions": (
            Deed("notify", {"webhook": "https://x.example/hook"}, FAILED),
            Deed("notify", {"apprise": "ntfy://topic"}, FAILED),
        )
    },
    "successors: [c, {job: d, args: {x: y}}]": {
        "actions": (
            Deed("schedule", {"job": "c"}, ("success",)),
            Deed("schedule", {"job": "d", "args": {"x": "y"}}, ("success",)),
        )
    },
    "retry: 3": {"retry": Retry(3)},
    "retry: {count: 3, delay: 10s, backoff: 1.5, max_delay: 5m, jitter: 0.2, on: [error, timeout, 75]}": {
        "retry": Retry(3, 10.0, 1.5, 300.0, 0.2, ("error", "timeout", "75"))
    },
    "idempotent: true\npriority: -5": {"idempotent": True, "priority": -5},
    "locks: db": {"locks": {"db": 1}},
    "locks: [db, tape]": {"locks": {"db": 1, "tape": 1}},
    "locks: {db: 2}": {"locks": {"db": 2}},
    "concurrency: db": {"locks": {"db": 1}},
    "concurrency: {group: db}": {"locks": {"db": 1}},
    "warn: {late: 10m, long: 2h}": {"late_after": 600.0, "long_after": 7200.0},
    "secrets: {DB_PASSWORD: db/main}": {"secrets": {"DB_PASSWORD": "db/main"}},
    "secrets: [TOKEN]": {"secrets": {"TOKEN": "TOKEN"}},
}


@pytest.mark.parametrize("text", PLANS)
def test_plans(tmp_path: Path, text: str) -> None:
    """Short keys mean what the long ones say, and options stay as they were written."""
    assert Plan(**PLANS[text]) == job_of(tmp_path, GOOD + text).plan


PLACES = {
    "'@web'": ("@web", "", Fan()),
    "{group: web}": ("@web", "", Fan()),
    "{group: web, strategy: sticky}": ("@web", "sticky", Fan()),
    "{group: web, canary: 1}": ("@web", "", Fan(canary=1)),
    "{group: web, strategy: all, max_fail: 2, canary: 1}": ("@web", "all", Fan(2, 1)),
    "{tags: gpu}": ("tags:gpu", "", Fan()),
    "{tags: [linux, gpu], strategy: least_busy}": ("tags:linux,gpu", "least_busy", Fan()),
}


@pytest.mark.parametrize("text", PLACES)
def test_places(tmp_path: Path, text: str) -> None:
    """A job may ask for a host, for one of a group, or for one with certain tags."""
    job = job_of(tmp_path, f"host: {text}\ncommand: b")

    assert PLACES[text] == (job.host, job.plan.strategy, job.plan.fan)


def test_a_group_may_be_a_template(tmp_path: Path) -> None:
    """Which group it is, is known when it has been filled in."""
    job = job_of(tmp_path, 'host: {group: "{{ g }}"}\ncommand: b\nparams: [g]')

    assert "@{{ g }}" == job.host


def test_the_waiting_time_of_job_and_folder(tmp_path: Path) -> None:
    """What config.yaml says of waiting holds for each job that does not say otherwise."""
    (tmp_path / "config.yaml").write_text("max_wait: 2h\nthen: skip\n")
    write(tmp_path, own=GOOD + "max_wait: 5m", end=GOOD + "then: error", usual=GOOD)
    plans = {name: job.plan for name, job in load_jobs(tmp_path).jobs.items()}

    assert {"own": (300.0, "error"), "end": (7200.0, "error"), "usual": (7200.0, "skip")} == {
        name: (plan.max_wait, plan.then) for name, plan in plans.items()
    }


def test_a_window_without_a_zone_is_in_that_of_the_folder(tmp_path: Path) -> None:
    """As with schedules; also where it is a part of a group."""
    (tmp_path / "config.yaml").write_text("tz: Asia/Tokyo\n")
    window = "{type: time_window, from: '22:00', until: '06:00'}"
    job = job_of(tmp_path, f"{GOOD}condition: [{window}, {{all: [{window}]}}]")
    own, group = (dict(rule.options) for rule in job.plan.conditions)

    assert ("Asia/Tokyo", "Asia/Tokyo") == (own["tz"], group["of"][0]["tz"])


def test_what_is_expected(tmp_path: Path) -> None:
    """By when a run must have succeeded, on which dates, where, and who is told otherwise."""
    (tmp_path / "config.yaml").write_text("tz: Asia/Tokyo\n")
    text = (
        'expect:\n  - {success_by: "08:00"}\n'
        '  - {success_by: "18:30", tz: Europe/Berlin, calendar: Mon-Fri, notify: me@example.com}'
    )

    assert (
        Expect(time(8), "Asia/Tokyo", calendar("all")),
        Expect(time(18, 30), "Europe/Berlin", calendar("Mon-Fri"), (Deed("notify", ME, ("absent",)),)),
    ) == job_of(tmp_path, GOOD + text).expects


def test_minutes_of_github(tmp_path: Path) -> None:
    """`timeout-minutes` is a timeout."""
    assert 90.0 == job_of(tmp_path, GOOD + "timeout-minutes: 1.5").program.timeout


def test_a_word_of_the_job_replaces_the_same_of_its_folder(tmp_path: Path) -> None:
    """Keys that mean the same are one key to `_defaults.yaml`."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "_defaults.yaml").write_text("host: a\ntimeout: 5m\nlocks: db\nretry: 2\n")
    job = job_of(tmp_path, "command: b\ntimeout-minutes: 1\nconcurrency: tape")

    assert (60.0, {"tape": 1}, 2) == (job.program.timeout, job.plan.locks, job.plan.retry.count)


def test_lines_are_known(tmp_path: Path) -> None:
    """What may be wrong only beside other files has its line."""
    text = "host: '@web'\ncommand: b\ncondition:\n  - {type: manual}\n  - {type: const}\nnotify: me@example.com\n"

    assert {"host": 1, "condition[0]": 4, "condition[1]": 5, "action[0]": 6} == job_of(tmp_path, text).places


# Kinds of others ------------------------------------------------------------------------------------------------------

TIDE = """
from typing import Annotated
from msgspec import Meta
from sshsched.domain.view import Ready
from sshsched.kinds.conditions.base import Condition

class Tide(Condition, frozen=True, kw_only=True):
    port: Annotated[str, Meta(description="whose tide counts")]

    def ask(self, run, view, at):
        return Ready()
"""


def test_a_kind_in_the_config_folder(tmp_path: Path) -> None:
    """A condition of the user's own is named by its module and class."""
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "tides_of_ours.py").write_text(TIDE)
    good = "condition: {type: tides_of_ours.Tide, port: Dover}"
    bad = "condition: {type: tides_of_ours.Tide, prt: Dover}"

    assert (Rule("tides_of_ours.Tide", {"port": "Dover"}),) == job_of(tmp_path, GOOD + good).plan.conditions
    assert [
        "3:12: condition: the key 'port' is missing: whose tide counts",
        "3:39: condition.prt: unknown key; did you mean 'port'?",
    ] == problems_of(tmp_path, GOOD + bad)


# What is wrong with it ---------------------------------------------------------------------------------------------

NO_OPTIONS = "stands where `type: ...` and its options should be"
JOB_OPTION = "the job whose run is waited for"
WRONG = {
    "condition: x": [f"3:12: condition: a text {NO_OPTIONS}"],
    "condition: []": ["3:12: condition: is an empty list; take the key out, or write at least one item"],
    "condition: {type: dependncy, job: x}": [
        "3:19: condition.type: unknown 'dependncy'; did you mean 'dependency'?",
    ],
    "condition: [{type: dependency, jb: x}, {type: max_running, count: many, max_wait: soon}, 5]": [
        f"3:13: condition[0]: the key 'job' is missing: {JOB_OPTION}",
        "3:32: condition[0].jb: unknown key; did you mean 'job'?",
        "3:67: condition[1].count: 'many': expected a whole number, got a text",
        "3:83: condition[1].max_wait: 'soon' is no duration; write 90s, 15m, 2h or 1d",
        f"3:90: condition[2]: a text {NO_OPTIONS}",
    ],
    "condition: {type: max_running, count: 0}": ["3:39: condition.count: '0': expected a whole number >= 1"],
    "condition: {type: file, path: a, older_than: x}": [
        "3:46: condition.older_than: 'x' is no duration; write 90s, 15m, 2h or 1d"
    ],
    "condition: {type: manual, enabled: maybe}": [
        "3:36: condition.enabled: 'maybe' is neither true nor false, and no template"
    ],
    "condition: {type: manual, message: '{{ date }}'}": [
        "3:36: condition.message: 'date' is not defined; the job has no params"
    ],
    "condition: {any: [{type: host_up}, {type: nope}]}": [
        "3:36: condition.any[1]: unknown 'nope'; known: all, any, command, const, dependency, file, host_up, manual, "
        "max_running, n_of, skip_duplicate, time_window"
    ],
    "conditions: x": ["3:1: conditions: unknown key; here it is called 'condition'"],
    "depends_on: {type: dependency, job: x}": ["3:14: depends_on.type: is known here to be dependency; take it out"],
    "needs: x": ["3:1: needs: unknown key; here it is called 'depends_on'"],
    "action: {type: schedule, job: x}": [
        "3:9: action: does not say when: write `if: success`, or another state or occasion"
    ],
    "action: {type: schedule, job_id: x, if: sucess}": [
        "3:9: action: the key 'job' is missing: the job of which a run is made",
        "3:26: action.job_id: unknown key; here it is called 'job'",
        "3:41: action.if: 'sucess' is no occasion; did you mean 'success'?",
    ],
    "action: {type: exec, command: x, if: error, on: late}": [
        "3:45: action.on: means the same as 'if', which stands here too; keep one"
    ],
    "action: {type: exec, command: '{{ stat }}', if: error}": [
        "3:31: action.command: 'stat' is not defined; did you mean 'state'?"
    ],
    "notify: nobody": [
        "3:9: notify: 'nobody' is no address; write me@example.com, https://..., or one of apprise: ntfy://..."
    ],
    "notify: {on: failure}": ["3:9: notify: notify tells nobody; give it email, webhook or apprise"],
    "retry: many": ["3:8: retry: 'many' is no whole number from 0 to 1000"],
    "retry: {times: 3}": [
        "3:8: retry: the key 'count' is missing: how often it is tried again",
        "3:9: retry.times: unknown key; here it is called 'count'",
    ],
    "retry: {count: 3, on: [256, tmeout], jitter: 2}": [
        "3:24: retry.on[0]: '256' is no outcome to try again after; known: an exit code, error, failure, signal, "
        "timeout",
        "3:29: retry.on[1]: 'tmeout' is no outcome to try again after; did you mean 'timeout'?",
        "3:46: retry.jitter: '2' is no number from 0 to 1",
    ],
    "locks: {db: 0, 'a b': 1}": [
        "3:13: locks.db: '0' is no whole number from 1 to 100000",
        "3:16: locks.a b: 'a b' is no name of a lock; use no spaces, commas or braces",
    ],
    "locks: db\nconcurrency: db": ["4:1: concurrency: means a lock, and 'locks' stands here too; keep one"],
    "concurrency: {group: x, cancel-in-progress: true}": [
        "3:25: concurrency.cancel-in-progress: unknown key; runs wait for each other here; take it out"
    ],
    "secrets: {1A: x, B: c d}": [
        "3:11: secrets.1A: '1A' is no name of an environment variable (and SSHSCHED_* is ours)",
        "3:21: secrets.B: 'c d' is no name of a secret; use letters, digits and . _ @ + / -",
    ],
    "then: stop": ["3:7: then: 'stop' is no end; known: error, skip"],
    "warn: {lat: 5m}": ["3:8: warn.lat: unknown key; did you mean 'late'?"],
    "timeout: 5m\ntimeout-minutes: 5": [
        "4:1: timeout-minutes: both 'timeout' and 'timeout-minutes' are given; keep one"
    ],
    "expect: {by: '08:00'}": [
        "3:9: expect: the key 'success_by' is missing: the time of day by which a run must have succeeded",
        "3:10: expect.by: unknown key; here it is called 'success_by'",
    ],
    "expect: {success_by: '8', calendar: Mn}": [
        "3:22: expect.success_by: '8' is no time of day; write 09:30 or 09:30:15"
    ],
    "expect: {success_by: '08:00', calendar: nope}": [
        "3:41: expect.calendar: unknown 'nope'; known: Fri, Mon, Mon-Fri, Sat, Sun, Thu, Tue, Wed, all"
    ],
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    """Each mistake is one line with its place and what to do, and all come at once."""
    assert WRONG[text] == problems_of(tmp_path, GOOD + text)


NO_PLACE = {
    "{group: web, strategy: stiky}": ["1:30: host.strategy: 'stiky' is no strategy; did you mean 'sticky'?"],
    "{group: '@web'}": ["1:15: host.group: '@web' is no group"],
    "{group: web, tags: a}": ["1:7: host: needs one of group and tags: {group: web} or {tags: [linux, gpu]}"],
    "{strategy: first}": ["1:7: host: needs one of group and tags: {group: web} or {tags: [linux, gpu]}"],
    "{tags: [a b]}": ["1:15: host.tags[0]: 'a b' is no tag; use no spaces, commas or braces"],
    "{group: web, strategy: first, canary: 1}": [
        "1:37: host.canary: means something only with `strategy: all`; take it out"
    ],
    "{name: web}": ["1:8: host.name: unknown key; write `host: NAME`"],
}


@pytest.mark.parametrize("text", NO_PLACE)
def test_what_is_wrong_with_a_place_is_said(tmp_path: Path, text: str) -> None:
    """The same for hosts."""
    assert NO_PLACE[text] == problems_of(tmp_path, f"host: {text}\ncommand: b")
