"""`start`, `mark`, `hold` and `release`: what people decide about runs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App, run_numbers
from sshsched.cli.complete import complete_hosts, complete_jobs, complete_live_runs, complete_runs
from sshsched.cli.options import json_option
from sshsched.cli.program import user_name
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import note, say
from sshsched.cli.verdict import Shape, title
from sshsched.errors import ConfigError, NotFoundError, UsageError

OUTCOMES = ("success", "failure", "error", "skipped")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_live_runs)
@json_option
@click.pass_obj
def start(app: App, runs: tuple[str, ...], as_json: bool) -> None:
    """Start runs past their time, their holds and their conditions.

    Locks and the slots of a host still hold them. This is also how a run that waits for approval gets it.
    """
    names = _names(runs)
    _tell(app.ask(lambda client: client.start(names, by=user_name())), as_json)


@click.command()
@click.argument("state", type=click.Choice(OUTCOMES), metavar="STATE")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_runs)
@json_option
@click.pass_obj
def mark(app: App, state: str, runs: tuple[str, ...], as_json: bool) -> None:
    """Take finished runs for another outcome.

    What depends on them goes on by that. What the program did stays in the run's log.
    """
    names = _names(runs)
    _tell(app.ask(lambda client: client.mark(names, state, by=user_name())), as_json)


def _what(command: Any) -> Any:
    """The options that name what is held."""
    for option in (
        json_option,
        click.option("--all", "everything", is_flag=True, help="Everything."),
        click.option("--host", "hosts", multiple=True, metavar="HOST", shell_complete=complete_hosts,
                     help="All runs that would go to this host."),
        click.option("--job", "jobs", multiple=True, metavar="JOB", shell_complete=complete_jobs,
                     help="All runs of this job."),
        click.argument("runs", nargs=-1, metavar="[RUN...]", shell_complete=complete_live_runs),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_what
@click.pass_obj
def hold(
    app: App, runs: tuple[str, ...], jobs: tuple[str, ...], hosts: tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Keep runs from starting until they are released. What runs already goes on."""
    wish = _wish(runs, jobs, hosts, everything)
    _doubt(app, jobs, hosts)
    _tell_held(app.ask(lambda client: client.hold(wish, by=user_name())), as_json)


@click.command()
@_what
@click.pass_obj
def release(
    app: App, runs: tuple[str, ...], jobs: tuple[str, ...], hosts: tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Let go what is held. A workflow that waits for a decision ends with what its steps came to."""
    wish = _wish(runs, jobs, hosts, everything)
    _tell_held(app.ask(lambda client: client.release(wish, by=user_name())), as_json)


def _wish(runs: tuple[str, ...], jobs: tuple[str, ...], hosts: tuple[str, ...], everything: bool) -> dict[str, Any]:
    if not (runs or jobs or hosts or everything):
        raise UsageError("what is meant? name runs, or --job JOB, --host HOST or --all")
    return {"runs": _names(runs), "jobs": list(jobs), "hosts": list(hosts), "everything": everything}


def _doubt(app: App, jobs: tuple[str, ...], hosts: tuple[str, ...]) -> None:
    """What is not there yet may be held, but who mistypes a name should not believe that the other is held."""
    if not (jobs or hosts):
        return
    from sshsched.cli.complete import ssh_aliases
    from sshsched.config.hosts import load_hosts
    from sshsched.config.jobs import load_job
    from sshsched.config.linked import misspelt

    doubts = []
    for job in jobs:
        try:
            load_job(app.config_dir, job)
        except NotFoundError as error:
            doubts.append(str(error))
        except ConfigError:
            pass  # it is there
    known = set(ssh_aliases())
    with suppress(ConfigError):  # files with problems are no reason not to hold anything
        known.update(load_hosts(app.config_dir))
    for host in hosts:
        if near := misspelt(host, known):
            doubts.append(f"the host '{host}' is neither in hosts.yaml nor in ssh_config; did you mean '{near}'?")
    for doubt in doubts:
        note(safe_line(f"{doubt}; it is held all the same"))


def _names(runs: tuple[str, ...]) -> list[str]:
    return [f"r{number}" for number in run_numbers(runs)]


def _tell(runs: list[Shape], as_json: bool) -> None:
    if as_json:
        print_json(runs)
        return
    for run in runs:
        say(f"{title(run)}: {run['state']}: {run['message']}" if run["message"] else f"{title(run)}: {run['state']}")


def _tell_held(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json([answer])
        return
    _tell(answer["runs"], False)
    for key, words in sorted(answer["holds"].items()):
        say(f"{'everything' if key == '*' else key.replace(':', ' ', 1)}: {words}")
