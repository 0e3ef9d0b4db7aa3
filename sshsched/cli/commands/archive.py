"""`archive` and `vacuum`: old runs leave the store, and the room that they took goes back to the disk."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App
from sshsched.cli.complete import complete_jobs
from sshsched.cli.options import json_option
from sshsched.cli.rounds import Shape, rounds
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import STDERR, is_terminal, note, say, write
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from sshsched.domain.retention import Retention
    from sshsched.engine.policies import Policies


@click.command()
@click.option("--before", metavar="TIME", help="Runs that ended before that: 90d (ago), 2026-01-01, yesterday.")
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="All but the N newest.")
@click.option("--size", metavar="SIZE", help="All but the newest that printed so much together: 500MB, 10GB.")
@click.option("--job", metavar="JOB", shell_complete=complete_jobs, help="Only runs of this job.")
@click.option("--to", metavar="FILE", help="The archive. [archive.db in the state folder]")
@click.option("--dry-run", is_flag=True, help="Move nothing; say what would go.")
@json_option
@click.pass_obj
def archive(
    app: App,
    before: str | None,
    keep: int | None,
    size: str | None,
    job: str | None,
    to: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Move old runs, with log and output, to an archive: another database, and a folder beside it.

    A run moves once it is beyond any of the limits given. Without one, the limits of `retention:` in job files and in
    config.yaml hold, which a scheduler also keeps to by itself. Runs with anything left to do stay, and so do the last
    run of each job and its last success. `runs`, `show` and `output` read an archive with --archive FILE.
    """
    limits = _limits(before, keep, size)
    if limits is None:
        _require(app, job, to)
    file = None if to is None else Path(to).expanduser().absolute()
    found = _dry(app, limits, job) if dry_run else _moved(app, limits, job, file)
    if as_json:
        say(json.dumps(found, indent=2))
    else:
        _tell(app, found, file, dry_run=dry_run)
    return 0


@click.command()
@json_option
@click.pass_obj
def vacuum(app: App, as_json: bool) -> int:
    """Give the room in the database that archived and deleted runs took back to the disk."""
    found = list(rounds(app, lambda client: client.vacuum(), lambda history: history.vacuum()))
    before, after = found[0]["before"], found[-1]["after"]
    if as_json:
        say(json.dumps({"before": before, "after": after}, indent=2))
    else:
        say(f"{_bytes(max(0, before - after))} given back; the database takes {_bytes(after)}")
    return 0


def _limits(before: str | None, keep: int | None, size: str | None) -> Retention | None:
    from sshsched.config.sizes import size as bytes_in
    from sshsched.domain.retention import Retention
    from sshsched.kinds.moments import parse_since

    now = time.time()
    age = None if before is None else now - parse_since(before, now)
    if age is not None and age <= 0:
        raise UsageError(f"--before: '{before}' lies ahead")
    try:
        found = Retention(age, keep, None if size is None else bytes_in(size))
    except ValueError as error:
        raise UsageError(f"--size: {error}") from None
    return None if found.unlimited else found


def _require(app: App, job: str | None, to: str | None) -> None:
    """Raises UsageError unless the files say how long runs are kept, and nothing is to be different."""
    from sshsched.engine.policies import load_policies

    if job or to:
        raise UsageError("--job and --to need a limit: --before, --keep or --size")
    if not load_policies(app.config_dir).policies:
        raise UsageError(
            "nothing says how long runs are kept; add --before 90d, or `retention: {age: 90d}` to config.yaml"
        )


def _moved(app: App, limits: Retention | None, job: str | None, file: Path | None) -> Shape:
    ours = {} if limits is None else {"age": limits.age, "count": limits.count, "size": limits.size}
    wish = {**ours, "job": job, "to": None if file is None else str(file)}
    total = Counter(archived=0, deleted=0, bytes=0)
    shown = is_terminal(STDERR)
    for found in rounds(
        app, lambda client: client.archive(wish), lambda history: history.archive(_asked(limits, job), file)
    ):
        total.update({name: found[name] for name in total})
        if shown and found["more"]:
            write(STDERR, f"\r{_runs(total['archived'] + total['deleted'])} so far".encode())
    if shown:
        write(STDERR, b"\r\x1b[K")
    return dict(total)


def _dry(app: App, limits: Retention | None, job: str | None) -> Shape:
    """What would go now; asks nobody, and holds nothing."""
    from sshsched.domain.retention import Then
    from sshsched.engine.policies import load_policies
    from sshsched.store.database import BUSY_TIMEOUT, database, explained, open_reader
    from sshsched.store.history import picked, plan

    wanted = _asked(limits, job) or load_policies(app.config_dir)
    total = Counter(archived=0, deleted=0, bytes=0)
    path = database(app.state_dir)
    connection = open_reader(path, BUSY_TIMEOUT)
    if connection is None:
        return dict(total)
    with closing(connection), explained(path):
        for policy in wanted.policies:
            for runs in picked(connection, plan(connection, policy, time.time()), wanted.spared):
                total["archived" if policy.limits.then is Then.ARCHIVE else "deleted"] += len(runs)
                total["bytes"] += sum(run.output.stdout + run.output.stderr for run in runs)
    return dict(total)


def _asked(limits: Retention | None, job: str | None) -> Policies | None:
    from sshsched.engine.policies import Policies
    from sshsched.store.history import Policy

    return None if limits is None else Policies([Policy(limits, job=job)])


def _tell(app: App, found: Shape, to: Path | None, *, dry_run: bool) -> None:
    from sshsched.store.archive import usual

    would = "would be " if dry_run else ""
    if found["archived"]:
        say(safe_line(f"{_runs(found['archived'])} {would}moved to {to or usual(app.state_dir)}"))
    if found["deleted"]:
        say(f"{_runs(found['deleted'])} {would}deleted")
    if not (found["archived"] or found["deleted"]):
        say("no run is beyond the limits")
    elif not dry_run:
        note(f"they printed {_bytes(found['bytes'])}; `sshsched vacuum` gives their room in the database back")


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _bytes(count: int) -> str:
    """1.5 MB, as disks count."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.1f} {unit}"
    return f"{count} bytes"
