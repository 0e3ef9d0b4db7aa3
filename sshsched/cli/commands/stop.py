"""`stop` and `skip`: ending runs, and keeping them from starting."""

from __future__ import annotations

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App, find_run, run_numbers
from sshsched.cli.complete import complete_jobs, complete_live_runs
from sshsched.cli.options import duration, json_option
from sshsched.cli.program import user_name
from sshsched.cli.streams import note, say
from sshsched.cli.verdict import Shape, title
from sshsched.domain.states import LIVE
from sshsched.errors import NotFoundError, RefusedError, UsageError

UNSTARTED = ("scheduled", "waiting")
MOST = 10_000


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN...]", shell_complete=complete_live_runs)
@click.option(
    "--job", "jobs", multiple=True, metavar="JOB", shell_complete=complete_jobs, help="All live runs of this job."
)
@click.option("--signal", metavar="NAME", help="The first signal. [TERM, or what the job says]")
@click.option("--grace", type=duration, help="From that signal to KILL. [1m, or what the job says]")
@json_option
@click.pass_obj
def stop(
    app: App, runs: tuple[str, ...], jobs: tuple[str, ...], signal: str | None, grace: float | None, as_json: bool
) -> int:
    """End runs: a signal to all their processes, KILL after the grace time.

    The host does both by itself, also if the link drops. A run that has not started is skipped.
    This command returns once the wish is stored; `sshsched wait` waits for the end.
    """
    if not runs and not jobs:
        raise UsageError("what to stop? name runs, or a job with --job")
    names = [f"r{number}" for number in run_numbers(runs)] + [each for job in jobs for each in _live(app, job)]
    return _tell(app.ask(lambda client: client.stop(names, signal=signal, grace=grace, by=user_name())), as_json)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_live_runs)
@json_option
@click.pass_obj
def skip(app: App, runs: tuple[str, ...], as_json: bool) -> int:
    """Keep runs from starting. Runs that have begun are refused: `sshsched stop` ends those."""
    numbers = run_numbers(runs)
    reader = app.reader()
    for number in numbers:
        found = find_run(reader, number)
        if found.state not in UNSTARTED:
            raise RefusedError(f"{found.name} is {found.state}; only a run that has not begun can be skipped")
    names = [f"r{number}" for number in numbers]
    shapes = app.ask(lambda client: client.stop(names, by=user_name()))
    code = _tell(shapes, as_json)
    for run in shapes:
        if run["state"] != "skipped":
            # It began between our look and our wish: rare, and never to be hidden.
            note(f"{title(run)}: it has just begun, and is being stopped")
            code = RefusedError.exit_code
    return code


def _live(app: App, job: str) -> list[str]:
    """All live runs of a job, of which there has to be one."""
    from sshsched.store.filter import RunFilter

    found = app.reader().runs(RunFilter(states=LIVE, job=job), limit=MOST)
    if not found:
        raise NotFoundError(f"no run of the job '{job}' is live; `sshsched runs job:{job}` shows those that were")
    return [run.name for run in found]


def _tell(runs: list[Shape], as_json: bool) -> int:
    if as_json:
        print_json(runs)
        return 0
    for run in runs:
        say(f"{title(run)}: {run['state']}")
    return 0
