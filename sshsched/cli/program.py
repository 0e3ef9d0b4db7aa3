"""From what was typed to the drafts of runs that the scheduler takes.

Rule: nothing is checked here that the scheduler checks: a draft has the same faults wherever it comes from.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sshsched.domain.nearest import unknown
from sshsched.errors import UsageError

if TYPE_CHECKING:
    from sshsched.cli.app import App
    from sshsched.kinds.jobs import Bound

SHELL = frozenset(" \t\n|&;<>()$`\\\"'*?[]#~{}!")

Draft = dict[str, Any]

PLACE = r"runs\[\d+\]\.((?:program\.)?[a-z_]+)(?:\.(\w+)|\[(\d+)\])?: "  # compiled when first needed
TYPED = {
    "host": "-H",
    "labels": "--label",
    "args": "",
    "schedule_time": "the time to start",
    "start_within": "--start-within",
    "program.command": "the command",
    "program.argv": "the command",
    "program.env": "--env",
    **{f"program.{name}": f"--{name}" for name in ("cwd", "stdin", "timeout", "umask", "user")},
}
"""What was typed, by the place in a draft that it went to."""


class Wanted(NamedTuple):
    """The options of `run` that shape a run. None and empty mean: not said."""

    hosts: Sequence[str]
    program: Mapping[str, Any]
    env: Mapping[str, str]
    labels: Sequence[str]
    schedule_time: float | None
    start_within: float | None


def command_of(words: Sequence[str]) -> Draft:
    """Several words are a program and its arguments. One that a shell would read as more is for `sh -c`."""
    if len(words) == 1 and SHELL.intersection(words[0]):
        return {"command": words[0]}
    return {"argv": list(words)}


def drafts_of_command(app: App, words: Sequence[str], wanted: Wanted) -> list[Draft]:
    """One draft per host."""
    if not wanted.hosts:
        raise UsageError("on which host? add -H HOST ('local' is this machine)")
    refuse_unknown_groups(app, wanted.hosts)
    return [_draft(host, command_of(words), {}, wanted) for host in dict.fromkeys(wanted.hosts)]


def refuse_unknown_groups(app: App, hosts: Sequence[str], option: str = "-H ") -> None:
    """Who types a group means one that is there; a job may wait for one that is written tomorrow."""
    asked = [host[1:] for host in hosts if host.startswith("@")]
    if not asked:
        return
    from sshsched.config.hosts import load_hosts

    groups = load_hosts(app.config_dir).groups
    for name in asked:
        if name not in groups:
            raise UsageError(f"{option}@{name}: no such group: {unknown(name, groups)}; see `groups:` in hosts.yaml")


def drafts_of_job(app: App, job_id: str, args: Mapping[str, str], wanted: Wanted, dates: str | None) -> list[Draft]:
    """A draft of the job, or one per host that was named instead of the job's own; one for each of the dates A..B."""
    from sshsched.config.jobs import load_job
    from sshsched.config.renderer import renderer
    from sshsched.kinds.jobs import bind

    job = load_job(app.config_dir, job_id)
    refuse_unknown_groups(app, wanted.hosts)
    render = renderer(app.config_dir)
    at = time.time() if wanted.schedule_time is None else wanted.schedule_time
    each = [dict(args)]
    if dates is not None:
        from sshsched.cli.backfill import args_of_dates, merged, parse_dates

        each = [merged(found, args) for found in args_of_dates(job, *parse_dates(dates))]
    return [draft for some in each for draft in _drafts_of(bind(job, some, render, at), wanted)]


def _drafts_of(bound: Bound, wanted: Wanted) -> list[Draft]:
    from dataclasses import asdict

    from sshsched.domain.plan import NO_PLAN

    base: dict[str, Any] = {
        "job": bound.job_id,
        "args": dict(bound.args),
        "labels": bound.labels,
        "start_within": bound.start_within,
    }
    if bound.plan != NO_PLAN:
        base["plan"] = asdict(bound.plan)
    program = {key: value for key, value in asdict(bound.program).items() if value not in (None, (), {})}
    return [_draft(host, program, base, wanted) for host in dict.fromkeys(wanted.hosts or [bound.host])]


def _draft(host: str, program: Mapping[str, Any], base: Mapping[str, Any], wanted: Wanted) -> Draft:
    whole = {**program, **wanted.program}
    if env := {**program.get("env", {}), **wanted.env}:
        whole["env"] = env
    draft = {**base, "host": host, "program": whole, "by": user_name()}
    draft["labels"] = list(dict.fromkeys([*base.get("labels", ()), *wanted.labels]))
    if wanted.schedule_time is not None:
        draft["schedule_time"] = wanted.schedule_time
    if wanted.start_within is not None:
        draft["start_within"] = wanted.start_within
    return draft


def as_typed(message: str) -> str:
    """What the scheduler says of drafts, with the options in place of their paths."""

    def typed(place: re.Match[str]) -> str:
        path, name, index = place.groups()
        if path not in TYPED:
            return place[0]
        word = f"word {int(index) + 1} of" if index else ""
        return f"{' '.join(filter(None, (word, TYPED[path], name)))}: "

    return re.sub(PLACE, typed, message)


def user_name() -> str:
    """Who asks, for the run log: from the system, since the environment may say anything."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
