"""The names of what a waiting run may wait for.

Rule: a run that is blocked names its keys, and every change that may free it stirs one of them: so a decision costs
what it touches, not what exists. A key of `room:` is stirred when something countable comes free; then only the
first who waits for it is asked, and its own start stirs the key again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from sshsched.domain.model import Run

EVERYTHING = "*"


def job(job_id: str, args: Mapping[str, str] | None = None) -> str:
    """Runs of this job, with these args or any, end, begin or move. Also what a view finds such runs by."""
    return f"job:{job_id}" if args is None else f"job:{job_id}?{json.dumps(sorted(args.items()))}"


def ended(job_id: str, args: Mapping[str, str] | None = None) -> str:
    """Runs of this job, with these args or any, end, or are marked: what most wait for, and the rarest of moves."""
    return f"ended:{job(job_id, args)}"


def names(job_id: str) -> str:
    """A new run of this job has args of other names than the one before."""
    return f"names:{job_id}"


def room(job_id: str, args: Mapping[str, str] | None = None) -> str:
    """Fewer runs of this job, with these args or any, are on their hosts, or waiting, than before."""
    return f"room:{job(job_id, args)}"


def lock(name: str) -> str:
    """Some of a named lock has come free."""
    return f"room:lock:{name}"


def host(name: str) -> str:
    """A link came up or went down."""
    return f"host:{name}"


def root(number: int) -> str:
    """A step of this workflow has moved."""
    return f"root:{number}"


def hold(key: str) -> str:
    """Something that was held back is let go."""
    return f"hold:{key}"


def one_by_one(key: str) -> bool:
    """Whether only the first who waits is asked."""
    return key.startswith("room:")


def hosts(on: Iterable[str]) -> set[str]:
    """The hosts that these keys are about."""
    named = (key.split(":", 2) for key in on if key.startswith(("host:", "probe:")))
    return {parts[1] for parts in named}


def rooms(run: Run) -> Iterator[str]:
    """What a run takes a part of when it begins."""
    if run.job_id is not None:
        yield room(run.job_id)
        yield room(run.job_id, run.args)
    for name in run.plan.locks:
        yield lock(name)


def stirred(old: Run | None, new: Run) -> Iterator[str]:
    """The keys that a change of a run stirs."""
    if old is not None and old.state is new.state:
        return
    if new.job_id is not None:
        yield job(new.job_id)
        yield job(new.job_id, new.args)
        if new.finished:
            yield ended(new.job_id)
            yield ended(new.job_id, new.args)
    yield from rooms(new)
    if new.root is not None:
        yield root(new.root)
