"""`jobs` and `job`: what the job files hold."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App
from sshsched.cli.complete import complete_jobs
from sshsched.cli.folders import labelled, load, usual_zone
from sshsched.cli.lists import Field, Wishes, chosen, list_options, ordered, print_list
from sshsched.cli.options import json_option
from sshsched.cli.pager import page
from sshsched.cli.safe import safe_line, safe_text
from sshsched.cli.streams import STDOUT, is_terminal, note, say
from sshsched.cli.table import Column, dim, facts, show
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from sshsched.kinds.jobs import Job

SHOWN = 5  # coming times of a job


@click.command()
@click.argument("prefix", required=False, shell_complete=complete_jobs)
@click.option("--label", "labels", multiple=True, help="Only jobs with this label.")
@click.option("--host", help="Only jobs on this host.")
@click.option("--schedule/--no-schedule", "timed", default=None, help="Only jobs that have a schedule, or have none.")
@click.option("--before", metavar="TIME", help="Only jobs that run before this: 18:30, 2026-11-22.")
@list_options(("job", "host", "schedule", "next", "labels", "description", "params", "file"))
@json_option
@click.pass_obj
def jobs(
    app: App,
    /,
    prefix: str | None,
    labels: tuple[str, ...],
    host: str | None,
    timed: bool | None,
    before: str | None,
    as_json: bool,
    **wishes: Any,
) -> int:
    """List the jobs, or those whose id is PREFIX or lies under it, with their next times."""
    from sshsched.cli.ahead import next_time
    from sshsched.kinds.moments import parse_at

    now = time.time()
    until = None if before is None else parse_at(before, now)
    found: list[tuple[Job, float | None]] = []
    for job in labelled(load(app).jobs.values(), labels):
        if not _under(job.id, prefix) or host not in (None, job.host) or timed not in (None, bool(job.schedules)):
            continue
        at = next_time(job, now)
        if until is None or (at is not None and at < until):
            found.append((job, at))
    found.sort(key=lambda each: each[0].id.split("/"))
    wanted = Wishes(**wishes)
    found = ordered(found, FIELDS, wanted.sort, now)
    if as_json:
        print_json([_shape(job, at) for job, at in found])
    elif found:
        _list(found, now, wanted)
    else:
        note(f"no such jobs in {safe_line(str(app.config_dir / 'jobs'))}; `sshsched new JOB` writes one")
    return 0


def _under(job_id: str, prefix: str | None) -> bool:
    if prefix is None:
        return True
    bare = prefix.removesuffix("/*").rstrip("/")
    return job_id == bare or job_id.startswith(f"{bare}/")


Found = tuple["Job", float | None]
"""A job and its next time."""


def _schedule(job: Job) -> str:
    from sshsched.cli.ahead import summary

    return safe_line(summary(job))


def _next(found: Found, now: float) -> str:
    from sshsched.cli.times import ago

    return "" if found[1] is None else ago(found[1], now)


FIELDS: dict[str, Field[Found]] = {
    "job": Field(Column("JOB"), lambda found, _: safe_line(found[0].id)),
    "host": Field(Column("HOST", rank=1), lambda found, _: safe_line(found[0].host)),
    "schedule": Field(Column("SCHEDULE", stretch=True, rank=2), lambda found, _: _schedule(found[0])),
    "next": Field(Column("NEXT", right=True, rank=1), _next, lambda found: found[1]),
    "labels": Field(Column("LABELS", stretch=True, rank=4), lambda found, _: safe_line(",".join(found[0].labels))),
    "description": Field(
        Column("DESCRIPTION", stretch=True, rank=3, tone=dim), lambda found, _: safe_line(found[0].description)
    ),
    "params": Field(
        Column("PARAMS", stretch=True), lambda found, _: safe_line(",".join(param.name for param in found[0].params))
    ),
    "file": Field(Column("FILE"), lambda found, _: safe_line(f"{found[0].file}:{found[0].line}")),
}
USUAL = ("job", "host", "schedule", "next", "labels", "description")


def _list(found: list[Found], now: float, wishes: Wishes) -> None:
    """A tree for people; a pipe gets whole ids, one a line."""
    names = chosen(FIELDS, USUAL, wishes.columns)
    if not is_terminal(STDOUT) or wishes.sort or names[0] != "job":
        print_list(found, FIELDS, names, now, headers=not wishes.no_headers)
        return
    rows: list[list[str]] = []
    above: list[str] = []
    for each in found:
        *folders, name = each[0].id.split("/")
        same = sum(1 for _ in _shared(above, folders))
        rows += [["  " * depth + safe_line(folders[depth]) + "/", *[""] * (len(names) - 1)]
                 for depth in range(same, len(folders))]  # fmt: skip
        above = folders
        cells = [FIELDS[column].cell(each, now) for column in names[1:]]
        rows.append(["  " * len(folders) + safe_line(name), *cells])
    show([FIELDS[column].column for column in names], rows, headers=not wishes.no_headers)


def _shared(one: list[str], other: list[str]) -> Iterator[str]:
    for first, second in zip(one, other, strict=False):
        if first != second:
            return
        yield first


@click.command()
@click.argument("name", metavar="JOB", shell_complete=complete_jobs)
@json_option
@click.pass_obj
def job(app: App, name: str, as_json: bool) -> int:
    """Show one job: what it runs and where, its params, its schedules and what clocks do to them, its next times."""
    from sshsched.cli.ahead import coming, coming_shape, next_time
    from sshsched.config.jobs import load_job

    if name.endswith("/*"):
        raise UsageError(f"'{name}' is several jobs; `sshsched jobs '{name}'` lists them")
    found, now, tz = load_job(app.config_dir, name), time.time(), usual_zone(app)
    ahead = coming([found], now, SHOWN)
    if as_json:
        shape = {**_shape(found, next_time(found, now)), "coming": [coming_shape(each, tz) for each in ahead]}
        say(json.dumps(shape, indent=2))
        return 0
    page(facts([*_facts(found), *_ahead(ahead, tz, now)]))
    return 0


def _facts(job: Job) -> Iterator[tuple[str, str]]:
    from sshsched.cli.decisions import decisions

    program = job.program
    yield "job", safe_line(job.id)
    yield "file", safe_line(f"{job.file}:{job.line}")
    yield "what", safe_line(job.description)
    yield "labels", safe_line(", ".join(job.labels))
    yield "host", safe_line(job.host)
    if job.written is not None:
        told = ", ".join(f"{name}: {value}" for name, value in job.written.options.items())
        yield "program", safe_line(f"{job.written.kind} ({told})" if told else job.written.kind)
    if job.plan.flow is not None:
        for step in job.plan.flow.steps:
            after = f" after {', '.join(step.needs)}" if step.needs else ""
            yield "step", safe_line(f"{step.name}{after}")
    elif program.command is not None:
        yield "command", safe_text(program.command.rstrip()).replace("\n", "\n" + " " * 12)
    else:
        yield "argv", safe_line(" ".join(map(repr, program.argv)))
    for word in ("cwd", "user", "umask"):
        yield word, safe_line(getattr(program, word) or "")
    for name, value in program.env.items():
        yield "env", safe_line(f"{name}={value}")
    yield from _limits(job)
    for word, text in decisions(job):
        yield word, safe_line(text)
    for param in job.params:
        default = "must be given" if param.default is None else f"default {param.default!r}"
        choices = f", one of {', '.join(param.choices)}" if param.choices else ""
        about = f": {param.description}" if param.description else ""
        yield "param", safe_line(f"{param.name} ({default}{choices}){about}")
    for timed in job.schedules:
        options = timed.options
        args = "".join(f" {name}={value}" for name, value in options.args.items())
        disabled = "" if options.enabled else " [disabled]"
        yield "schedule", safe_line(f"{timed.schedule}{disabled}{args}")
        yield "", safe_line(f"clocks: {timed.schedule.dst}; late runs: {options.catch_up.policy}")


def _limits(job: Job) -> Iterator[tuple[str, str]]:
    from sshsched.cli.times import span

    yield "timeout", "" if job.program.timeout is None else span(job.program.timeout)
    yield "begins", f"within {span(job.start_within)}, or not at all"
    yield "kept", "" if job.retention is None else str(job.retention)
    if job.program.accept != (0,):
        yield "accept", ", ".join(map(str, job.program.accept))


def _ahead(ahead: list[Any], tz: str, now: float) -> Iterator[tuple[str, str]]:
    from sshsched.cli.ahead import comment, local, zone_of
    from sshsched.cli.times import ago

    for number, each in enumerate(ahead):
        words = [local(each.at, zone_of(each.timed.schedule, tz)), f"({ago(each.at, now)})", comment(each)]
        yield "" if number else "next", safe_line(" ".join(filter(None, words)))


def _shape(job: Job, at: float | None) -> dict[str, Any]:
    from dataclasses import asdict

    from sshsched.domain.shape import iso, program_shape

    return {
        "job": job.id,
        "file": job.file,
        "line": job.line,
        "host": job.host,
        "description": job.description,
        "labels": list(job.labels),
        "params": [asdict(param) for param in job.params],
        "program": program_shape(job.program),
        "program_kind": None if job.written is None else asdict(job.written),
        "start_within": job.start_within,
        "retention": None if job.retention is None else asdict(job.retention),
        "plan": asdict(job.plan),
        "expects": [
            {"success_by": f"{each.success_by:%H:%M:%S}", "tz": each.tz, "calendar": each.calendar.name}
            for each in job.expects
        ],
        "schedules": [
            {
                "schedule": str(timed.schedule),
                "line": timed.line,
                "enabled": timed.options.enabled,
                "args": dict(timed.options.args),
                "catch_up": str(timed.options.catch_up.policy),
                "dst": timed.schedule.dst,
            }
            for timed in job.schedules
        ],
        "next": iso(at),
    }
