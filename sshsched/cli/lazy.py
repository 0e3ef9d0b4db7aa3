"""A click group whose commands are imported only when they are asked for: start-up speed is a feature."""

from __future__ import annotations

from importlib import import_module

import click

from sshsched.cli.catalogue import CATALOGUE, examples
from sshsched.domain.nearest import nearest

COMMANDS = {
    "run": "run",
    "rerun": "run",
    "graph": "graph",
    "wait": "wait",
    "output": "output",
    "runs": "runs",
    "show": "show",
    "watch": "watch",
    "stop": "stop",
    "skip": "stop",
    "start": "hands",
    "mark": "hands",
    "hold": "hands",
    "release": "hands",
    "jobs": "jobs",
    "job": "jobs",
    "next": "next",
    "digest": "digest",
    "check": "check",
    "new": "new",
    "schema": "new",
    "import-crontab": "crontab",
    "hosts": "hosts",
    "status": "status",
    "serve": "serve",
    "service": "service",
    "reload": "reload",
    "doctor": "doctor",
    "archive": "archive",
    "vacuum": "archive",
    "demo": "demo",
    "completion": "completion",
}
"""Command to its module in `sshsched.cli.commands`; the function has the command's name, with _ for -."""

ALIASES = {"logs": "output"}
WIDEST = max(map(len, COMMANDS))


class LazyGroup(click.Group):
    """Finds commands in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(
            import_module(f"sshsched.cli.commands.{COMMANDS[name]}"), name.replace("-", "_")
        )
        command.epilog = command.epilog or examples(name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Under headings, and without an import of them all."""
        for heading, group in CATALOGUE.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(WIDEST), told.line) for name, told in group.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = nearest(args[0], (*COMMANDS, *ALIASES))
            ctx.fail(f"no command '{args[0]}'" + (f"; did you mean '{near}'?" if near else ""))
        return super().resolve_command(ctx, args)
