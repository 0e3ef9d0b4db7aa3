"""`run` and `rerun`: new runs."""

from __future__ import annotations

import time
from typing import Any

import click

from sshsched.cli.after import Wishes, after, print_json
from sshsched.cli.app import App, run_numbers
from sshsched.cli.complete import complete_hosts, complete_jobs, complete_runs
from sshsched.cli.options import duration, limit, pairs, waiting_options
from sshsched.cli.program import Wanted, as_typed, drafts_of_command, drafts_of_job, user_name
from sshsched.cli.streams import say
from sshsched.cli.texts import read_text
from sshsched.errors import NotFoundError, UsageError

COMMAND = "sshsched.command"


class RunCommand(click.Command):
    """What follows `--` is a command, word for word; click alone would forget that there was a `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            args, ctx.meta[COMMAND] = args[:at], args[at + 1 :]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["[OPTIONS]", "(JOB [NAME=VALUE]... | -H HOST... -- COMMAND...)"]


@click.command(cls=RunCommand)
@click.argument("job", nargs=-1, shell_complete=complete_jobs)
@click.option("-H", "--host", "hosts", multiple=True, metavar="HOST", shell_complete=complete_hosts,
              help="Where; again for one run on each. 'local' is this machine.")  # fmt: skip
@click.option("--timeout", type=limit, help="End the program after this time; the host does it by itself.")
@click.option("--label", "labels", multiple=True, metavar="TEXT", help="A word to find the run by.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable for the program.")
@click.option("--cwd", metavar="DIR", help="The folder it starts in. [the user's home]")
@click.option("--user", metavar="NAME", help="Run as this user, with sudo -n.")
@click.option("--umask", metavar="OCTAL", help="Such as 027.")
@click.option("--stdin", metavar="FILE", help="Text for its standard input; - is ours. [nothing]")
@click.option("--at", metavar="TIME", help="Start then: 18:30, or 2026-11-22T18:30.")
@click.option("--delay", type=duration, help="Start after this time.")
@click.option("--start-within", type=duration, help="Give up if it could not be started in this time. [1h]")
@click.option("--fan-out", is_flag=True, help="On all hosts of a group, whatever its own way; several -H as one run.")
@click.option("--max-fail", type=click.IntRange(0), metavar="N",
              help="Fan out, and begin on no further host after more than N failures.")  # fmt: skip
@click.option("--canary", type=click.IntRange(1), metavar="N",
              help="Fan out: on the first N hosts, and on the rest if all is well there.")  # fmt: skip
@click.option(
    "--for-dates",
    "dates",
    metavar="A..B",
    help="A run of the job for each date on which its schedules would have run it: 2026-01-01..2026-01-31.",
)
@click.option("--explain", is_flag=True, help="Only say what would happen now, and why; nothing is run.")
@waiting_options
@click.pass_context
def run(ctx: click.Context, /, job: tuple[str, ...], **options: Any) -> int:
    """Run a job, or a command after --; print the run's name.

    \b
      sshsched run backup disk=a --wait
      sshsched run -H nas --output -- df -h
      sshsched run -H nas -H web --wait -- 'cd /srv && git pull | tail -1'

    After -- several words are a program and its arguments, and no shell touches them. One single word with a
    space or a shell's characters in it is a command for `sh -c` on the host.

    The run goes on when this command ends, when the link drops and when this machine is switched off.
    """
    app: App = ctx.obj
    wishes = _wishes(**{name: options[name] for name in ("wait", "output", "raw", "as_json", "quiet")})
    drafts = _drafts(app, job, ctx.meta.get(COMMAND), _wanted(options), options["dates"])
    if options["fan_out"] or options["max_fail"] is not None or options["canary"]:
        from sshsched.cli.fanning import fanned

        drafts = fanned(drafts, options["max_fail"], options["canary"] or 0)
    try:
        if options["explain"]:
            return _explain(app, drafts, as_json=wishes.json)
        made = app.ask(lambda client: client.submit(drafts))
    except UsageError as error:
        raise UsageError(as_typed(str(error))) from None
    return after(app, made, wishes)


def _explain(app: App, drafts: list[dict[str, Any]], *, as_json: bool) -> int:
    told = app.ask(lambda client: client.explain(drafts))
    if as_json:
        print_json(
            {"host": draft["host"], "args": draft.get("args", {}), "explained": text}
            for draft, text in zip(drafts, told, strict=True)
        )
        return 0
    for draft, text in zip(drafts, told, strict=True):
        args = " ".join(f"{name}={value}" for name, value in draft.get("args", {}).items())
        say(f"{args}: {text}" if args and len(drafts) > 1 else text)
    return 0


def _drafts(
    app: App, job: tuple[str, ...], words: list[str] | None, wanted: Wanted, dates: str | None
) -> list[dict[str, Any]]:
    if words is not None:
        if dates is not None:
            raise UsageError("--for-dates is for jobs; a command has no dates")
        if job:
            raise UsageError(f"'{job[0]}' before -- is a job and what follows is a command; give one of them")
        if not words:
            raise UsageError("nothing follows --; write the command there")
        return drafts_of_command(app, words, wanted)
    if not job:
        raise UsageError("what to run? `sshsched run JOB`, or `sshsched run -H HOST -- COMMAND`")
    meant = f"; a command stands after --: -H {wanted.hosts[0]} -- {' '.join(job)}" if wanted.hosts else ""
    try:
        args = pairs(job[1:], f"job '{job[0]}'")
    except UsageError as error:
        raise UsageError(f"{error}{meant}") from None
    try:
        return drafts_of_job(app, job[0], args, wanted, dates)
    except NotFoundError as error:
        raise NotFoundError(f"{error}{meant}") from None


def _wanted(options: dict[str, Any]) -> Wanted:
    program = {name: options[name] for name in ("timeout", "cwd", "user", "umask") if options[name] is not None}
    if options["stdin"] is not None:
        program["stdin"] = read_text(options["stdin"], "--stdin", "copy it to the host and read it there")
    env = pairs(options["env"], "--env")
    when = _when(options["at"], options["delay"], time.time())
    return Wanted(options["hosts"], program, env, options["labels"], when, options["start_within"])


def _when(at: str | None, delay: float | None, now: float) -> float | None:
    if at is not None and delay is not None:
        raise UsageError("--at and --delay exclude each other")
    if at is not None:
        from sshsched.kinds.moments import parse_at

        return parse_at(at, now)
    return None if delay is None else now + delay


def _wishes(wait: bool, output: bool, raw: bool, as_json: bool, quiet: bool) -> Wishes:
    if as_json and output:
        raise UsageError("--json and --output both want the standard output; use --json --wait, then `sshsched output`")
    return Wishes(wait=wait, output=output, raw=raw, json=as_json, quiet=quiet)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_runs)
@click.option("--same", is_flag=True, help="As they were, and not as their jobs are now.")
@click.option("--failed", is_flag=True, help="Of a workflow: only the steps that failed, and go on from there.")
@waiting_options
@click.pass_obj
def rerun(app: App, /, runs: tuple[str, ...], same: bool, failed: bool, **options: bool) -> int:
    """Run finished runs once more, with the same args: as their jobs are now, or just as they were."""
    if same and failed:
        raise UsageError("--failed runs steps as they were; leave --same out")
    wishes = _wishes(**options)
    names = [f"r{number}" for number in run_numbers(runs)]
    return after(app, app.ask(lambda client: client.rerun(names, same=same, failed=failed, by=user_name())), wishes)
