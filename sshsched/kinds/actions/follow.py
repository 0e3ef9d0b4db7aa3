"""What the actions of a run come to on an occasion: runs to be made, and notices to be saved. Pure.

Rule: a notice's id follows from the run, the occasion and the instant, so that whoever gets it twice can tell. What is
wrong with an action is a notice that is given up at once: it costs nobody else anything, and `show` tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sshsched.domain.instructions import Make, Notice, SaveNotice
from sshsched.domain.model import Run
from sshsched.domain.plan import Deed
from sshsched.domain.view import View
from sshsched.kinds.actions.base import Action, is_delivered
from sshsched.kinds.actions.facts import facts_of

Load = Callable[[Deed], Action]
"""The action that a deed describes. Raises ValueError with what is wrong."""


def follow(
    load: Load, deeds: Sequence[Deed], run: Run, occasion: str, view: View, at: float
) -> Iterator[Make | SaveNotice]:
    """What those actions of a run do that answer this occasion."""
    for index, deed in enumerate(deeds):
        if occasion in deed.on:
            name = f"{run.name}-{run.key}-{occasion}-{index}-{round(at * 1000)}"
            try:
                yield from _followed(load(deed), deed, name, run, occasion, view, at)
            except Exception as error:  # kinds are of others' making, too
                words = f"action {deed.kind!r}: {error or type(error).__name__}"
                lost = Notice(name, deed, occasion, {}, at, run.id, run.job_id, problem=words, done_at=at)
                yield SaveNotice(lost, at, words)


def _followed(
    action: Action, deed: Deed, name: str, run: Run, occasion: str, view: View, at: float
) -> Iterator[Make | SaveNotice]:
    yield from list(action.runs(run, occasion, view, at))  # all of them or none
    if is_delivered(action):
        for notice in notices(action, deed, name, occasion, facts_of(run), at, run_id=run.id, job_id=run.job_id):
            yield SaveNotice(notice)


def notices(
    action: Action,
    deed: Deed,
    name: str,
    occasion: str,
    facts: Mapping[str, Any],
    at: float,
    *,
    run_id: int | None = None,
    job_id: str | None = None,
) -> Iterator[Notice]:
    """One notice for each part of an action. `name` is what its id begins with."""
    for word, options in list(action.parts()) or [("", deed.options)]:
        part = Deed(deed.kind, options, deed.on)
        yield Notice(f"{name}-{word}" if word else name, part, occasion, facts, at, run_id, job_id, next_at=at)
