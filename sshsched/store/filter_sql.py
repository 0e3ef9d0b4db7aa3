"""A filter in SQL. Rule: values are always bound, never pasted; the index is chosen here, never by SQLite.

SQLite has no statistics to choose by, and a wrong guess walks a million rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sshsched.domain.states import LIVE
from sshsched.store.filter import GROUPS, HELD_WORD, LATE, LATE_WORD, NOT_BEGUN, Field, RunFilter, Term, fold, in_order
from sshsched.store.rows import marks

Sql = tuple[str, tuple[Any, ...]]
"""A condition, and the values to bind."""


class Source(NamedTuple):
    """Where ids come from: the name of the id there, the tables, and conditions of which each is walked on its own.

    `rank` tells how few runs it finds: the lowest is the best.
    """

    rank: int
    id: str
    tables: str
    walks: tuple[Sql, ...] = ()


ALL = Source(9, "runs.id", "runs NOT INDEXED")


def conditions(where: RunFilter) -> list[Sql]:
    """What a run must be, term by term."""
    found = []
    for term in where.terms:
        sql, values = _SQL[term.field](term)
        found.append((f"({sql}) IS NOT TRUE" if term.negated else f"({sql})", values))
    return found


def source(where: RunFilter) -> Source:
    """The index of the term that finds the fewest runs.

    Each index holds the id as its last part, so `= ?` yields ids in order and the limit ends the walk. Several values
    are walked side by side and merged. A folder of jobs or a stretch of time is sorted, from the index alone.
    """
    positive = (term for term in where.terms if not term.negated)
    return min((found for term in positive for found in _sources(term)), default=ALL, key=lambda each: each.rank)


def _sources(term: Term) -> Iterator[Source]:
    exact = not any("*" in value for value in term.values)
    match term.field:
        case Field.RUN:
            yield Source(0, "runs.id", "runs NOT INDEXED")
        case Field.STATE:
            yield _walk(1 if LIVE.issuperset(term.values) else 5, "state", term.values)
        case Field.IS if not {LATE_WORD, *GROUPS} & set(term.values):
            yield _walk(1, "state", in_order(LIVE))
        case Field.LABEL | Field.ARG:
            tables = "marks CROSS JOIN runs ON runs.id = marks.run_id"
            yield Source(2, "marks.run_id", tables, tuple(("marks.mark = ?", (mark,)) for mark in _marks(term)))
        case Field.ROOT:
            yield _walk(3, "root", _ids(term))
        case Field.JOB if exact:
            yield _walk(3, "job", term.values, "job_id")
        case Field.HOST if exact:
            yield _walk(4, "host", term.values)
        case Field.JOB if all(map(_begin, term.values)):
            ranges = tuple(_range("runs.job_id", value) for value in term.values)
            yield Source(6, "runs.id", "runs INDEXED BY runs_job", ranges)
        case Field.SINCE | Field.UNTIL:
            yield Source(7, "runs.id", "runs INDEXED BY runs_created")


def _walk(rank: int, index: str, values: tuple[Any, ...], column: str = "") -> Source:
    walks = tuple((f"runs.{column or index} = ?", (value,)) for value in values)
    return Source(rank, "runs.id", f"runs INDEXED BY runs_{index}", walks)


def _ids(term: Term) -> tuple[int, ...]:
    return tuple(int(name[1:]) for name in term.values)


def _one_of(column: str, values: tuple[Any, ...]) -> Sql:
    return f"{column} IN ({', '.join('?' * len(values))})", values


def _like(column: str, term: Term) -> Sql:
    """Texts that are equal, or fit a pattern with `*`."""
    parts = [_pattern(column, value) if "*" in value else (f"{column} = ?", (value,)) for value in term.values]
    return _any(parts)


def _pattern(column: str, value: str) -> Sql:
    if _begin(value) and value.index("*") == len(value) - 1:
        return _range(column, value)
    escaped = "".join(f"[{char}]" if char in "[?" else char for char in value)
    return f"{column} GLOB ?", (escaped,)


def _begin(pattern: str) -> str:
    """The text before the first `*`; empty where an index cannot be asked for it."""
    begin = pattern.partition("*")[0]
    return begin if begin and "*" in pattern and begin[-1].isascii() else ""


def _range(column: str, pattern: str) -> Sql:
    begin = _begin(pattern)
    after = begin[:-1] + chr(ord(begin[-1]) + 1)
    return f"{column} >= ? AND {column} < ?", (begin, after)


def _any(parts: list[Sql]) -> Sql:
    sql = " OR ".join(f"({sql})" for sql, _ in parts) or "FALSE"
    return sql, tuple(value for _, values in parts for value in values)


def _is(term: Term) -> Sql:
    return _any([_is_word(word, term.at) for word in term.values])


def _is_word(word: str, now: float) -> Sql:
    if word in GROUPS:
        return _one_of("runs.state", in_order(GROUPS[word]))
    if word == LATE_WORD:
        not_begun, states = _one_of("runs.state", in_order(NOT_BEGUN))
        begun = f"coalesce(runs.started_at, CASE WHEN {not_begun} THEN ? END)"
        return f"{begun} - coalesce(runs.not_before, runs.schedule_time, runs.created_at) > ?", (*states, now, LATE)
    live, states = _one_of("runs.state", in_order(LIVE))
    return f"{live} AND " + ("runs.held <> ''" if word == HELD_WORD else "runs.unreachable_since IS NOT NULL"), states


def _marked(term: Term) -> Sql:
    within, found = _one_of("m.mark", _marks(term))
    return f"EXISTS (SELECT 1 FROM marks AS m WHERE {within} AND m.run_id = runs.id)", found


def _marks(term: Term) -> tuple[str, ...]:
    if term.field is Field.LABEL:
        return tuple(sorted(marks({}, term.values)))
    return tuple(sorted({mark for value in term.values for mark in marks({term.name: value}, ())}))


_SQL: Mapping[Field, Callable[[Term], Sql]] = {
    Field.STATE: lambda term: _one_of("runs.state", term.values),
    Field.IS: _is,
    Field.JOB: lambda term: _like("runs.job_id", term),
    Field.HOST: lambda term: _like("runs.host", term),
    Field.LABEL: _marked,
    Field.ARG: _marked,
    Field.BY: lambda term: _like('runs."by"', term),
    Field.SINCE: lambda term: ("runs.created_at >= ?", (term.at,)),
    Field.UNTIL: lambda term: ("runs.created_at < ?", (term.at,)),
    Field.RUN: lambda term: ("runs.id IN (SELECT value FROM json_each(?))", (str(list(_ids(term))),)),
    Field.ROOT: lambda term: _one_of("runs.root", _ids(term)),
    Field.TEXT: lambda term: _any([("instr(runs.words, ?) > 0", (fold(value),)) for value in term.values]),
}
