"""`show`: all that is known of one run."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App, find_run, run_number
from sshsched.cli.caveat import caveat
from sshsched.cli.commands.graph import painted
from sshsched.cli.complete import complete_runs
from sshsched.cli.options import archive_option, json_option
from sshsched.cli.pager import page
from sshsched.cli.safe import safe_line, safe_text
from sshsched.cli.streams import STDOUT, marked, paint, say, sgr
from sshsched.cli.table import facts
from sshsched.cli.times import ago, from_iso, moment, span, utc
from sshsched.cli.verdict import Shape, ending, finished, standing, work
from sshsched.errors import SshschedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sshsched.domain.instructions import Notice
    from sshsched.domain.model import LogEntry, Run


SCHEDULE = "schedule"  # who asks for runs that a schedule makes; see domain.words


@click.command()
@click.argument("name", metavar="RUN", shell_complete=complete_runs)
@archive_option
@json_option
@click.pass_obj
def show(app: App, name: str, as_json: bool) -> int:
    """Show one run: how it stands, what it runs, how it got there."""
    from sshsched.domain.drawing import listing
    from sshsched.domain.outline import outline, steps_shape
    from sshsched.domain.shape import run_shape, whole_shape

    reader = app.reader()
    run = find_run(reader, run_number(name))
    log, notices = reader.log(run.id), reader.notices(run.id)
    shape = run_shape(run)
    flow = run.plan.flow
    if as_json:
        steps = [] if flow is None else steps_shape(flow, reader.steps(run.id))
        say(json.dumps(whole_shape(run, log, notices, steps), indent=2))
        return 0
    zone = own_zone(app, run)
    lines = facts(_facts(shape, time.time(), zone))
    lines += [] if flow is None else ["", *painted(listing(outline(flow, reader.steps(run.id))))]
    lines += ["", *(_log_line(entry, run.created_at, zone) for entry in log)]
    page([*lines, *(_notice_line(each, run.created_at, zone) for each in notices)])
    if not run.finished:
        caveat(app)
    return 0


def own_zone(app: App, run: Run) -> str | None:
    """The zone of the schedule that made a run, if its job still says one; else times are local."""
    if run.by != SCHEDULE or run.job_id is None:
        return None
    from sshsched.cli.ahead import zone_of
    from sshsched.cli.folders import usual_zone
    from sshsched.config.jobs import load_job

    try:
        schedules = [timed.schedule for timed in load_job(app.config_dir, run.job_id).schedules]
        zones = {zone_of(schedule, usual_zone(app)) for schedule in schedules}
    except SshschedError:
        return None  # the past can be read whatever has become of the job
    return zones.pop() if len(zones) == 1 else None


def _facts(run: Shape, now: float, zone: str | None) -> Iterator[tuple[str, str]]:
    state = ending(run) if finished(run) else standing(run, now)
    yield "run", f"{sgr(run['run'], '1', STDOUT)}{_origin(run)}"
    yield "state", paint(marked(run["state"]) + state.removeprefix(run["state"]), run["state"], STDOUT)
    yield "host", safe_line(run["host"] or "")
    if run["asked"] != run["host"]:
        yield "asked for", safe_line(run["asked"] or "")
    yield "what", work(run)
    yield from _program(run)
    yield "held", safe_line(run["held"] or "")
    yield "labels", safe_line(", ".join(run["labels"]))
    yield "by", safe_line(run["by"])
    for word, field in (
        ("created", "created_at"),
        ("due", "schedule_time"),
        ("not before", "not_before"),
        ("waited from", "waiting_since"),
        ("started", "started_at"),
        ("ended", "finished_at"),
        ("stops at", "stop_at"),
    ):
        yield word, _time(from_iso(run[field]), now, zone)
    yield "late", _late(run)
    yield "warned", safe_line(", ".join(run["warned"]))
    for name, value in run["values"].items():
        yield "hands on", safe_line(f"{name}={value}")
    yield "used", _used(run)
    yield "output", _output(run)
    yield "pid", "" if run["pid"] is None else str(run["pid"])
    yield "spool", safe_line(run["spool"] or "")
    if run["stop_asked"]:
        asked = run["stop_asked"]
        at = _time(from_iso(asked["at"]), now, zone)
        yield "stop asked", f"{at} by {safe_line(asked['by'])} ({asked['cause']})"
    if run["leftover_processes"] and not run["cause"]:  # a stop sees to them before the run ends
        yield "left over", "processes of the program outlived it"


def _time(at: float | None, now: float, zone: str | None) -> str:
    """In the run's own zone, in UTC if that is another clock, and how long ago."""
    if at is None:
        return ""
    own = _own(at, zone)
    both = own if "+0000" in own else f"{own}  {sgr(utc(at), '2', STDOUT)}"
    return f"{both}  {sgr(ago(at, now), '2', STDOUT)}"


