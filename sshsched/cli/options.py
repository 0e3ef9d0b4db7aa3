"""Options that several commands share, and what their texts mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from sshsched.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType):  # type: ignore[type-arg]  # click 8.2 takes no type there
    """Seconds in `90`, `5m`, `1h30m`. A message names the option: a command may have several."""

    name = "duration"

    def __init__(self, *, none: bool = True) -> None:
        self._none = none

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from sshsched.kinds.moments import parse_duration

        option = param.opts[0] if param else self.name
        try:
            seconds = parse_duration(value)
        except UsageError as error:
            raise UsageError(f"{option}: {error}") from None
        if not (seconds or self._none):
            raise UsageError(f"{option}: must be longer than nothing; leave it out for no limit")
        return seconds


duration = Duration()
limit = Duration(none=False)
"""A duration that has to be more than nothing, as in job files."""


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
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise UsageError(f"{what}: '{text}' is no NAME=VALUE")
        if name in found:
            raise UsageError(f"{what}: '{name}' is given twice; keep one")
        found[name] = value
    return found
