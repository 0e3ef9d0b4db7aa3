"""The columns of runs, and which of them say most about the runs at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sshsched.cli.lists import Field
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import COLOURS, marked
from sshsched.cli.table import Column, dim
from sshsched.cli.times import ago, brief_moment, from_iso, span
from sshsched.cli.verdict import Shape, finished, place, result, work

ARG = "arg."
MOST_ARGS = 4  # more columns than that, and nobody finds anything


def _state_tone(cell: str) -> str:
    return COLOURS.get(cell.rpartition(" ")[2], "")


def _moment(run: Shape) -> str:
    """When it began, or is to begin."""
    return str(run["started_at"] or run["schedule_time"] or run["created_at"])


def _at(run: Shape) -> float:
    return from_iso(_moment(run)) or 0.0


def _took(run: Shape, now: float) -> str:
    started = from_iso(run["started_at"])
    if run["elapsed"] is None and started is not None and not finished(run):
        return span(now - started)
    return "" if run["elapsed"] is None else span(run["elapsed"])


def _args(run: Shape) -> str:
    return " ".join(safe_line(f"{name}={value}") for name, value in run["args"].items())


def _plain(column: Column, name: str) -> Field[Shape]:
    """A field of the shape as it is."""
    return Field(column, lambda run, _: safe_line("" if run[name] is None else str(run[name])), lambda run: run[name])


FIELDS: dict[str, Field[Shape]] = {
    "run": Field(Column("RUN"), lambda run, _: str(run["run"]), lambda run: int(run["run"][1:])),
    "state": Field(Column("STATE", tone=_state_tone), lambda run, _: marked(run["state"]), lambda run: run["state"]),
    "host": Field(Column("HOST", rank=1), lambda run, _: place(run)),
    "what": Field(Column("WHAT", stretch=True), lambda run, _: work(run)),
    "job": _plain(Column("JOB", stretch=True), "job"),
    "args": Field(Column("ARGS", stretch=True), lambda run, _: _args(run)),
    "labels": Field(Column("LABELS", stretch=True, rank=3), lambda run, _: safe_line(",".join(run["labels"]))),
    "by": _plain(Column("BY", rank=3), "by"),
    "when": Field(Column("WHEN", rank=4), lambda run, now: brief_moment(from_iso(_moment(run)) or now, now), _moment),
    "ago": Field(
        Column("AGO", right=True, rank=5, tone=dim), lambda run, now: ago(from_iso(_moment(run)) or now, now), _moment
    ),
    "took": Field(Column("TOOK", right=True, rank=3), _took, lambda run: run["elapsed"]),
    "result": Field(Column("RESULT", stretch=True, rank=2), lambda run, _: result(run)),
    "reason": _plain(Column("REASON"), "reason"),
    "attempt": _plain(Column("TRY", right=True, rank=4), "attempt"),
    "root": _plain(Column("ROOT", rank=4), "root"),
    "step": _plain(Column("STEP", rank=4), "step"),
    "held": _plain(Column("HELD", stretch=True), "held"),
    "priority": _plain(Column("PRIORITY", right=True), "priority"),
    "created": _plain(Column("CREATED"), "created_at"),
    "due": _plain(Column("DUE"), "schedule_time"),
    "started": _plain(Column("STARTED"), "started_at"),
    "finished": _plain(Column("FINISHED"), "finished_at"),
    "exit": _plain(Column("EXIT", right=True), "exit_code"),
    "memory": _plain(Column("MEMORY", right=True), "max_rss"),
    "stdout": _plain(Column("STDOUT", right=True), "stdout_size"),
    "stderr": _plain(Column("STDERR", right=True), "stderr_size"),
}
USUAL = ("run", "state", "host", "when", "ago", "took", "what", "result")


def fields_for(names: Iterable[str]) -> dict[str, Field[Shape]]:
    """FIELDS, and `arg.NAME` for each of these names."""
    return {**FIELDS, **{f"{ARG}{name}": _arg(name) for name in names}}


def arg_names(text: str) -> list[str]:
    """The arguments that `--columns` or `--sort` name."""
    words = (word.strip().lstrip("+-") for word in text.split(","))
    return [word.removeprefix(ARG) for word in words if word.startswith(ARG)]


def telling(runs: Sequence[Shape]) -> tuple[list[str], list[str], str]:
    """For people: the columns that tell these runs apart, the arguments among them, and what they have in common.

    Where all are of jobs with the same params, each argument is a column of its own.
    """
    jobs = {run["job"] for run in runs}
    params = {tuple(run["args"]) for run in runs}
    args = list(next(iter(params))) if len(params) == 1 and None not in jobs else []
    if not args or len(args) > MOST_ARGS:
        return list(USUAL), [], ""
    what = [*([] if len(jobs) == 1 else ["job"]), *(f"{ARG}{name}" for name in args)]
    at = USUAL.index("what")
    caption = safe_line(next(iter(jobs))) if len(jobs) == 1 else ""
    return [*USUAL[:at], *what, *USUAL[at + 1 :]], args, caption


def _arg(name: str) -> Field[Shape]:
    value: Callable[[Shape], Any] = lambda run: run["args"].get(name)  # noqa: E731  it is used twice
    return Field(Column(safe_line(name).upper(), stretch=True), lambda run, _: safe_line(value(run) or ""), value)
