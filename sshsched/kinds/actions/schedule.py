"""`schedule`: a run of another job follows.

Rule: args that it is not given it takes from the run, by name; what is still missing then is an error of the action.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta

from sshsched.domain.instructions import Make
from sshsched.domain.model import Run
from sshsched.domain.view import View
from sshsched.kinds.actions.base import Action
from sshsched.kinds.actions.facts import facts_of, values_of


class Schedule(Action, frozen=True):
    """A run of another job."""

    job: Annotated[str, Meta(description="the job of which a run is made")]
    args: Annotated[
        Mapping[str, str], Meta(description="its args; those that are missing are the run's own, by name")
    ] = {}

    def runs(self, run: Run, occasion: str, view: View, at: float) -> Iterable[Make]:
        values = values_of(facts_of(run), occasion)
        args = {name: view.rules.fill(text, values) for name, text in self.args.items()}
        draft = view.rules.draft(view.rules.fill(self.job, values), args, run.args, run.name)
        return (Make(draft, follows=run.id),)

    def targets(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        return ((self.job, self.args),)
