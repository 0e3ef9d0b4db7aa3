"""What may stand next in a filter, while it is typed: for the screen's line and for the shell's TAB.

Rule: pure and forgiving; a half-typed term is the usual case, not a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sshsched.domain.states import State
from sshsched.store.filter import IS, Field
from sshsched.store.filter_text import NAMES, Token, quoted, tokens

MOMENTS = ("1h", "24h", "7d", "today", "yesterday")
ABOUT: Mapping[Field, str] = {
    Field.STATE: "running, failure, ...",
    Field.IS: "live, finished, failed, late, unreachable, held",
    Field.JOB: "a job, or reports/*",
    Field.HOST: "where it runs",
    Field.LABEL: "a label",
    Field.BY: "who asked for it",
    Field.SINCE: "made then or later: 2h, today, 2026-11-22",
    Field.UNTIL: "made before then",
    Field.RUN: "r12,r13",
    Field.ROOT: "steps of this workflow's run",
}


@dataclass(frozen=True, slots=True)
class Known:
    """Values that there are, best first. `args` holds the values of each argument's name."""

    jobs: Sequence[str] = ()
    hosts: Sequence[str] = ()
    labels: Sequence[str] = ()
    authors: Sequence[str] = ()
    runs: Sequence[str] = ()
    args: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Suggestion(NamedTuple):
    """Put `text` where the line has [begin:end]. `about` helps to choose."""

    begin: int
    end: int
    text: str
    about: str = ""


def complete(line: str, cursor: int, known: Known) -> list[Suggestion]:
    """What may come at the cursor: names of terms at the begin of one, values after its colon.

    Those that begin with what is typed come first, then those that hold it.
    """
    typed = line[:cursor]
    token = next((each for each in tokens(typed) if each.end == cursor and each.begin < cursor), None)
    if token is None or not token.name:
        begin = cursor if token is None else token.value
        return _offered(typed, begin, cursor, _names(known))
    if token.name not in (*NAMES, Field.ARG.value):
        return []
    begin = max(token.value, typed.rfind(",", token.value) + 1)
    return _offered(typed, begin, cursor, ((quoted(value), "") for value in _values(token, known)))


def _offered(typed: str, begin: int, cursor: int, offers: Iterator[tuple[str, str]]) -> list[Suggestion]:
    wanted = typed[begin:].strip('"').casefold()
    found = [(text.strip('"').casefold(), text, about) for text, about in dict(offers).items()]
    first = [Suggestion(begin, cursor, text, about) for bare, text, about in found if bare.startswith(wanted)]
    later = [Suggestion(begin, cursor, text, about) for bare, text, about in found if wanted in bare[1:]]
    return list(dict.fromkeys([*first, *later]))


def _names(known: Known) -> Iterator[tuple[str, str]]:
    yield from ((f"{name}:", ABOUT[Field(name)]) for name in NAMES)
    yield from ((f"arg.{quoted(name)}=", "an argument") for name in known.args)


def _values(token: Token, known: Known) -> Sequence[str]:
    if token.name == Field.ARG:
        return known.args.get(token.arg, ())
    return _KNOWN[Field(token.name)](known)


def _jobs(known: Known) -> Sequence[str]:
    """The jobs and their folders."""
    folders = {f"{job.rpartition('/')[0]}/*": None for job in known.jobs if "/" in job}
    return (*folders, *known.jobs)


_KNOWN: Mapping[Field, Callable[[Known], Sequence[str]]] = {
    Field.STATE: lambda known: tuple(State),
    Field.IS: lambda known: IS,
    Field.JOB: _jobs,
    Field.HOST: lambda known: known.hosts,
    Field.LABEL: lambda known: known.labels,
    Field.BY: lambda known: known.authors,
    Field.SINCE: lambda known: MOMENTS,
    Field.UNTIL: lambda known: MOMENTS,
    Field.RUN: lambda known: known.runs,
    Field.ROOT: lambda known: known.runs,
}
