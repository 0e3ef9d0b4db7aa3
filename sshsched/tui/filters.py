"""The filter line of the screen: what it lists, what the store is asked, and what may come next.

Rule: pure; the grammar is `store.filter_text`, the same as that of commands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from sshsched.store.filter import RunFilter
from sshsched.store.filter_complete import Known
from sshsched.store.filter_text import parse as parse_terms
from sshsched.store.filter_text import tokens
from sshsched.tui.model import Row

MOST_KNOWN = 200  # values that completion offers of one kind


class Filter(NamedTuple):
    """What a text asks for."""

    text: str = ""
    where: RunFilter = RunFilter()

    def matches(self, row: Row) -> bool:
        """Rows have the fields that a filter asks of a run."""
        return self.where.matches(cast(Any, row))


def parse(text: str, now: float) -> Filter:
    """The filter that a text means at `now`. Raises UsageError."""
    return Filter(text.strip(), parse_terms(text, now))


def added(text: str, term: str) -> str:
    """The filter with one more term, or without it if it is there already."""
    terms = [text[each.begin : each.end] for each in tokens(text)]
    return " ".join(each for each in terms if each != term) if term in terms else " ".join([*terms, term])


def known(rows: Iterable[Row], hosts: Iterable[str], jobs: Iterable[str]) -> Known:
    """The values that can be offered, from what the screen knows; the newest rows come first."""
    found: dict[str, dict[str, None]] = {"jobs": dict.fromkeys(jobs), "hosts": dict.fromkeys(hosts)}
    labels: dict[str, None] = {}
    authors: dict[str, None] = {}
    args: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.job_id is not None:
            found["jobs"][row.job_id] = None
        found["hosts"][row.host] = None
        labels |= dict.fromkeys(row.labels)
        authors[row.by] = None
        for name, value in row.args.items():
            values = args.setdefault(name, {})
            if len(values) < MOST_KNOWN:
                values[value] = None
    return Known(
        jobs=tuple(found["jobs"]),
        hosts=tuple(filter(None, found["hosts"])),
        labels=tuple(labels),
        authors=tuple(filter(None, authors)),
        args={name: tuple(values) for name, values in args.items()},
    )
