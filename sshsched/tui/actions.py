"""What can be done to runs, in one table: the key, what will happen, and the call that makes it so.

Rule: another action is another row. Each one asks first, says what it would do to whom, and is done in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sshsched.cli.safe import safe_line
from sshsched.service.client import Client
from sshsched.tui.columns import work
from sshsched.tui.model import ON_HOST, Row, Shape

NAMED = 3  # runs that a question names one by one
Call = Callable[[Client, Sequence[str], str], Sequence[Shape]]


class Action(NamedTuple):
    """`about` is for the help, `fits` tells the states that it is for, `effect` what happens, `done` what has."""

    name: str
    key: str
    about: str
    fits: frozenset[str]
    effect: Callable[[Row], str]
    done: str
    call: Call


def _stopped(row: Row) -> str:
    if row.state in ON_HOST:
        return "a signal to all its processes, KILL after its grace time"
    return "it has not begun: it will be skipped"


ACTIONS = (
    Action(
        "stop",
        "s",
        "end programs, and skip what has not begun",
        ON_HOST | {"scheduled", "waiting"},
        _stopped,
        "is being stopped",
        lambda client, names, by: client.stop(names, by=by),
    ),
    Action(
        "rerun",
        "r",
        "run again what has ended, as it was",
        frozenset({"success", "failure", "error", "skipped"}),
        lambda row: f"a new run of the same, on {safe_line(row.host)}",
        "runs again",
        lambda client, names, by: client.rerun(names, by=by),
    ),
)


class Question(NamedTuple):
    """What is asked before anything is done: a title, and a line for each thing that will happen."""

    title: str
    lines: Sequence[str]
    names: Sequence[str]
    """The runs that it is about; empty if there is nothing to do, and then the title says why."""


def question(action: Action, rows: Sequence[Row]) -> Question:
    """What to ask before an action on these rows."""
    fit = [row for row in rows if row.state in action.fits and not row.planned]
    if not fit:
        return Question(_refusal(action, rows), (), ())
    who = fit[0].name if len(fit) == 1 else f"{len(fit)} runs"
    lines = [f"{row.name}  {work(row)}  on {safe_line(row.host)} ({row.state}): {action.effect(row)}" for row in fit]
    if len(lines) > NAMED:
        lines = [*lines[:NAMED], f"and {len(lines) - NAMED} more"]
    if left := len(rows) - len(fit):
        lines.append(f"{left} of those chosen cannot be: {action.name} is for {_states(action)}")
    return Question(f"{action.name} {who}?", lines, [row.name for row in fit])


def _refusal(action: Action, rows: Sequence[Row]) -> str:
    if not rows:
        return f"{action.name}: choose a run first"
    row = rows[0]
    if row.planned:
        return f"{action.name}: this is a time of a schedule, and no run yet"
    return f"{action.name}: {row.name} is {row.state}; this is for {_states(action)}"


def _states(action: Action) -> str:
    return ", ".join(sorted(action.fits))


def told(action: Action, answer: Sequence[dict[str, Any]]) -> str:
    """What has been done."""
    if len(answer) == 1:
        run = answer[0]
        return (
            f"{run['rerun_of']} {action.done}, as {run['run']}"
            if run["rerun_of"] and action.name == "rerun"
            else (f"{run['run']} {action.done}" if run["state"] != "skipped" else f"{run['run']} is skipped")
        )
    return f"{len(answer)} runs: {action.name}, {action.done}"
