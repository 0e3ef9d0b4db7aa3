"""What a command does once its runs exist: print their names, wait, stream, and tell how they ended.

Rule: runs outlive the command. Whoever leaves early is told how to come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sshsched.cli.streams import STDERR, STDOUT, note, say
from sshsched.cli.verdict import INTERRUPTED, TIMED_OUT, Shape, exit_code, finished, last_word

if TYPE_CHECKING:
    from sshsched.cli.app import App
    from sshsched.cli.streams import Sink


class Wishes(NamedTuple):
    """How somebody wants to be told."""

    wait: bool = False
    output: bool = False
    raw: bool = False
    json: bool = False
    quiet: bool = False
    any_one: bool = False
    timeout: float | None = None


def after(app: App, runs: Sequence[Shape], wishes: Wishes) -> int:
    """The exit code of a command that has made these runs."""
    if not wishes.json:
        for run in runs:
            say(run["run"], STDERR if wishes.output else STDOUT)
    if wishes.wait or wishes.output:
        return wait_for(app, runs, wishes)
    if wishes.json:
        print_json(runs)
    return 0


def wait_for(app: App, runs: Sequence[Shape], wishes: Wishes) -> int:
    """The exit code for runs that somebody waits for."""
    from sshsched.cli.follow import Deadline, Follow
    from sshsched.cli.view import view_for

    view = view_for(quiet=wishes.quiet or wishes.json, live=not wishes.output)
    follow = Follow(app, runs, view, partial(_sinks, wishes, len(runs) > 1) if wishes.output else None)
    try:
        follow.wait(any_one=wishes.any_one, timeout=wishes.timeout)
    except Deadline:
        view.close()
        return _left(follow.unfinished, "the time to wait is over", TIMED_OUT)
    except KeyboardInterrupt:
        view.close()
        return _left(follow.unfinished, "interrupted", INTERRUPTED)
    view.close()
    names = follow.names
    ended = [follow.runs[name] for name in names if name in follow.runs and finished(follow.runs[name])]
    if len(names) > 1 and not wishes.any_one:
        view.say(last_word(ended))
    if wishes.json:
        print_json(ended)
    return exit_code(ended)


def _sinks(wishes: Wishes, several: bool, run: Shape) -> dict[str, Sink]:
    from sshsched.cli.streams import Sink

    prefix = f"{run['run']} {run['host'] or run['asked']}" if several else ""
    return {stream: Sink(fd, raw=wishes.raw, prefix=prefix) for stream, fd in (("stdout", STDOUT), ("stderr", STDERR))}


def _left(names: Sequence[str], why: str, code: int) -> int:
    if names:
        text = " ".join(names)
        go = "goes on" if len(names) == 1 else "go on"
        note(f"{why}: {', '.join(names)} {go}; `sshsched wait {text}` to come back, `sshsched stop {text}` to end it")
    return code


def print_json(items: Iterable[Shape]) -> None:
    """A JSON list with one item a line: whole for a program, readable line by line for a person."""
    import json
    import sys

    before = "["
    for item in items:
        sys.stdout.write(f"{before}{json.dumps(item)}")
        before = ",\n "
    sys.stdout.write("[]\n" if before == "[" else "]\n")
    sys.stdout.flush()
