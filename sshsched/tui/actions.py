"""What can be done to runs, in one table: the key, what will happen, and the call that makes it so.

Rule: another action is another row. Each one asks first, says what it would do to whom, and is done in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sshsched.cli.safe import safe_line
from sshsched.service.client import Client
from sshsched.tui.columns import work
from sshsched.tui.model import ENDED, ON_HOST, Row, Shape

NAMED = 3  # runs that a question names one by one
UNSTARTED = frozenset({"scheduled", "waiting"})
ANY = ENDED | ON_HOST | UNSTARTED
OUTCOMES = (("s", "success"), ("f", "failure"), ("e", "error"), ("k", "skipped"))


class Wish(NamedTuple):
    """Which runs, who asks, and what has been chosen for them, if the action offers a choice."""

    names: Sequence[str]
    by: str
    choice: str = ""


class Action(NamedTuple):
    """`about` is for the help, `fits` tells the states that it is for, `effect` what will happen to a run.

    `choices` are offered first, each with its key; `call` returns the runs that have come of it.
    """

    name: str
    key: str
    about: str
    fits: frozenset[str]
    effect: Callable[[Row, str], str]
    call: Callable[[Client, Wish], Sequence[Shape]]
    choices: Sequence[tuple[str, str]] = ()


def _stopped(row: Row, _: str) -> str:
    if row.state in ON_HOST:
        return "a signal to all its processes, KILL after its grace time"
    return "it has not begun: it will be skipped"


def _hold(client: Client, wish: Wish) -> Sequence[Shape]:
    found: Sequence[Shape] = client.hold({"runs": list(wish.names)}, by=wish.by)["runs"]
    return found


def _release(client: Client, wish: Wish) -> Sequence[Shape]:
    found: Sequence[Shape] = client.release({"runs": list(wish.names)}, by=wish.by)["runs"]
    return found


ACTIONS = (
    Action(
        "stop", "s", "end programs, and skip what has not begun", ON_HOST | UNSTARTED, _stopped,
        lambda client, wish: client.stop(wish.names, by=wish.by),
    ),
    Action(
        "skip", "x", "keep what has not begun from starting", UNSTARTED,
        lambda row, _: "it will not start",
        lambda client, wish: client.stop(wish.names, by=wish.by),
    ),
    Action(
        "start", "S", "start now, past its time, its holds and its conditions", UNSTARTED,
        lambda row, _: f"it starts now{', though ' + safe_line(row.message) if row.message else ''}",
        lambda client, wish: client.start(wish.names, by=wish.by),
    ),
    Action(
        "rerun", "r", "run again what has ended, as its job is now", ENDED,
        lambda row, _: "a new run; of a job, as that is now",
        lambda client, wish: client.rerun(wish.names, by=wish.by),
    ),
    Action(
        "mark", "m", "take what has ended for another outcome", ENDED,
        lambda row, outcome: f"what depends on it goes on as after {outcome}",
        lambda client, wish: client.mark(wish.names, wish.choice, by=wish.by),
        OUTCOMES,
    ),
    Action(
        "hold", "h", "keep from starting until released", UNSTARTED,
        lambda row, _: "it waits until it is released", _hold,
    ),
    Action(
        "release", "u", "let go what is held", UNSTARTED | {"running"},
        lambda row, _: "its conditions are asked again" if row.held else "nobody holds it: nothing happens", _release,
    ),
)  # fmt: skip
FOOTER = ("stop", "rerun")
"""Actions that the line of keys has room for; the help and the palette tell all."""


class Question(NamedTuple):
    """What is asked before anything is done: a title, and a line for each thing that will happen."""

    title: str
    lines: Sequence[str] = ()
    names: Sequence[str] = ()
    """The runs that it is about; empty if there is nothing to do, and then the title says why."""


def question(action: Action, rows: Sequence[Row], choice: str = "") -> Question:
    """What to ask before an action on these rows."""
    fit = [row for row in rows if row.state in action.fits and not row.planned and row.state != choice]
    if not fit:
        return Question(_refusal(action, rows, choice))
    who = fit[0].name if len(fit) == 1 else f"{len(fit)} runs"
    lines = [f"{_named(row)} ({row.state}): {action.effect(row, choice)}" for row in fit]
    if len(lines) > NAMED:
        lines = [*lines[:NAMED], f"and {len(lines) - NAMED} more"]
    if left := len(rows) - len(fit):
        lines.append(f"{left} of those chosen cannot be: {action.name} is for {_states(action)}")
    return Question(f"{action.name} {who}{' as ' + choice if choice else ''}?", lines, [row.name for row in fit])


def _named(row: Row) -> str:
    return f"{row.name}  {work(row)}{'  on ' + safe_line(row.host) if row.host else ''}"


def _refusal(action: Action, rows: Sequence[Row], choice: str) -> str:
    if not rows:
        return f"{action.name}: choose a run first"
    row = rows[0]
    if row.planned:
        return f"{action.name}: this is a time of a schedule, and no run yet"
    if choice and row.state == choice:
        return f"{action.name}: {row.name} is {choice} already"
    return f"{action.name}: {row.name} is {row.state}; this is for {_states(action)}"


def _states(action: Action) -> str:
    return ", ".join(sorted(action.fits))


def told(action: Action, answer: Sequence[Shape]) -> str:
    """What has come of it."""
    if len(answer) != 1:
        return f"{action.name}: {len(answer)} runs"
    run = answer[0]
    if action.name == "rerun":
        return f"{run['rerun_of']} runs again, as {run['run']}"
    if action.name == "skip" and run["state"] != "skipped":
        return f"{run['run']} has just begun, and is being stopped"  # between the look and the wish: rare
    held = safe_line(f": {run['held']}") if run["held"] else ""
    return f"{action.name} {run['run']}: it is {run['state']}{held}"
