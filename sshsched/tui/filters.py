"""The filter line: text to conditions on rows, what of it the store can answer, and completion.

Rule: pure; `now` is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sshsched.cli.times import parse_since
from sshsched.domain.model import run_id
from sshsched.domain.nearest import unknown
from sshsched.domain.states import FINISHED, LIVE, State
from sshsched.errors import UsageError
from sshsched.store.filter import RunFilter
from sshsched.tui.model import PLANNED, Row

Test = Callable[[Row], bool]
NAMES = ("state", "job", "host", "label", "by", "since", "until")
GROUPS = {"live": LIVE, "finished": FINISHED, "failed": frozenset({State.FAILURE, State.ERROR})}
STATES = (*(str(state) for state in State), *GROUPS)
_TERM = re.compile(r'(!?)(?:([\w.]+)([:=]))?("(?:[^"\\]|\\.)*"?|\S+)')


@dataclass(frozen=True)
class Filter:
    """What a text asks for: every test must hold. `where` is as much of it as the store can look up by index."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    where: RunFilter = field(default_factory=RunFilter)

    def matches(self, row: Row) -> bool:
        return all(test(row) for test in self.tests)


def parse(text: str, now: float) -> Filter:
    """`state:running,failure job:reports/* host:web1 label:nightly arg.date=2026-11-22 since:2h !text`.

    Raises UsageError.
    """
    tests: list[Test] = []
    where: dict[str, Any] = {"args": {}}
    for negated, name, sign, raw in _TERM.findall(text):
        value = _unquoted(raw)
        test = _word(value) if not name else _test(name, sign, value, now)
        tests.append(_not(test) if negated else test)
        if not negated and name:
            _narrow(where, name, value, now)
    return Filter(text, tuple(tests), RunFilter(**where))


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", r"\1", text[1:].removesuffix('"'))


def _not(test: Test) -> Test:
    return lambda row: not test(row)


def _word(value: str) -> Test:
    wanted, number = value.casefold(), run_id(value) if value.startswith("r") else None

    def test(row: Row) -> bool:
        if number is not None and row.id == number:
            return True
        parts = (row.job or "", row.command, row.host, row.message, row.by, *row.labels, *row.args.values())
        return any(wanted in part.casefold() for part in parts)

    return test


def _test(name: str, sign: str, value: str, now: float) -> Test:
    values = value.split(",")
    if name.startswith("arg.") or sign == "=":
        key = name.removeprefix("arg.")
        return lambda row: row.args.get(key) in values
    if name == "state":
        wanted = frozenset(state for each in values for state in _states(each))
        return lambda row: row.state in wanted or (row.state == PLANNED and "scheduled" in wanted)
    if name == "job":
        return lambda row: row.job is not None and any(_covers(each, row.job) for each in values)
    if name == "host":
        return lambda row: row.host in values
    if name == "label":
        return lambda row: any(each in row.labels for each in values)
    if name == "by":
        return lambda row: row.by in values
    if name in ("since", "until"):
        at = parse_since(value, now)
        return (lambda row: row.created >= at) if name == "since" else (lambda row: row.created < at)
    raise UsageError(f"filter: {unknown(name, (*NAMES, 'arg.NAME'))}")


def _states(name: str) -> Iterable[str]:
    if name in GROUPS:
        return map(str, GROUPS[name])
    if name not in STATES:
        raise UsageError(f"filter: state: {unknown(name, STATES)}")
    return (name,)


def _covers(pattern: str, job: str) -> bool:
    return job.startswith(pattern[:-1]) if pattern.endswith("/*") else job == pattern


def _narrow(where: dict[str, Any], name: str, value: str, now: float) -> None:
    if name == "state":
        where["states"] = frozenset(State(state) for each in value.split(",") for state in _states(each))
    elif name in ("since", "until"):
        where[name] = parse_since(value, now)
    elif "," in value:
        return
    elif name.startswith("arg."):
        where["args"][name.removeprefix("arg.")] = value
    elif name in ("job", "host", "label"):
        where[name] = value


def complete(text: str, known: Mapping[str, Iterable[str]]) -> list[str]:
    """The ways in which the last term may go on, whole; `known` are values by name of a term, such as all hosts."""
    before, _, last = text.rpartition(" ")
    head = f"{before} " if before else ""
    bang = "!" if last.startswith("!") else ""
    name, colon, value = last.removeprefix("!").partition(":")
    if not colon:
        offers = [f"{each}:" for each in NAMES] + [f"arg.{each}=" for each in known.get("arg", ())]
        return [f"{head}{bang}{each}" for each in offers if each.startswith(name) and each != name]
    done, comma, part = value.rpartition(",")
    offers = [*(STATES if name == "state" else known.get(name, ()))]
    return [f"{head}{bang}{name}:{done}{comma}{each}" for each in offers if each.startswith(part) and each != part]


def added(text: str, term: str) -> str:
    """The filter with one more term, or without it if it is there already."""
    terms = text.split()
    return " ".join(each for each in terms if each != term) if term in terms else " ".join([*terms, term])
