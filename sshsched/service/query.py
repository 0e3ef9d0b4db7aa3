"""What clients may ask after a `?`: as strict as bodies are."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import QueryParams

from sshsched.domain.nearest import unknown
from sshsched.domain.states import State
from sshsched.errors import UsageError
from sshsched.service.bodies import instant, number
from sshsched.store.filter import RunFilter
from sshsched.store.filter_text import parse

MOST_RUNS = 1000
USUAL_RUNS = 100


def only(query: QueryParams, known: Iterable[str]) -> None:
    """Raises UsageError for a parameter that is not known."""
    names = tuple(known)
    for name in query:
        if name not in names:
            raise UsageError(f"query: {unknown(name, names)}")


def run_filter(query: QueryParams, now: float) -> RunFilter:
    """The filter that a query describes: `filter`, and each other word as one more term. Raises UsageError.

    Lists are separated by commas or given again and again.
    """
    return RunFilter(
        (term for text in query.getlist("filter") for term in parse(text, now).terms),
        states=frozenset(_state(name) for name in _list(query, "states")),
        job=query.get("job"),
        host=query.get("host"),
        label=query.get("label"),
        since=_instant(query, "since"),
        until=_instant(query, "until"),
        ids=numbers(query, "ids"),
        args=dict(_pair(each) for each in query.getlist("args")),
        text=query.get("text"),
    )


def numbers(query: QueryParams, name: str) -> frozenset[int] | None:
    """Runs by name, r1,r2; None if the query has no such parameter. Raises UsageError."""
    if name not in query:
        return None
    found = frozenset(number(each, name) for each in _list(query, name))
    if not found:
        raise UsageError(f"{name}: is empty; name at least one run or leave it out")
    return found


def whole(query: QueryParams, name: str, usual: int, most: int | None = None) -> int:
    """A whole number from 0 (to `most`). Raises UsageError."""
    text = query.get(name)
    if text is None:
        return usual
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1
    if value < 0 or (most is not None and value > most):
        upto = "" if most is None else f" to {most}"
        raise UsageError(f"{name}: {text!r} is no whole number from 0{upto}")
    return value


def flag(query: QueryParams, name: str) -> bool:
    """0 or 1; 0 if it is left out. Raises UsageError."""
    return whole(query, name, 0, 1) == 1


def _list(query: QueryParams, name: str) -> list[str]:
    return [each for value in query.getlist(name) for each in value.split(",") if each]


def _state(name: str) -> State:
    try:
        return State(name)
    except ValueError:
        raise UsageError(f"states: {unknown(name, State)}") from None


def _instant(query: QueryParams, name: str) -> float | None:
    text = query.get(name)
    return None if text is None else instant(text, name)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise UsageError(f"args: {text!r} is no NAME=VALUE")
    return name, value
