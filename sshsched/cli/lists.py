"""What all lists have in common: which columns, in which order, with or without titles.

Rule: a list is sorted by values, never by the texts that people see; `--json` is sorted the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import click

from sshsched.cli.table import Column, show
from sshsched.domain.nearest import unknown
from sshsched.errors import UsageError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Field(Generic[T]):
    """A column of a list of T: its cell at a time (now, seconds since 1970), and what it is sorted by."""

    column: Column
    cell: Callable[[T, float], str]
    key: Callable[[T], Any] | None = None
    """What to compare; the cell if it is None."""


class Wishes(NamedTuple):
    """How somebody wants a list."""

    columns: str | None = None
    sort: str | None = None
    no_headers: bool = False


def list_options(names: Iterable[str]) -> Callable[[F], F]:
    """--columns, --sort and --no-headers; the command takes them as `**wishes`."""
    known = ", ".join(names)

    def decorate(command: F) -> F:
        for option in (
            click.option("--no-headers", is_flag=True, help="Only the rows."),
            click.option("--sort", metavar="NAMES", help="By which columns, separated by commas; -NAME turns round."),
            click.option("--columns", metavar="NAMES", help=f"Which: {known}. +NAME adds to the usual ones."),
        ):
            command = option(command)
        return command

    return decorate


def chosen(fields: Mapping[str, Field[T]], usual: Sequence[str], text: str | None) -> list[str]:
    """The names of the columns to show. Raises UsageError."""
    if text is None:
        return list(usual)
    names = [name.strip() for name in text.removeprefix("+").split(",")]
    _check("--columns", names, fields)
    return [*usual, *names] if text.startswith("+") else names


def ordered(items: Iterable[T], fields: Mapping[str, Field[T]], text: str | None, now: float) -> list[T]:
    """Items in the order of `--sort`; what has no value comes last. Raises UsageError."""
    found = list(items)
    names = [] if text is None else [name.strip() for name in text.split(",")]
    _check("--sort", [name.removeprefix("-") for name in names], fields)
    for name in reversed(names):
        field = fields[name.removeprefix("-")]
        values = [(item, field.key(item) if field.key else field.cell(item, now)) for item in found]
        known = [pair for pair in values if pair[1] is not None]
        known.sort(key=lambda pair: pair[1], reverse=name.startswith("-"))
        found = [item for item, _ in (*known, *(pair for pair in values if pair[1] is None))]
    return found


def print_list(
    items: Sequence[T],
    fields: Mapping[str, Field[T]],
    names: Sequence[str],
    now: float,
    *,
    headers: bool = True,
    caption: str = "",
) -> None:
    """The table of these columns."""
    picked = [fields[name] for name in names]
    rows = [[field.cell(item, now) for field in picked] for item in items]
    show([field.column for field in picked], rows, headers=headers, caption=caption)


def _check(option: str, names: Iterable[str], fields: Mapping[str, Any]) -> None:
    for name in names:
        if name not in fields:
            raise UsageError(f"{option}: {unknown(name, fields)}")
