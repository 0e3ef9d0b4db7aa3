"""Options that several commands share, and what their texts mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from sshsched.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def duration(text: str) -> float:
    """Seconds in `90`, `5m`, `1h30m`; click shows the name of this function in its help."""
    from sshsched.kinds.moments import parse_duration

    return parse_duration(text)


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def archive_option(command: F) -> F:
    """For commands that read: from then on, App.reader() and App.files() are those of the archive."""

    def choose(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        context.obj.archive = value

    return click.option(
        "--archive", metavar="FILE", expose_value=False, callback=choose, help="Look into this archive instead."
    )(command)


def waiting_options(command: F) -> F:
    """For commands that make runs."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="While waiting, say nothing on the standard error."),
        click.option("--raw", is_flag=True, help="With --output: let escape sequences reach the terminal."),
        click.option("-o", "--output", is_flag=True, help="Stream the output; implies --wait."),
        click.option("-w", "--wait", is_flag=True, help="Wait for the end; the exit code tells how it was."),
    ):
        command = option(command)
    return json_option(command)


def pairs(texts: Iterable[str], what: str) -> dict[str, str]:
    """NAME=VALUE texts as a mapping. Raises UsageError."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise UsageError(f"{what}: '{text}' is no NAME=VALUE")
        found[name] = value
    return found
