"""`watch`: the live screen."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App, find_run
from sshsched.cli.complete import complete_runs
from sshsched.cli.streams import STDERR, STDIN, is_terminal, say
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from sshsched.cli.verdict import Shape
    from sshsched.kinds.jobs import Job
    from sshsched.tui.outside import Job as Shown
    from sshsched.tui.outside import Jobs, Outside, Planned

SWITCH = 0.001  # seconds: a thread that reads gives way to a key as soon as that
PLANNED = 30  # times of schedules that are shown ahead


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN or FILTER]", shell_complete=complete_runs)
@click.option("--once", is_flag=True, help="Print the board and end.")
@click.option("--web", is_flag=True, help="Show the screen in a browser: serve it at 127.0.0.1 and print its address.")
@click.option("--port", type=click.IntRange(1, 65535), help="For --web; without it, one that is free.")
@click.pass_obj
def watch(app: App, words: tuple[str, ...], once: bool, web: bool, port: int | None) -> int:
    """Show runs, jobs and hosts live, and act on them. `?` in the screen tells the keys.

    \b
      sshsched watch
      sshsched watch r12
      sshsched watch state:failure since:2h
    """
    from sshsched.domain.model import run_id
    from sshsched.tui.filters import Filter, parse
    from sshsched.tui.past import Past

    wanted = run_id(words[0]) if len(words) == 1 else None
    if wanted is not None:
        find_run(app.reader(), wanted)
    filter = Filter() if wanted is not None else parse(" ".join(words), time.time())
    if web or port is not None:
        _serve(app, words, port, apart=web and not once)
        return 0
    if not (once or _on_screen()):
        raise UsageError("watch: the screen needs a terminal; `sshsched watch --once` prints the board")
    past = Past(app.state_dir)
    first = past.page(filter.where)  # is read while the screen is being imported
    if once:
        from sshsched.tui.once import show, show_run

        show(past, filter, first) if wanted is None else show_run(past, wanted)
        return 0
    screen = _screen()
    screen.Watch(screen.Live(outside(app), past, filter, first), wanted).run()
    return 0


def _on_screen() -> bool:
    """Whether keys come from a terminal and the screen goes to one, or to a browser that Textual itself serves."""
    return (is_terminal(STDIN) and is_terminal(STDERR)) or "TEXTUAL_DRIVER" in os.environ


def _serve(app: App, words: Sequence[str], port: int | None, *, apart: bool) -> None:
    """The same command in a process for each visit. Raises UsageError where it cannot be."""
    import sys

    if not apart:
        raise UsageError("watch: --port is for --web, and --web goes without --once")
    try:
        from sshsched.tui.web import serve
    except ModuleNotFoundError:
        raise UsageError("watch --web: textual-serve is not installed here; pip install 'sshsched[web]'") from None
    folders = ["--config-dir", str(app.config_dir), "--state-dir", str(app.state_dir)]
    serve([sys.executable, "-m", "sshsched", *folders, "watch", "--", *words], port or 0, say)


def _screen() -> ModuleType:
    """Textual and all that is drawn with it: it stays, so no garbage need be looked for among it."""
    import gc
    import sys

    gc.disable()
    from sshsched.tui import app as screen

    gc.freeze()
    gc.enable()
    sys.setswitchinterval(SWITCH)
    return screen


def outside(app: App) -> Outside:
    """What the screen needs of the command line; all but the first two is called in threads."""
    from sshsched.cli.program import Wanted, drafts_of_command, drafts_of_job, user_name
    from sshsched.tui.outside import Outside

    def wanted(hosts: Sequence[str]) -> Wanted:
        return Wanted(hosts, {}, {}, (), None, None)

    def of_job(job: str, args: Mapping[str, str], hosts: Sequence[str]) -> Sequence[Shape]:
        return drafts_of_job(app, job, args, wanted(hosts), None)

    def of_command(line: str, hosts: Sequence[str]) -> Sequence[Shape]:
        return drafts_of_command(app, [line], wanted(hosts))

    return Outside(app.state_dir, user_name(), app.ask, lambda now: _jobs(app, now), of_job, of_command, _ssh(app))


def _jobs(app: App, now: float) -> Jobs:
    from sshsched.cli.ahead import args_of, coming, next_time
    from sshsched.config.jobs import load_jobs
    from sshsched.kinds.schedules.base import Target
    from sshsched.tui.outside import Jobs, Planned

    loaded = load_jobs(app.config_dir)
    jobs = loaded.jobs.values()
    planned: list[Planned] = []
    for each in coming(jobs, now, PLANNED):
        if isinstance(each.entry, Target):
            args, job = args_of(each.job, each.timed, each.entry), each.job
            planned.append(Planned(each.at, job.id, job.host, args, each.entry.note, job.labels, _command(job)))
    return Jobs([_shown(job, next_time(job, now)) for job in jobs], planned, len(loaded.problems))


def _shown(job: Job, due: float | None) -> Shown:
    from sshsched.cli.ahead import summary
    from sshsched.tui.outside import Job as Shown
    from sshsched.tui.outside import Param

    params = [Param(param.name, param.default, param.choices, param.description) for param in job.params]
    return Shown(job.id, job.host, summary(job), job.description, job.labels, params, _command(job), due)


def _command(job: Job) -> str:
    return job.program.command or " ".join(job.program.argv)


def _ssh(app: App) -> Callable[[str, str | None], str]:
    """The command that leads to a host, and there to a folder, as somebody would type it."""

    def command(host: str, folder: str | None) -> str:
        from shlex import join, quote

        from sshsched.config.hosts import load_hosts
        from sshsched.domain.hosts import LOCAL

        go = f"cd {quote(folder)} && exec ${{SHELL:-sh}}" if folder else ""
        if host == LOCAL:
            return go or "sh"
        known = load_hosts(app.config_dir)[host]
        options = [("-p", str(known.port or "")), ("-l", known.user or ""), ("-J", known.jump or "")]
        words = [word for option, value in options if value for word in (option, value)]
        words += [word for key in known.identity for word in ("-i", key)]
        return join(["ssh", *words, *(["-t"] if go else []), known.address or host, *([go] if go else [])])

    return command
