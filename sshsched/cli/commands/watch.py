"""`watch`: the live screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App

if TYPE_CHECKING:
    from sshsched.tui.outside import Outside


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN or FILTER]")
@click.option("--once", is_flag=True, help="Print the board and end.")
@click.pass_obj
def watch(app: App, words: tuple[str, ...], once: bool) -> int:
    """Show runs, jobs and hosts live, and act on them.

    \b
      sshsched watch
      sshsched watch r12
      sshsched watch state:failed since:2h
    """
    from sshsched.tui.filters import parse
    from sshsched.tui.past import Past

    filter = parse(" ".join(words), time.time())
    past = Past(app.state_dir)
    first = past.page(filter.where)
    from sshsched.tui.app import Watch

    Watch(outside(app), filter, first, past).run()
    return 0


def outside(app: App) -> Outside:
    """What the screen needs of the command line."""
    from sshsched.cli.program import user_name
    from sshsched.tui.outside import Jobs, Outside

    return Outside(app.state_dir, user_name(), app.ask, lambda now: Jobs(), lambda *_: (), lambda *_: ())
