"""The columns of the lists: what stands in a cell, in which tone, and which term of the filter a cell stands for.

Rule: pure, and of harmless text only. A tone is a word such as `running` or `muted`; themes say what it looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sshsched.cli.safe import safe_line
from sshsched.cli.times import brief_moment, span
from sshsched.cli.verdict import signal_name
from sshsched.store.filter_text import quoted
from sshsched.tui.layout import Head
from sshsched.tui.listing import Listing
from sshsched.tui.model import ON_HOST, Row

MUTED, STRONG, WARNING, PLAIN = "muted", "strong", "warning", ""
MARKS = {
    "scheduled": "◷",
    "waiting": "◌",
    "starting": "◔",
    "running": "●",
    "stopping": "◍",
    "success": "✔",
    "failure": "✘",
    "error": "!",
    "skipped": "»",
}
LATE = 1.0  # seconds; what is on time by this much is not worth a word
MOST_PARAMS = 4


class Cell(NamedTuple):
    """Text of one line, and its tone; with `tones`, one for each character."""

    text: str
    tone: str = PLAIN
    tones: tuple[str, ...] = ()


class Column(NamedTuple):
    """`cell` makes its text at a time; `term` is what a filter calls that cell's value, empty if nothing does."""

    head: Head
    cell: Callable[[Row, float], Cell]
    term: Callable[[Row], str] = lambda _: ""


def columns(listing: Listing) -> Sequence[Column]:
    """Those that fit what is listed: args get columns of their own where all rows have the same ones."""
    names = [each for each in listing.params if each]
    alike = len(names) == 1 and len(names[0]) <= MOST_PARAMS
    params = names[0] if alike else ()
    one_job = len(listing.jobs) == 1 and None not in listing.jobs
    first = [
        Column(Head("RUN"), _name(listing), lambda row: f"run:{row.name}"),
        Column(Head("STATE", least=11), _state, lambda row: f"state:{row.state}"),
        Column(Head("HOST", rank=4), _host, lambda row: f"host:{quoted(row.host)}"),
        Column(Head("WHEN", rank=6, right=True), _when),
        Column(Head("TOOK", rank=2, right=True, least=8), _took),
        Column(Head("LATE", rank=7, right=True), _late),
    ]
    if not one_job or not params:
        first.append(Column(Head("WHAT", rank=1, stretch=True, least=12), _work(with_args=not params), _job_term))
    first += [_param(name) for name in params]
    return [*first, Column(Head("WHY", rank=3, stretch=True, least=10), _why(listing))]


def _name(listing: Listing) -> Callable[[Row, float], Cell]:
    def cell(row: Row, _: float) -> Cell:
        if listing.below(row.id):
            return Cell(f" └ {row.name}", MUTED)
        if listing.step_below(row.id):
            return Cell(f"  {row.name}", MUTED)
        behind = listing.folded(row.id)
        return Cell(f"{row.name} +{behind}" if behind else row.name, STRONG)

    return cell


def _state(row: Row, _: float) -> Cell:
    if row.unreachable_since is not None and row.state in ON_HOST:
        return Cell(f"? {row.state}", WARNING)
    if row.planned:
        return Cell("· planned", MUTED)
    return Cell(f"{MARKS.get(row.state, ' ')} {row.state}", row.state)


def _host(row: Row, _: float) -> Cell:
    return Cell(safe_line(row.host), WARNING if row.unreachable_since is not None else PLAIN)


def _when(row: Row, now: float) -> Cell:
    return Cell(brief_moment(row.when, now), MUTED)


def _took(row: Row, now: float) -> Cell:
    if row.when > now and row.started_at is None and not row.ended:
        return Cell(f"in {span(row.when - now)}", MUTED)
    took = row.took(now)
    return Cell("" if took is None else span(took))


def _late(row: Row, now: float) -> Cell:
    late = row.late(now)
    return Cell(f"+{span(late)}", WARNING) if late is not None and late > LATE else Cell("")


def work(row: Row, *, with_args: bool = True) -> str:
    """What it runs, on one line: the job with its args, or the command."""
    step = f"{row.step}: " if row.step else ""
    if row.job_id is None:
        return safe_line(f"{step}{row.program.line}")
    args = [f"{name}={value}" for name, value in row.args.items()] if with_args else []
    return safe_line(" ".join([step + row.job_id, *args]))


def _work(*, with_args: bool) -> Callable[[Row, float], Cell]:
    return lambda row, _: Cell(work(row, with_args=with_args))


def _job_term(row: Row) -> str:
    return "" if row.job_id is None else f"job:{quoted(row.job_id)}"


def _param(name: str) -> Column:
    def cell(row: Row, _: float) -> Cell:
        return Cell(safe_line(row.args.get(name, "")))

    def add(row: Row) -> str:
        return f"arg.{quoted(name)}={quoted(row.args[name])}" if name in row.args else ""

    return Column(Head(safe_line(name.upper()), rank=5), cell, add)


def _why(listing: Listing) -> Callable[[Row, float], Cell]:
    def cell(row: Row, now: float) -> Cell:
        said = why(row, now)
        first = listing.original(row.id) if listing.folded(row.id) else None
        if first is None:
            return said
        return Cell("; ".join(filter(None, (said.text, f"first at {brief_moment(first.when, now)}"))), said.tone)

    return cell


def why(row: Row, now: float) -> Cell:
    """What the state alone does not tell: what it waits for, what holds it, how it ended."""
    if row.state in ("success", "failure") and row.reason != "by-hand":  # what is marked says so, and what it was
        return Cell(_ending(row), row.state if row.state == "failure" else MUTED)
    if row.unreachable_since is not None:
        return Cell(f"unreachable for {span(now - row.unreachable_since)}: {safe_line(row.message)}", WARNING)
    if row.held:
        return Cell(safe_line(row.held), WARNING)
    if row.survivors:
        return Cell(f"still alive: {', '.join(map(str, row.survivors))}", WARNING)
    if row.state == "running":
        return Cell("")
    return Cell(safe_line(row.message) or row.reason, row.state if row.state == "error" else MUTED)


def _ending(row: Row) -> str:
    parts = []
    if row.signal is not None:
        parts.append(f"signal {signal_name(row.signal)}")
    elif row.exit_code:
        parts.append(f"exit {row.exit_code}")
    if row.cause:
        parts.append({"timeout": "timed out", "stop": "stopped"}.get(row.cause, str(row.cause)))
    if row.output_lost:
        parts.append("some output is lost")
    return ", ".join(parts)
