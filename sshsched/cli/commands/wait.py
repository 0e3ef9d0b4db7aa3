"""`wait`: until runs have ended."""

from __future__ import annotations

import click

from sshsched.cli.after import Wishes, wait_for
from sshsched.cli.app import App, find_run, run_numbers
from sshsched.cli.complete import complete_live_runs
from sshsched.cli.options import duration, json_option


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_live_runs)
@click.option("--timeout", type=duration, help="Wait no longer than this; then the exit code is 124.")
@click.option("--any", "any_one", is_flag=True, help="Until the first of them has ended.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing; the exit code tells.")
@json_option
@click.pass_obj
def wait(app: App, runs: tuple[str, ...], timeout: float | None, any_one: bool, quiet: bool, as_json: bool) -> int:
    """Wait until all these runs have ended.

    The exit code is the program's own for one run, 0 or 1 for several. Ctrl-C leaves the runs alone.
    """
    from sshsched.domain.shape import run_shape

    reader = app.reader()
    shapes = [run_shape(find_run(reader, number)) for number in run_numbers(runs)]
    wishes = Wishes(wait=True, json=as_json, quiet=quiet, any_one=any_one, timeout=timeout)
    return wait_for(app, shapes, wishes)
