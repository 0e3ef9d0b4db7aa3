"""`next`: the coming times of jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App
from sshsched.cli.complete import complete_jobs
from sshsched.cli.folders import load, named, usual_zone
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import note
from sshsched.cli.table import Column, show
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from sshsched.kinds.jobs import Job

DAY = 86400.0


@click.command()
@click.argument("job", required=False, shell_complete=complete_jobs)
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many times.")
@click.option("--around", metavar="DATE", help="Begin a day before this date or time, instead of now.")
@json_option
@click.pass_obj
def next(app: App, job: str | None, limit: int, around: str | None, as_json: bool) -> int:
    """Show when jobs run next: of one job, of those under `reports/*`, or of all.

    Each time is shown in the zone of its schedule and in UTC, with what changes of clocks do to it. Times that are left
    out are shown too, with the reason.
    """
    from sshsched.cli.ahead import coming, coming_shape, comment, local, utc, zone_of
    from sshsched.cli.times import ago

    jobs = list(load(app).jobs.values()) if job is None else named(app, job)
    tz, now = usual_zone(app), time.time()
    found = coming(jobs, now if around is None else _moment(around, tz) - DAY, limit)
    if as_json:
        print_json([coming_shape(each, tz) for each in found])
        return 0
    for text in _endings(jobs, now):
        note(safe_line(text))
    if not found:
        note("nothing lies ahead: no schedule, or none that is enabled or has a time to come")
        return 0
    columns = [
        Column("TIME"),
        Column("ZONE"),
        Column("UTC"),
        Column("IN", right=True),
        Column("JOB", stretch=True),
        Column("NOTE", stretch=True),
    ]
    rows = []
    for each in found:
        zone = zone_of(each.timed.schedule, tz)
        rows.append(
            [
                local(each.at, zone),
                zone,
                utc(each.at),
                ago(each.at, now),
                safe_line(each.job.id),
                safe_line(comment(each)),
            ]
        )
    show(columns, rows)
    return 0


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
