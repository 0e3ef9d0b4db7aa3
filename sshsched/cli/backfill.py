"""The dates of a backfill: `run JOB --for-dates 2026-01-01..2026-01-31`.

Rule: a date counts on which the job's own schedules would have run it, with the args that they would have given. A job
without a schedule that gives dates is run for every day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from sshsched.errors import UsageError
from sshsched.kinds.jobs import Job

PARAM = "date"
MOST = 10_000


def parse_dates(text: str) -> tuple[date, date]:
    """The first and the last date of `A..B`, or of a single date. Raises UsageError."""
    first, dots, last = text.partition("..")
    try:
        found = date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise UsageError(f"--for-dates: {text!r} is no range of dates; write 2026-01-01..2026-01-31") from None
    if found[0] > found[1]:
        raise UsageError(f"--for-dates: {found[0]} lies after {found[1]}")
    if (found[1] - found[0]).days >= MOST:
        raise UsageError(f"--for-dates: that is more than {MOST} days; take a shorter range")
    return found


def args_of_dates(job: Job, first: date, last: date) -> list[dict[str, str]]:
    """The args of each run, oldest first. Raises UsageError if the job takes no date, or has no run in this time."""
    params = {param.name for param in job.params}
    if PARAM not in params:
        raise UsageError(f"job '{job.id}' has no param '{PARAM}', so no run of it is for a date; add `params: [date]`")
    dated = [each for each in job.schedules if PARAM in each.schedule.gives and each.options.enabled]
    if not dated:
        days = (last - first).days + 1
        return [{PARAM: (first + timedelta(days)).isoformat()} for days in range(days)]
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for each in dated:
        # A shift may move a run some days away from its date.
        begin = datetime.combine(first, datetime.min.time(), UTC).timestamp() - 40 * 86400
        for target in each.schedule.after(begin):
            if target.scheduled > begin + ((last - first).days + 81) * 86400:
                break
            args = each.options.run_args(target, params)
            if first.isoformat() <= args.get(PARAM, "") <= last.isoformat():
                found[tuple(sorted(args.items()))] = args
    if not found:
        raise UsageError(f"job '{job.id}' has no run between {first} and {last}; `sshsched next` shows its schedules")
    return sorted(found.values(), key=lambda args: (args[PARAM], sorted(args.items())))


def merged(args: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What somebody typed goes before what the schedule gives, but for the date."""
    if PARAM in given:
        raise UsageError(f"{PARAM}={given[PARAM]} and --for-dates exclude each other")
    return {**args, **given}