def _own(at: float, zone: str | None) -> str:
    if zone is None:
        return moment(at)
    from sshsched.cli.ahead import local

    return f"{local(at, zone)} {zone}"


def _late(run: Shape) -> str:
    """How long after its time it began, where that is worth a word."""
    due, started = from_iso(run["schedule_time"]), from_iso(run["started_at"])
    if due is None or started is None or started - due < 1:
        return ""
    return f"it began {span(started - due)} after its time"


def _origin(run: Shape) -> str:
    parts = []
    if run["rerun_of"]:
        parts.append(f"rerun of {run['rerun_of']}")
    if run["attempt"] > 1:
        parts.append(f"attempt {run['attempt']}")
    if run["retried_by"]:
        parts.append(f"tried again as {run['retried_by']}")
    if run["root"]:
        parts.append(safe_line(f"step {run['step']} of {run['root']}"))
    return f" ({', '.join(parts)})" if parts else ""


def _program(run: Shape) -> Iterator[tuple[str, str]]:
    program = run["program"]
    if run["job"] is not None and (program.get("command") is not None or program.get("argv")):
        yield "command", work({**run, "job": None})  # a workflow has none of its own
    for name in ("cwd", "user", "umask"):
        yield name, safe_line(program.get(name) or "")
    for name, value in (program.get("env") or {}).items():
        yield "env", safe_line(f"{name}={value}")
    if program.get("stdin") is not None:
        yield "stdin", f"{len(program['stdin'].encode())} bytes"
    yield "timeout", "" if program.get("timeout") is None else span(program["timeout"])


def _used(run: Shape) -> str:
    """What is unknown is said to be unknown, once the run has ended."""
    if run["state"] not in ("success", "failure") or not run["host"]:
        return ""
    cpu = [
        f"{kind} {run[field]:.2f} s"
        for kind, field in (("user", "cpu_user"), ("system", "cpu_system"))
        if run[field] is not None
    ]
    memory = "unknown" if run["max_rss"] is None else f"{run['max_rss'] / (1 << 20):.1f} MiB"
    return f"CPU {', '.join(cpu) or 'unknown'}; peak memory {memory}"


def _output(run: Shape) -> str:
    sizes = f"{run['stdout_size']} bytes, standard error {run['stderr_size']} bytes"
    if run["output_lost"]:
        return f"{sizes}; the rest is lost"
    return sizes if run["output_complete"] else f"{sizes} so far"


def _log_line(entry: LogEntry, begin: float, zone: str | None) -> str:
    """When, how long after the run was made, which move, and why."""
    new = paint(str(entry.new), str(entry.new), STDOUT)
    step = new if entry.old in (None, entry.new) else f"{entry.old} -> {new}"
    message = f": {safe_text(entry.message)}" if entry.message else ""
    return f"{_when(entry.at, begin, zone)}  {step} ({entry.reason}){message}"


def _notice_line(notice: Notice, begin: float, zone: str | None) -> str:
    """What was told of the run, or is still to be, and what keeps it."""
    from sshsched.kinds.actions.facts import what

    done, problem = notice.done_at is not None, safe_line(notice.problem)
    word = "to be told" if not done else "not told" if problem else "told"
    at = notice.next_at if notice.done_at is None else notice.done_at
    return f"{_when(at, begin, zone)}  {word}: {safe_line(what(notice))}{f': {problem}' if problem else ''}"


def _when(at: float, begin: float, zone: str | None) -> str:
    """A time, and how long that is after the run was made."""
    after = f"+{span(at - begin)}"
    return f"{_own(at, zone)}  {sgr(f'{after:>10}', '2', STDOUT)}"
