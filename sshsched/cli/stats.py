"""`runs --stats`: per job how many runs succeed, how long they take, and how the last ones went, as a small plot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sshsched.cli.after import print_json
from sshsched.cli.lists import Field, Wishes, chosen, ordered, print_list
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import COLOURS, STDOUT, in_colour, in_utf8, sgr
from sshsched.cli.table import Column, Painted
from sshsched.cli.times import span
from sshsched.cli.verdict import Shape

if TYPE_CHECKING:
    from sshsched.cli.app import App
    from sshsched.store.filter import RunFilter
    from sshsched.store.stats import JobStats

PLOTTED = 20  # runs
BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = {"success": ".", "failure": "x", "error": "!", "skipped": "-"}


def print_stats(app: App, where: RunFilter, limit: int, wishes: Wishes, *, as_json: bool) -> int:
    """The list, of at most the last `limit` finished runs of each job; the exit code."""
    now, names = time.time(), chosen(FIELDS, tuple(FIELDS), wishes.columns)
    found = ordered(map(_shape, app.reader().stats(where, limit)), FIELDS, wishes.sort, now)
    if as_json:
        print_json(found)
        return 0
    print_list(found, FIELDS, names, now, headers=not wishes.no_headers)
    return 0


def _shape(stats: JobStats) -> Shape:
    """For scripts; durations are seconds, and `last` is oldest first."""
    counts = {str(state): count for state, count in stats.counts.items()}
    return {
        "job": stats.job,
        "runs": len(stats.past),
        **{state: counts.get(state, 0) for state in PLAIN},
        "success_rate": _rounded(stats.success_rate),
        "p50": _rounded(stats.percentile(0.5)),
        "p90": _rounded(stats.percentile(0.9)),
        "max": _rounded(stats.percentile(1.0)),
        "last": [
            {"run": f"r{each.id}", "state": str(each.state), "elapsed": _rounded(each.elapsed)}
            for each in stats.past[-PLOTTED:]
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _rate(stats: Shape, _now: float) -> str:
    return "" if stats["success_rate"] is None else f"{stats['success_rate']:.0%}"


def _rate_tone(cell: str) -> str:
    """Green where all is well, red where most is not."""
    if not cell:
        return ""
    share = int(cell.rstrip("%"))
    return "32" if share == 100 else "33" if share >= 90 else "31"


def _plot(stats: Shape, _now: float) -> str:
    """A block for each of the last runs: as high as it took long, in the colour of its outcome.

    Without colours, a letter tells what did not succeed.
    """
    longest = max((each["elapsed"] or 0.0 for each in stats["last"]), default=0.0)
    blocks = [(_block(each, longest), each["state"]) for each in stats["last"]]
    if not in_colour(STDOUT):
        return "".join(block if state == "success" else PLAIN[state] for block, state in blocks)
    return Painted("".join(block for block, _ in blocks), "".join(sgr(b, COLOURS[s], STDOUT) for b, s in blocks))


def _block(each: Shape, longest: float) -> str:
    if not in_utf8():
        return PLAIN[each["state"]]
    share = (each["elapsed"] or 0.0) / longest if longest else 0.0
    return BLOCKS[min(len(BLOCKS) - 1, int(share * len(BLOCKS)))]


def _duration(title: str, name: str, rank: int) -> Field[Shape]:
    return Field(
        Column(title, right=True, rank=rank),
        lambda stats, _: "" if stats[name] is None else span(stats[name]),
        lambda stats: stats[name],
    )


def _count(title: str, name: str, rank: int) -> Field[Shape]:
    return Field(
        Column(title, right=True, rank=rank), lambda stats, _: str(stats[name] or ""), lambda stats: stats[name]
    )


FIELDS: dict[str, Field[Shape]] = {
    "job": Field(Column("JOB", stretch=True), lambda stats, _: safe_line(stats["job"])),
    "runs": _count("RUNS", "runs", 2),
    "rate": Field(Column("OK", right=True, tone=_rate_tone), _rate, lambda stats: stats["success_rate"]),
    "failure": _count("FAILED", "failure", 5),
    "error": _count("ERRORS", "error", 5),
    "skipped": _count("SKIPPED", "skipped", 6),
    "p50": _duration("P50", "p50", 3),
    "p90": _duration("P90", "p90", 4),
    "max": _duration("MAX", "max", 4),
    "last": Field(Column("LAST", rank=1), _plot, lambda stats: len(stats["last"])),
}
