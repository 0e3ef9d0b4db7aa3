"""`runs`: the list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App
from sshsched.cli.caveat import caveat
from sshsched.cli.complete import complete_filter, complete_hosts, complete_jobs
from sshsched.cli.lists import Wishes, chosen, list_options, ordered, print_list
from sshsched.cli.options import archive_option, json_option, pairs
from sshsched.cli.run_fields import FIELDS, USUAL, arg_names, fields_for, telling
from sshsched.cli.streams import STDOUT, is_terminal, note
from sshsched.cli.verdict import Shape

if TYPE_CHECKING:
    from sshsched.domain.model import Run
    from sshsched.store.filter import RunFilter

PAGE = 500
USUAL_RUNS = 50
USUAL_STATS = 100
STATES = ("scheduled", "waiting", "starting", "running", "stopping", "success", "failure", "error", "skipped")
GROUP_NAMES = ("live", "finished", "failed")


@click.command()
@click.argument("terms", nargs=-1, metavar="[FILTER]...", shell_complete=complete_filter)
@click.option("--state", "states", multiple=True, metavar="STATE", type=click.Choice([*STATES, *GROUP_NAMES]),
              help="state:STATE; again for several.")  # fmt: skip
@click.option("--job", metavar="JOB", shell_complete=complete_jobs, help="job:JOB")
@click.option("-H", "--host", metavar="HOST", shell_complete=complete_hosts, help="host:HOST")
@click.option("--label", metavar="TEXT", help="label:TEXT")
@click.option("--since", metavar="TIME", help="since:TIME")
@click.option("--arg", "args", multiple=True, metavar="NAME=VALUE", help="arg.NAME=VALUE")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most so many; with --stats of each job. [50; 100]")
@click.option("--stats", is_flag=True, help="Per job: how many succeed, how long they take, how the last ones went.")
@list_options((*FIELDS, "arg.NAME"))
@archive_option
@json_option
@click.pass_obj
def runs(app: App, /, limit: int | None, stats: bool, as_json: bool, **options: Any) -> int:
    """List runs, the newest first. Works also when no scheduler runs.

    \b
      sshsched runs state:running,failure job:reports/* since:2h
      sshsched runs is:failed 'host:web*' '!label:test' backup
      sshsched runs is:late --columns +labels --sort -took

    \b
    A run must match all terms of FILTER; commas separate alternatives, ! turns a term round:
      state: is:live,finished,failed,late,unreachable,held job: host: label: arg.NAME= by: since: until: run: root: text
    """
    wishes = Wishes(*(options.pop(name) for name in Wishes._fields))
    where = _filter(**options)
    if stats:
        from sshsched.cli.stats import print_stats

        return print_stats(app, where, limit or USUAL_STATS, wishes, as_json=as_json)
    found = _found(app, where, limit or USUAL_RUNS)
    if as_json and wishes.sort is None:
        print_json(found)
        return 0
    return _print(app, list(found), wishes, as_json=as_json)


def _filter(
    terms: tuple[str, ...],
    states: tuple[str, ...],
    job: str | None,
    host: str | None,
    label: str | None,
    since: str | None,
    args: tuple[str, ...],
) -> RunFilter:
    """The terms that were typed, and those that the options stand for."""
    from sshsched.domain.states import State
    from sshsched.store.filter import GROUPS, RunFilter
    from sshsched.store.filter_text import parse

    now, begin = time.time(), None
    if since is not None:
        from sshsched.kinds.moments import parse_since

        begin = parse_since(since, now)
    single = frozenset(each for state in states for each in GROUPS.get(state) or [State(state)])
    typed = parse(" ".join(terms), now).terms
    return RunFilter(typed, states=single, job=job, host=host, label=label, since=begin, args=pairs(args, "--arg"))


def _found(app: App, where: RunFilter, limit: int) -> Iterator[Shape]:
    """Page by page: a long list needs no more memory than a short one."""
    from sshsched.domain.shape import run_shape

    return map(run_shape, _pages(app, where, limit))


def _pages(app: App, where: RunFilter, limit: int) -> Iterator[Run]:
    reader = app.reader()
    before: int | None = None
    while limit > 0:
        page = reader.runs(where, limit=min(limit, PAGE), before=before)
        yield from page
        if len(page) < min(limit, PAGE):
            return
        limit -= len(page)
        before = page[-1].id


def _print(app: App, found: list[Shape], wishes: Wishes, *, as_json: bool) -> int:
    now = time.time()
    usual, args, caption = list(USUAL), arg_names(f"{wishes.columns or ''},{wishes.sort or ''}"), ""
    if is_terminal(STDOUT) and found and wishes.columns is None:
        usual, more, caption = telling(found)
        args += more
    fields = fields_for(args)
    names = chosen(fields, usual, wishes.columns)
    found = ordered(found, fields, wishes.sort, now)
    if as_json:
        print_json(found)
        return 0
    if not found:
        note("no run fits")
    print_list(found, fields, names, now, headers=not wishes.no_headers, caption=caption)
    if any(run["state"] in STATES[:5] for run in found):
        caveat(app)
    return 0
