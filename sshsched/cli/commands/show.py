"""`show`: all that is known of one run."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App, find_run, run_number
from sshsched.cli.caveat import caveat
from sshsched.cli.complete import complete_runs
from sshsched.cli.options import archive_option, json_option
from sshsched.cli.safe import safe_line, safe_text
from sshsched.cli.streams import STDOUT, paint, say
from sshsched.cli.times import from_iso, moment, span
from sshsched.cli.verdict import Shape, ending, finished, standing, work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sshsched.domain.instructions import Notice
    from sshsched.domain.model import LogEntry


@click.command()
@click.argument("name", metavar="RUN", shell_complete=complete_runs)
@archive_option
@json_option
@click.pass_obj
def show(app: App, name: str, as_json: bool) -> int:
    """Show one run: how it stands, what it runs, how it got there."""
    from sshsched.domain.shape import log_shape, notice_shape, run_shape

    reader = app.reader()
    run = find_run(reader, run_number(name))
    log, notices = reader.log(run.id), reader.notices(run.id)
    shape = run_shape(run)
    if as_json:
        lists = {"log": [log_shape(entry) for entry in log], "notices": [notice_shape(each) for each in notices]}
        say(json.dumps({"run": shape, **lists}, indent=2))
        return 0
    for word, text in _facts(shape, time.time()):
        if text:
            say(f"{word:<12}{text}")
    say("")
    for entry in log:
        say(_log_line(entry))
    for each in notices:
        say(_notice_line(each))
    if not run.finished:
        caveat(app)
    return 0


def _facts(run: Shape, now: float) -> Iterator[tuple[str, str]]:
    state = ending(run) if finished(run) else standing(run, now)
    yield "run", f"{run['run']}{_origin(run)}"
    yield "state", paint(state, run["state"], STDOUT)
    yield "host", safe_line(run["host"])
    yield "what", work(run)
    yield from _program(run)
    yield "labels", safe_line(", ".join(run["labels"]))
    yield "by", safe_line(run["by"])
    for word, field in (
        ("created", "created_at"),
        ("due", "schedule_time"),
        ("started", "started_at"),
        ("ended", "finished_at"),
    ):
        yield word, moment(from_iso(run[field]))
    yield "used", _used(run)
    yield "output", _output(run)
    yield "pid", "" if run["pid"] is None else str(run["pid"])
    yield "spool", safe_line(run["spool"] or "")
    if run["stop_asked"]:
        yield (
            "stop asked",
            f"{run['stop_asked']['at']} by {safe_line(run['stop_asked']['by'])} ({run['stop_asked']['cause']})",
        )
    if run["leftover_processes"]:
        yield "left over", "processes of the program outlived it"


def _origin(run: Shape) -> str:
    parts = []
    if run["rerun_of"]:
        parts.append(f"rerun of {run['rerun_of']}")
    if run["attempt"] > 1:
        parts.append(f"attempt {run['attempt']}")
    return f" ({', '.join(parts)})" if parts else ""


def _program(run: Shape) -> Iterator[tuple[str, str]]:
    program = run["program"]
    if run["job"] is not None:
        yield "command", work({**run, "job": None})
    for name in ("cwd", "user", "umask"):
        yield name, safe_line(program.get(name) or "")
    for name, value in (program.get("env") or {}).items():
        yield "env", safe_line(f"{name}={value}")
    if program.get("stdin") is not None:
        yield "stdin", f"{len(program['stdin'].encode())} bytes"
    yield "timeout", "" if program.get("timeout") is None else span(program["timeout"])


def _used(run: Shape) -> str:
    """What is unknown is said to be unknown, once the run has ended."""
    if run["state"] not in ("success", "failure"):
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


def _log_line(entry: LogEntry) -> str:
    at = moment(entry.at)
    step = str(entry.new) if entry.old in (None, entry.new) else f"{entry.old} -> {entry.new}"
    message = f": {safe_text(entry.message)}" if entry.message else ""
    return f"{at}  {step} ({entry.reason}){message}"


def _notice_line(notice: Notice) -> str:
    from sshsched.kinds.actions.facts import what

    words = safe_line(what(notice))
    if notice.done_at is not None and not notice.problem:
        return f"{moment(notice.done_at)}  told: {words}"
    problem = safe_line(notice.problem)
    if notice.done_at is not None:
        return f"{moment(notice.done_at)}  not told: {words}: {problem}"
    return f"{moment(notice.next_at)}  to be told: {words}{f': {problem}' if problem else ''}"
