"""`output`: what a program printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App, find_run, run_number
from sshsched.cli.complete import complete_runs
from sshsched.cli.options import archive_option
from sshsched.cli.streams import STDERR, STDOUT, Sink, note
from sshsched.cli.verdict import FAILED_HERE
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sshsched.domain.model import Run, Stream

BLOCK = 256 * 1024


@click.command()
@click.argument("name", metavar="RUN", shell_complete=complete_runs)
@click.option("-f", "--follow", is_flag=True, help="Go on as more comes, until the run has ended.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="Only the last lines of each stream.")
@click.option("--stdout", "only_stdout", is_flag=True, help="Only the standard output.")
@click.option("--stderr", "only_stderr", is_flag=True, help="Only the standard error.")
@click.option("--raw", is_flag=True, help="Let escape sequences reach the terminal.")
@archive_option
@click.pass_obj
def output(
    app: App, name: str, follow: bool, lines: int | None, only_stdout: bool, only_stderr: bool, raw: bool
) -> int:
    """Show what a run printed: its standard output on ours, its standard error on ours.

    A pipe or a file gets the bytes exactly. On a terminal escape sequences are shown instead of obeyed, except
    colours. `logs` is another name for this command.
    """
    if only_stdout and only_stderr:
        raise UsageError("--stdout and --stderr exclude each other; without them you get both")
    run = find_run(app.reader(), run_number(name))
    sinks: dict[Stream, Sink] = {}
    if not only_stderr:
        sinks["stdout"] = Sink(STDOUT, raw=raw)
    if not only_stdout:
        sinks["stderr"] = Sink(STDERR, raw=raw)
    live = not run.finished or not (run.output.complete or run.output.lost or run.settled)
    if live and (follow or app.scheduler_runs()):
        from sshsched.cli.tail import show_live

        begins = {stream: _begin(app, run, stream, lines) for stream in sinks}
        code = show_live(app, run.name, sinks, begins, lines=lines, follow=follow)
        now = find_run(app.reader(), run.id)
        if now.unreachable_since is not None:
            note(f"{run.name}: {run.host} is unreachable, there may be more there; it is fetched when the host is back")
        return code
    whole = _from_files(app, run, sinks, lines)
    if run.output.lost:
        note(f"{run.name}: the rest of its output is lost: {run.host} no longer has it")
    elif live:
        note(f"{run.name}: no scheduler runs, there may be more on {run.host}; `sshsched serve` fetches it")
    return 0 if whole else FAILED_HERE


def _from_files(app: App, run: Run, sinks: dict[Stream, Sink], lines: int | None) -> bool:
    """Whether all that was stored is still there."""
    files = app.files()
    whole = True
    for stream, sink in sinks.items():
        at = _begin(app, run, stream, lines)
        while data := files.read(run.id, stream, at, BLOCK):
            sink.write(data)
            at += len(data)
        sink.close()
        here, stored = files.size(run.id, stream), getattr(run.output, stream)
        if here < stored:
            note(f"{run.name}: of the {stored} bytes of its {stream} only {here} are left; its file was removed or cut")
            whole = False
    return whole


def _begin(app: App, run: Run, stream: Stream, lines: int | None) -> int:
    """The byte at which the last `lines` lines begin, among those that are here."""
    if lines is None:
        return 0
    files = app.files()
    end = files.size(run.id, stream)
    if lines == 0:
        return end
    # A newline at the very end ends the last line rather than beginning another.
    left = lines
    for at, data in _backwards(app, run, stream, end):
        data = data[:-1] if at + len(data) == end and data.endswith(b"\n") else data
        while (newline := data.rfind(b"\n")) >= 0:
            left -= 1
            if left == 0:
                return at + newline + 1
            data = data[:newline]
    return 0


def _backwards(app: App, run: Run, stream: Stream, end: int) -> Iterator[tuple[int, bytes]]:
    files = app.files()
    while end > 0:
        at = max(0, end - BLOCK)
        yield at, files.read(run.id, stream, at, end - at)
        end = at
