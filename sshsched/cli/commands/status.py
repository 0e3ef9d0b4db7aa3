"""`status`: is a scheduler there, and what does it hold?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from sshsched.cli.app import App
from sshsched.cli.options import json_option
from sshsched.cli.pager import page
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import STDOUT, marked, paint, say, sgr
from sshsched.cli.table import facts
from sshsched.cli.times import ago, from_iso, moment, span
from sshsched.cli.verdict import FINISHED, Shape


@click.command()
@json_option
@click.pass_obj
def status(app: App, as_json: bool) -> int:
    """Say whether a scheduler runs, and how many runs are in which state. Never starts one."""
    found = app.scheduler() if app.scheduler_runs() else None
    with app.reader() as reader:
        counts = {str(state): count for state, count in reader.counts().items()}
    if as_json:
        say(json.dumps({"scheduler": found, "counts": counts, "state_dir": str(app.state_dir)}, indent=2))
        return 0
    now = time.time()
    head = ["no scheduler runs; `sshsched run` starts one when it needs one, `sshsched serve` is one"]
    if found is not None:
        head = [sgr("a scheduler runs", "1", STDOUT), *facts(_scheduler(found, now))]
    last = ("state in", safe_line(str(app.state_dir)))
    page([*head, *facts([*_states(counts, live=found is not None), last])])
    return 0


def _scheduler(found: Shape, now: float) -> Iterator[tuple[str, str]]:
    since = from_iso(found["since"])
    assert since is not None
    yield "version", f"{found['version']}, process {found['pid']}, {_MODES.get(found['mode'], found['mode'])}"
    yield "since", f"{moment(since)} ({span(now - since)})"
    yield "store", paint(safe_line(found["store"]), "success" if found["store"] == "ok" else "error", STDOUT)
    yield "hosts", _hosts(found["hosts"])
    for number, (what, words) in enumerate(found["holds"].items()):
        yield "" if number else "held", paint(safe_line(f"{what}: {words}"), "waiting", STDOUT)
    yield from _jobs(found["jobs"], now)


_MODES = {"serve": "with schedules", "adhoc": "in the background, without schedules"}


def _hosts(hosts: list[Shape]) -> str:
    """How many links stand how, and by name those that are in trouble."""
    if not hosts:
        return "none needed yet"
    parts = []
    for state in dict.fromkeys(host["state"] for host in hosts):
        names = [safe_line(host["host"]) for host in hosts if host["state"] == state]
        text = f"{len(names)} {state} ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
        parts.append(paint(text, "error" if state == "unreachable" else "", STDOUT))
    return ", ".join(parts)


def _jobs(jobs: Mapping[str, Any] | None, now: float) -> Iterator[tuple[str, str]]:
    """What the job files hold, what comes next, what is wrong with them, and which times were not made up for."""
    if jobs is None:
        return
    yield "jobs", f"{jobs['count']}, with {jobs['schedules']} schedules"
    if coming := jobs["next"]:
        at = from_iso(coming["at"]) or now
        yield "next", f"{safe_line(coming['job'])} {ago(at, now)}, {moment(at)}"
    trouble = [*jobs["problems"], *jobs["warnings"], *(f"{each['job']}: {each['message']}" for each in jobs["dropped"])]
    for number, text in enumerate(trouble):
        yield "" if number else "trouble", paint(safe_line(text), "waiting", STDOUT)


def _states(counts: Mapping[str, int], *, live: bool) -> Iterator[tuple[str, str]]:
    width = max((len(f"{count:,}") for count in counts.values()), default=0)
    for number, (state, count) in enumerate(counts.items()):
        hint = "" if state in FINISHED or live else "  (as of its last scheduler)"
        yield "" if number else "runs", f"{count:>{width},}  {paint(marked(state), state, STDOUT)}{hint}"
