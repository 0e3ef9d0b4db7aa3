"""What a step may use in its templates, and what it hands on: values out of other steps and out of its output.

Rule: pure. Values are looked up when a template asks for them, so a step costs what it uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sshsched.domain.graph import Graph
from sshsched.domain.model import Run
from sshsched.domain.plan import Step
from sshsched.domain.states import State
from sshsched.domain.steps import FAILED, Steps

MOST_ITEMS: Final = 1000
MOST_OUTPUT: Final = 1 << 20
"""Bytes of standard output in which what a step hands on is looked for: the last ones."""
WARNED: Final = "outputs"
"""The warning of a run in whose output something was not found."""
WHOLE: Final = ("json", "last_line", "text")
"""What `outputs` may say besides a regular expression."""

Search = Callable[[str, str], str | None]
"""What a regular expression finds in a text: its first group, or all of it. Raises ValueError if it takes too long."""

_ITEM: Final = re.compile(r"[\w.+:/=,@%-]{1,60}")


class Lookup:
    """A mapping for templates only. It has no names of its own, so `steps.items` is the step called items."""

    __slots__ = ("_get",)

    def __init__(self, get: Callable[[str], Any]) -> None:
        self._get = get

    def __getitem__(self, name: str) -> Any:
        return self._get(name)


def values_for(root: Run, graph: Graph, steps: Steps) -> dict[str, Any]:
    """What templates of a step may use, before the step's own variables."""
    return {
        "job_id": root.job_id or "",
        "schedule_time": datetime.fromtimestamp(root.due_at, UTC).isoformat(),
        **root.args,
        "workflow": root.name,
        "steps": Lookup(lambda name: _step(graph, name, steps)),
    }


def with_variables(values: dict[str, Any], step: Step, fill: Callable[[str, Mapping[str, Any]], str]) -> dict[str, Any]:
    """The values with a step's variables, each of which may use those before it. Raises ValueError."""
    for name, text in step.variables.items():
        try:
            values[name] = fill(text, values)
        except ValueError as error:
            raise ValueError(f"variables.{name}: {error}") from None
    return values


def _step(graph: Graph, name: str, steps: Steps) -> Lookup:
    """What is known of a step; of one that was repeated, of all its runs together."""
    step = graph.steps.get(name)
    if step is None:
        runs = [(graph.steps[each], run) for each in graph.variants.get(name, ()) if (run := steps.newest(each))]
    else:
        runs = [(step, run) for run in steps.each(name).values()]
    if runs:
        return Lookup(_facts_of_all(runs).__getitem__)
    run = steps.newest(name)
    facts: dict[str, Any] = {} if step is None or run is None else _facts(step, run)
    return Lookup(facts.__getitem__)


def _facts(step: Step, run: Run) -> dict[str, Any]:
    return {
        "state": str(run.state),
        "run": run.name,
        "host": run.host,
        "exit_code": None if run.outcome is None else run.outcome.exit_code,
        "outputs": Lookup(lambda name: _value(step, run, name)),
    }


def _facts_of_all(runs: list[tuple[Step, Run]]) -> dict[str, Any]:
    states = {run.state for _, run in runs}
    worst = next((state for state in (State.ERROR, State.FAILURE, State.SKIPPED) if state in states), State.SUCCESS)
    return {
        "state": str(worst),
        "runs": Listed(run.name for _, run in runs),
        "outputs": Lookup(lambda name: Listed(_value(step, run, name) for step, run in runs)),
    }


def _value(step: Step, run: Run, name: str) -> Any:
    return _told(json.loads(run.values[name])) if step.outputs.get(name) == "json" else run.values[name]


class Listed(list[Any]):
    """A list that a template prints as JSON, which `foreach` reads."""

    def __str__(self) -> str:
        return json.dumps(self)


class Told(dict[str, Any]):
    """A mapping that a template prints as JSON."""

    def __str__(self) -> str:
        return json.dumps(self)


def _told(part: Any) -> Any:
    if isinstance(part, list):
        return Listed(map(_told, part))
    return Told({name: _told(each) for name, each in part.items()}) if isinstance(part, dict) else part


def items_of(text: str) -> list[tuple[str, str]]:
    """The items that a filled-in `foreach` gives, as (name, text): a JSON list, or lines. Raises ValueError."""
    stripped = text.strip()
    if stripped.startswith("["):
        try:
            found = json.loads(stripped)
        except ValueError as error:
            raise ValueError(f"foreach: no JSON list: {error}; or give one item a line") from None
        items = [item if isinstance(item, str) else json.dumps(item) for item in found]
    else:
        items = [line.strip() for line in stripped.splitlines() if line.strip()]
    if len(items) > MOST_ITEMS:
        raise ValueError(f"foreach: {len(items)} items are too many; at most {MOST_ITEMS}")
    fits = len(set(items)) == len(items)
    return [(item if fits and _ITEM.fullmatch(item) else str(index), item) for index, item in enumerate(items, 1)]


def waits_for_outputs(step: Step, run: Run) -> bool:
    """Whether a run has ended, and what it hands on has still to be found in its output."""
    return bool(step.outputs) and ran(run) and not run.values and WARNED not in run.warned


def ran(run: Run) -> bool:
    """Whether a run ended after its program had begun."""
    return run.finished and run.started_at is not None


def extracted(outputs: Mapping[str, str], data: bytes, search: Search) -> tuple[dict[str, str], tuple[str, ...]]:
    """What a standard output holds of what is to be handed on, and in words what it does not."""
    text = data.decode(errors="replace")
    values: dict[str, str] = {}
    missing: list[str] = []
    for name, how in outputs.items():
        try:
            values[name] = _found(how, text, search)
        except ValueError as error:
            missing.append(f"output {name}: {error}")
    return values, tuple(missing)


def _found(how: str, text: str, search: Search) -> str:
    if how == "text":
        return text.rstrip("\n")
    if how == "last_line":
        if lines := [line for line in text.splitlines() if line.strip()]:
            return lines[-1].strip()
        raise ValueError("its standard output is empty")
    if how == "json":
        return json.dumps(_json(text))
    if (found := search(how, text)) is not None:
        return found
    raise ValueError(f"nothing in its standard output matches {how}")


def _json(text: str) -> Any:
    """The whole output as JSON, or its last line that is some."""
    for candidate in (text, *reversed([line for line in text.splitlines() if line.strip()][-20:])):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    raise ValueError("neither its standard output nor a line of its end is JSON")


def failed_words(steps: Steps) -> str:
    """build failed (r12), test failed (r13) and 3 more; empty if nothing has failed."""
    told = [f"{place} {_verb(run)} ({run.name})" for place, run in _first(steps.failed, 3)]
    more = len(steps.failed) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def _first(runs: Mapping[str, Run], count: int) -> Iterator[tuple[str, Run]]:
    for index, pair in enumerate(runs.items()):
        if index == count:
            return
        yield pair


def _verb(run: Run) -> str:
    return "failed" if run.state in FAILED else str(run.state)


def progress(graph: Graph, steps: Steps) -> str:
    """3 of 7 steps done, build failed (r12)"""
    failed = failed_words(steps)
    more = sum(len(steps.each(name)) - 1 for name in steps.bases if name in graph.steps and steps.each(name))
    return f"{steps.done} of {len(graph.steps) + more} steps done" + (f", {failed}" if failed else "")
