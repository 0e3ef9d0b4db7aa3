"""Which runs are meant: the one filter of commands, screen, API and store.

Rule: what a term means is said here once, in Python; `filter_sql` says the same in SQL, and one suite holds both to it.
`filter_text` is how people write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sshsched.domain.model import Run
from sshsched.domain.states import FINISHED, LIVE, State

WORDS_LIMIT = 4000
LATE = 60.0
"""Seconds after its time from which on a run counts as late."""

GROUPS: Mapping[str, frozenset[State]] = {
    "live": LIVE,
    "finished": FINISHED,
    "failed": frozenset({State.FAILURE, State.ERROR}),
}
"""States that have a name together."""
NOT_BEGUN = frozenset({State.SCHEDULED, State.WAITING, State.STARTING})
LATE_WORD, UNREACHABLE_WORD, HELD_WORD = "late", "unreachable", "held"
IS = (*GROUPS, LATE_WORD, UNREACHABLE_WORD, HELD_WORD)


class Field(StrEnum):
    """What a term is about."""

    STATE = "state"
    IS = "is"
    JOB = "job"
    HOST = "host"
    LABEL = "label"
    ARG = "arg"
    BY = "by"
    SINCE = "since"
    UNTIL = "until"
    RUN = "run"
    ROOT = "root"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: any of `values`, or with `negated` none of them.

    `values` of JOB, HOST and BY may hold `*` for any text; those of RUN and ROOT are names (`r12`), those of IS in IS.
    `name` is the argument's, for ARG. `at` is in seconds since 1970: for SINCE (inclusive) and UNTIL (exclusive) what
    `created_at` is held against, for IS the moment at which something is late.
    """

    field: Field
    values: tuple[str, ...] = ()
    name: str = ""
    at: float = 0.0
    negated: bool = False

    def matches(self, run: Run) -> bool:
        return _MATCHES[self.field](self, run) is not self.negated


@dataclass(frozen=True, slots=True, init=False)
class RunFilter:
    """A run must match every term; without terms it is any run."""

    terms: tuple[Term, ...]

    def __init__(
        self,
        terms: Iterable[Term] = (),
        *,
        states: frozenset[State] = frozenset(),
        job: str | None = None,
        host: str | None = None,
        label: str | None = None,
        since: float | None = None,
        until: float | None = None,
        ids: frozenset[int] | None = None,
        args: Mapping[str, str] | None = None,
        text: str | None = None,
    ) -> None:
        """Terms as they are, and for each word that is given one more: how code says what it means."""
        found = list(terms)
        if ids is not None:
            found.append(Term(Field.RUN, tuple(f"r{id}" for id in sorted(ids))))
        if states:
            found.append(Term(Field.STATE, in_order(states)))
        for field, value in ((Field.JOB, job), (Field.HOST, host), (Field.LABEL, label), (Field.TEXT, text)):
            if value is not None:
                found.append(Term(field, (value,)))
        found += [Term(field, at=at) for field, at in ((Field.SINCE, since), (Field.UNTIL, until)) if at is not None]
        found += [Term(Field.ARG, (value,), name) for name, value in (args or {}).items()]
        object.__setattr__(self, "terms", tuple(found))

    def matches(self, run: Run) -> bool:
        return all(term.matches(run) for term in self.terms)

    def allows(self, job: str | None) -> bool:
        """Whether a run of this job (None: of none) can match: what the other terms say of it is left open."""
        return all(_like(term.values, job) is not term.negated for term in self.terms if term.field is Field.JOB)

    def __and__(self, other: RunFilter) -> RunFilter:
        """Runs that match both."""
        return RunFilter((*self.terms, *other.terms))


def in_order(states: Iterable[State]) -> tuple[str, ...]:
    """States as the values of a term, in the order of a run's life."""
    found = set(states)
    return tuple(state.value for state in State if state in found)


def fold(text: str) -> str:
    """The same text for all ways to write it large or small; what is no Unicode becomes a question mark."""
    return text.casefold().encode(errors="replace").decode()


def words(run: Run) -> str:
    """All that a text is looked for in, one thing per line; a text of many lines may match across them.

    Cut after 4000 characters, or a program with 100 KB of arguments would double its size in the store.
    """
    program = run.program
    parts = [run.job_id or "", run.host, run.message, run.by, *run.labels]
    parts += [f"{name}={value}" for name, value in run.args.items()]
    parts += [program.command or "", " ".join(program.argv)]
    return fold("\n".join(part[:WORDS_LIMIT] for part in parts if part)[:WORDS_LIMIT])


def late(run: Run, now: float) -> bool:
    """Whether it began a minute or more after its time, or has not begun by now though its time was a minute ago."""
    begun = now if run.started_at is None and run.state in NOT_BEGUN else run.started_at
    return begun is not None and begun - run.due_at > LATE


def _is(term: Term, run: Run) -> bool:
    return any(_is_word(word, run, term.at) for word in term.values)


def _is_word(word: str, run: Run, now: float) -> bool:
    if word in GROUPS:
        return run.state in GROUPS[word]
    if word == LATE_WORD:
        return late(run, now)
    return run.state in LIVE and (bool(run.held) if word == HELD_WORD else run.unreachable_since is not None)


def _like(values: tuple[str, ...], text: str | None) -> bool:
    return text is not None and any(value == text or ("*" in value and _pattern(value)(text)) for value in values)


@lru_cache(maxsize=64)
def _pattern(value: str) -> Callable[[str], object]:
    return re.compile(".*".join(map(re.escape, value.split("*"))), re.DOTALL).fullmatch


_MATCHES: Mapping[Field, Callable[[Term, Run], bool]] = {
    Field.STATE: lambda term, run: run.state in term.values,
    Field.IS: _is,
    Field.JOB: lambda term, run: _like(term.values, run.job_id),
    Field.HOST: lambda term, run: _like(term.values, run.host),
    Field.LABEL: lambda term, run: any(value in run.labels for value in term.values),
    Field.ARG: lambda term, run: run.args.get(term.name) in term.values,
    Field.BY: lambda term, run: _like(term.values, run.by),
    Field.SINCE: lambda term, run: run.created_at >= term.at,
    Field.UNTIL: lambda term, run: run.created_at < term.at,
    Field.RUN: lambda term, run: run.name in term.values,
    Field.ROOT: lambda term, run: f"r{run.root}" in term.values,
    Field.TEXT: lambda term, run: any(fold(value) in words(run) for value in term.values),
}
