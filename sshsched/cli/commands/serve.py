"""`serve`: the scheduler itself."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App
from sshsched.cli.options import duration
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from sshsched.config.addresses import ListenAt

ADHOC_IDLE = 60.0


@click.command()
@click.option(
    "--adhoc", is_flag=True, help="As `run` starts it in the background: ends when idle, starts no schedules."
)
@click.option("--idle-exit", type=duration, help="End after this time without anything to do. [never; --adhoc: 60s]")
@click.option("--since", metavar="TIME", help="Schedules that are new begin then: 2h, today, 2026-11-22. [now]")
@click.option("--metrics", metavar="ADDRESS", help="Serve /metrics for Prometheus at this port: 127.0.0.1:9464. [no]")
@click.pass_obj
def serve(app: App, adhoc: bool, idle_exit: float | None, since: str | None, metrics: str | None) -> None:
    """Be the scheduler, until SIGTERM or Ctrl-C. Runs the schedules of the jobs folder. Programs go on without it.

    Takes over from a scheduler that `run` has started in the background; no run is lost.
    """
    from sshsched.kinds.moments import parse_since
    from sshsched.service.scheduler import serve as serve_forever

    if adhoc:
        os.chdir("/")  # so that nobody's disk is kept busy by us
        idle_exit = ADHOC_IDLE if idle_exit is None else idle_exit
    begin = None if since is None else parse_since(since, time.time())
    serve_forever(app.config_dir, app.state_dir, "adhoc" if adhoc else "serve", idle_exit, begin, _listen_at(metrics))


def _listen_at(text: str | None) -> ListenAt | None:
    from sshsched.config.addresses import listen_at

    try:
        return None if text is None else listen_at(text)
    except ValueError as error:
        raise UsageError(f"--metrics: {error}") from None
