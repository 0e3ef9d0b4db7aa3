"""`next`: the coming times of jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App
from sshsched.cli.complete import complete_jobs
from sshsched.cli.folders import load, named, usual_zone
from sshsched.cli.lists import Field, Wishes, chosen, list_options, ordered, print_list
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import note
from sshsched.cli.table import Column, dim
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from sshsched.cli.ahead import Coming
    from sshsched.kinds.jobs import Job

DAY = 86400.0


@click.command()
@click.argument("job", required=False, shell_complete=complete_jobs)
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many times.")
@click.option("--around", metavar="DATE", help="Begin a day before this date or time, instead of now.")
@list_options(("time", "zone", "utc", "in", "job", "args", "note", "schedule"))
@json_option
@click.pass_obj
def next(app: App, /, job: str | None, limit: int, around: str | None, as_json: bool, **wishes: Any) -> int:
    """Show when jobs run next: of one job, of those under `reports/*`, or of all.

    Each time is shown in the zone of its schedule and in UTC, with what changes of clocks do to it. Times that are left
    out are shown too, with the reason.
    """
    from sshsched.cli.ahead import coming, coming_shape

    jobs = list(load(app).jobs.values()) if job is None else named(app, job)
    tz, now, wanted = usual_zone(app), time.time(), Wishes(**wishes)
    fields = _fields(tz)
    found = coming(jobs, now if around is None else _moment(around, tz) - DAY, limit)
    found = ordered(found, fields, wanted.sort, now)
    if as_json:
        print_json([coming_shape(each, tz) for each in found])
        return 0
    for text in _endings(jobs, now):
        note(safe_line(text))
    if not found:
        note("nothing lies ahead: no schedule, or none that is enabled or has a time to come")
        return 0
    print_list(found, fields, chosen(fields, USUAL, wanted.columns), now, headers=not wanted.no_headers)
    return 0


USUAL = ("time", "zone", "utc", "in", "job", "note")


def _fields(tz: str) -> dict[str, Field[Coming]]:
    """The columns; `tz` is for schedules that name no zone."""
    from sshsched.cli.ahead import coming_shape, comment, local, zone_of
    from sshsched.cli.times import ago, utc

    def zone(each: Coming) -> str:
        return zone_of(each.timed.schedule, tz)

    def args(each: Coming, _now: float) -> str:
        return " ".join(safe_line(f"{name}={value}") for name, value in coming_shape(each, tz)["args"].items())

    return {
        "time": Field(Column("TIME"), lambda each, _: local(each.at, zone(each)), lambda each: each.at),
        "zone": Field(Column("ZONE", rank=3, tone=dim), lambda each, _: zone(each)),
        "utc": Field(Column("UTC", rank=4, tone=dim), lambda each, _: utc(each.at), lambda each: each.at),
        "in": Field(Column("IN", right=True, rank=1), lambda each, now: ago(each.at, now), lambda each: each.at),
        "job": Field(Column("JOB", stretch=True), lambda each, _: safe_line(each.job.id)),
        "args": Field(Column("ARGS", stretch=True), args),
        "note": Field(
            Column("NOTE", stretch=True, rank=2, tone=lambda _: "33"), lambda each, _: safe_line(comment(each))
        ),
        "schedule": Field(Column("SCHEDULE", stretch=True), lambda each, _: safe_line(str(each.timed.schedule))),
    }


def _endings(jobs: list[Job], now: float) -> Iterator[str]:
    """A word on each calendar that ends."""
    from sshsched.kinds.due import warning

    for job in jobs:
        for timed in job.schedules:
            if text := warning(timed.schedule, now):
                yield f"job '{job.id}': {text}"


def _moment(text: str, tz: str) -> float:
    from sshsched.kinds.zones import moment

    try:
        return moment(text, tz)
    except ValueError as error:
        raise UsageError(f"--around: {error}") from None
