"""The filter as people write it, on the command line, in the screen and in the API.

::

    state:running,failure job:reports/* host:web1 label:nightly arg.date=2026-11-22 since:2h by:ann is:late !text

A run must match every term. Commas separate alternatives, `!` turns a term round, `*` in a job, host or author stands
for any text, and a word without a name is looked for in all that a run says. Quotes ("two words") take everything
literally but `\\"` and `\\\\`.

Rule: pure, and what is not understood is refused with its place; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sshsched.domain.model import run_id
from sshsched.domain.nearest import unknown
from sshsched.domain.shape import iso
from sshsched.domain.states import State
from sshsched.errors import UsageError
from sshsched.kinds.moments import parse_since
from sshsched.store.filter import GROUPS, IS, Field, RunFilter, Term, in_order

MOST_VALUES = 100
MOST_STARS = 5
LAST_MOMENT = 253_000_000_000.0  # in the year 9987: a clock can still be read from it in every zone

NAMES = tuple(field.value for field in Field if field not in (Field.ARG, Field.TEXT))
"""What may stand before a colon."""

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_VALUE = rf'(?:{_QUOTED}|[^\s",])*'
_WORD = re.compile(rf'(?:{_QUOTED}|[^\s"])*', re.DOTALL)
_VALUES = re.compile(rf"{_VALUE}(?:,{_VALUE})*", re.DOTALL)
_EACH = re.compile(_VALUE, re.DOTALL)
_NAMED = re.compile(rf"arg\.(?P<arg>(?:{_QUOTED}|[^\s\",=:])+)=|(?P<name>[A-Za-z_]\w*):", re.DOTALL)
_PLAIN = re.compile(r"[\w@%+=:./*~^-]+")


class Token(NamedTuple):
    """One term as it was typed: from `begin` up to `end`; the value begins at `value`."""

    begin: int
    end: int
    value: int
    negated: bool
    name: str
    """`host`; `arg` for an argument; empty for a word."""
    arg: str


def parse(text: str, now: float) -> RunFilter:
    """The filter that a text means at `now` (seconds since 1970). Raises UsageError with term, place and remedy."""
    terms: list[Term] = []
    for token in tokens(text):
        try:
            terms.append(_term(text, token, now))
        except (ValueError, UsageError) as error:
            typed = text[token.begin : token.end]
            raise UsageError(f"filter: '{_short(typed)}' at character {token.begin + 1}: {error}") from None
    if sum(len(term.values) for term in terms) > MOST_VALUES:
        raise UsageError(f"filter: more than {MOST_VALUES} values; ask for less at a time")
    return RunFilter(terms)


def tokens(text: str) -> Iterator[Token]:
    """The terms of a text. A quote that is never closed ends with the text; parse() refuses it."""
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        negated = text[place] == "!"
        start = place + negated
        named = _NAMED.match(text, start)
        value = named.end() if named else start
        match = (_VALUES if named else _WORD).match(text, value)
        assert match is not None  # both match the empty text
        end = match.end()
        if end < len(text) and text[end] == '"':
            end = len(text)
        name = "" if named is None else named["name"] or "arg"
        yield Token(place, end, value, negated, name, _bare(named["arg"] or "") if named else "")
        place = end


def filter_text(where: RunFilter) -> str:
    """A text that parse() makes this filter of, at the same moment."""
    return " ".join(map(term_text, where.terms))


def term_text(term: Term) -> str:
    """The same for one term: what a key on a cell adds to the line."""
    return ("!" if term.negated else "") + _written(term)


def _written(term: Term) -> str:
    if term.field is Field.TEXT:
        return quoted(term.values[0], word=True)
    if term.field is Field.ARG:
        return f"arg.{quoted(term.name)}={_joined(term.values)}"
    if term.field in (Field.SINCE, Field.UNTIL):
        return f"{term.field}:{iso(term.at)}"
    for group, states in GROUPS.items():
        if term.field is Field.STATE and states == set(term.values):
            return f"is:{group}"
    return f"{term.field}:{_joined(term.values)}"


def _joined(values: tuple[str, ...]) -> str:
    return ",".join(map(quoted, values))


def quoted(value: str, *, word: bool = False) -> str:
    """A value as it must be written; with `word`, one that stands alone."""
    if _PLAIN.fullmatch(value) and not (word and (_NAMED.match(value) or '"' in value)):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bare(piece: str) -> str:
    """What a piece means once its quotes are read."""
    return re.sub(
        rf"({_QUOTED})", lambda match: re.sub(r"\\(.)", r"\1", match[0][1:-1], flags=re.DOTALL), piece, flags=re.DOTALL
    )


def _term(text: str, token: Token, now: float) -> Term:
    rest = text[token.value : token.end]
    if _WORD.fullmatch(rest) is None:
        raise ValueError('a quote is not closed; add one, or write \\" in quotes where it is meant')
    try:
        rest.encode()
    except UnicodeEncodeError:
        raise ValueError("it is not valid UTF-8") from None
    if not token.name:
        if not rest:
            raise ValueError("'!' stands before a term; write it in quotes if it is meant")
        return Term(Field.TEXT, (_bare(rest),), negated=token.negated)
    if token.name == "arg" and not token.arg:
        raise ValueError("write arg.NAME=VALUE")
    if token.name not in (*NAMES, "arg"):
        raise ValueError(f"{unknown(token.name, NAMES)}; a text with a colon goes in quotes")
    values = tuple(dict.fromkeys(_bare(piece) for piece in _pieces(rest)))
    if not values:
        raise ValueError('it has no value; write "" if the empty one is meant')
    field = Field(token.name)
    return _MADE.get(field, _plain)(Term(field, values, token.arg, negated=token.negated), now)


def _pieces(rest: str) -> Iterator[str]:
    place = 0
    while place <= len(rest):
        match = _EACH.match(rest, place)
        assert match is not None
        if match[0]:
            yield match[0]
        place = match.end() + 1


def _plain(term: Term, _now: float) -> Term:
    if any(value.count("*") > MOST_STARS for value in term.values) and term.field in (Field.JOB, Field.HOST, Field.BY):
        raise ValueError(f"more than {MOST_STARS} *; ask more precisely")
    return term


def _states(term: Term, _now: float) -> Term:
    found: set[State] = set()
    for value in term.values:
        _known(value, (*State, *GROUPS))
        found |= GROUPS.get(value) or {State(value)}
    return Term(Field.STATE, in_order(found), negated=term.negated)


def _is(term: Term, now: float) -> Term:
    for value in term.values:
        _known(value, IS)
    if GROUPS.keys() >= set(term.values):
        return _states(term, now)
    return Term(Field.IS, term.values, at=now, negated=term.negated)


def _known(value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(unknown(value, known))


def _moment(term: Term, now: float) -> Term:
    if len(term.values) > 1:
        raise ValueError("one time only")
    at = round(parse_since(term.values[0], now), 3)
    return Term(term.field, at=min(max(at, 0.0), LAST_MOMENT), negated=term.negated)


def _runs(term: Term, _now: float) -> Term:
    numbers = [run_id(value) for value in term.values]
    for value, number in zip(term.values, numbers, strict=True):
        if number is None:
            raise ValueError(f"'{_short(value)}' is no run; write r12")
    return Term(term.field, tuple(dict.fromkeys(f"r{number}" for number in numbers)), negated=term.negated)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


_MADE: Mapping[Field, Callable[[Term, float], Term]] = {
    Field.STATE: _states,
    Field.IS: _is,
    Field.SINCE: _moment,
    Field.UNTIL: _moment,
    Field.RUN: _runs,
    Field.ROOT: _runs,
}
