"""`runs`: the list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App
from sshsched.cli.caveat import caveat
from sshsched.cli.complete import complete_hosts, complete_jobs
from sshsched.cli.options import json_option, pairs
from sshsched.cli.safe import safe_line
from sshsched.cli.table import Column, show
from sshsched.cli.verdict import Shape, result, work
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from sshsched.domain.model import Run
    from sshsched.store.filter import RunFilter

PAGE = 500
STATES = ("scheduled", "waiting", "starting", "running", "stopping", "success", "failure", "error", "skipped")
LIVE = STATES[:5]
GROUP_NAMES = ("live", "finished", "failed")

Cell = Callable[[Shape, float], str]


def _when(run: Shape, now: float) -> str:
    from sshsched.cli.times import brief_moment, from_iso

    return brief_moment(from_iso(run["started_at"] or run["schedule_time"] or run["created_at"]) or now, now)


def _ago(run: Shape, now: float) -> str:
    from sshsched.cli.times import ago, from_iso

    return ago(from_iso(run["started_at"] or run["schedule_time"] or run["created_at"]) or now, now)


def _took(run: Shape, now: float) -> str:
    from sshsched.cli.times import from_iso, span

    started = from_iso(run["started_at"])
    if run["elapsed"] is None and started is not None and run["state"] in LIVE:
        return span(now - started)
    return "" if run["elapsed"] is None else span(run["elapsed"])


COLUMNS: dict[str, tuple[Column, Cell]] = {
    "run": (Column("RUN"), lambda run, _: str(run["run"])),
    "state": (Column("STATE"), lambda run, _: str(run["state"])),
    "host": (Column("HOST"), lambda run, _: safe_line(run["host"])),
    "what": (Column("WHAT", stretch=True), lambda run, _: work(run)),
    "job": (Column("JOB"), lambda run, _: safe_line(run["job"] or "")),
    "args": (Column("ARGS"), lambda run, _: " ".join(safe_line(f"{k}={v}") for k, v in run["args"].items())),
    "labels": (Column("LABELS"), lambda run, _: safe_line(",".join(run["labels"]))),
    "by": (Column("BY"), lambda run, _: safe_line(run["by"])),
    "when": (Column("WHEN"), _when),
    "ago": (Column("AGO", right=True), _ago),
    "took": (Column("TOOK", right=True), _took),
    "result": (Column("RESULT", stretch=True), lambda run, _: result(run)),
    "created": (Column("CREATED"), lambda run, _: run["created_at"] or ""),
    "started": (Column("STARTED"), lambda run, _: run["started_at"] or ""),
    "finished": (Column("FINISHED"), lambda run, _: run["finished_at"] or ""),
    "stdout": (Column("STDOUT", right=True), lambda run, _: str(run["stdout_size"])),
    "stderr": (Column("STDERR", right=True), lambda run, _: str(run["stderr_size"])),
}
USUAL = ("run", "state", "host", "when", "ago", "took", "what", "result")


@click.command()
@click.argument("terms", nargs=-1, metavar="[FILTER]...")
@click.option("--state", "states", multiple=True, metavar="STATE", type=click.Choice([*STATES, *GROUP_NAMES]),
              help=f"Again for several: {', '.join(STATES)}; or live, finished, failed.")  # fmt: skip
@click.option("--job", metavar="JOB", shell_complete=complete_jobs, help="This job; or 'folder/*'.")
@click.option("-H", "--host", metavar="HOST", shell_complete=complete_hosts, help="On this host.")
@click.option("--label", metavar="TEXT", help="With this label.")
@click.option("--since", metavar="TIME", help="Made since then: 2h, today, yesterday, 18:30, 2026-11-22.")
@click.option("--arg", "args", multiple=True, metavar="NAME=VALUE", help="With this argument.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--columns", metavar="NAMES", help=f"Which, separated by commas: {', '.join(COLUMNS)}.")
@click.option("--no-headers", is_flag=True, help="Only the rows.")
@json_option
@click.pass_obj
def runs(
    app: App,
    /,
    terms: tuple[str, ...],
    limit: int,
    columns: str | None,
    no_headers: bool,
    as_json: bool,
    **filters: Any,
) -> int:
    """List runs, the newest first. Works also when no scheduler runs.

    \b
      sshsched runs state:running,failure job:reports/* since:2h
      sshsched runs is:failed '!label:test' backup
    """
    names = _columns(columns)
    found = _found(app, _typed(terms) & _filter(**filters), limit)
    if as_json:
        from sshsched.domain.shape import run_shape

        print_json(map(run_shape, found))
        return 0
    _print(app, names, list(found), headers=not no_headers)
    return 0


def _columns(text: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",")) if text is not None else USUAL
    for name in names:
        if name not in COLUMNS:
            raise UsageError(f"--columns: no column '{name}'; there are {', '.join(COLUMNS)}")
    return names


def _typed(terms: tuple[str, ...]) -> RunFilter:
    from sshsched.store.filter_text import parse

    return parse(" ".join(terms), time.time())


def _filter(
    states: tuple[str, ...],
    job: str | None,
    host: str | None,
    label: str | None,
    since: str | None,
    args: tuple[str, ...],
) -> RunFilter:
    from sshsched.domain.states import State
    from sshsched.store.filter import GROUPS, RunFilter

    begin = None
    if since is not None:
        from sshsched.domain.moments import parse_since

        begin = parse_since(since, time.time())
    single = frozenset(each for state in states for each in GROUPS.get(state) or [State(state)])
    return RunFilter(states=single, job=job, host=host, label=label, since=begin, args=pairs(args, "--arg"))


def _found(app: App, where: RunFilter, limit: int) -> Iterator[Run]:
    """Page by page: a long list needs no more memory than a short one."""
    reader = app.reader()
    before: int | None = None
    while limit > 0:
        page = reader.runs(where, limit=min(limit, PAGE), before=before)
        yield from page
        if len(page) < min(limit, PAGE):
            return
        limit -= len(page)
        before = page[-1].id


def _print(app: App, names: tuple[str, ...], found: list[Run], *, headers: bool) -> None:
    from sshsched.domain.shape import run_shape

    now = time.time()
    chosen = [COLUMNS[name] for name in names]
    rows = [[cell(shape, now) for _, cell in chosen] for shape in map(run_shape, found)]
    show([column for column, _ in chosen], rows, headers=headers)
    if any(not run.finished for run in found):
        caveat(app)
