"""The kinds as decisions ask them: a condition's or an action's data becomes the kind, and the kind answers.

Rule: a mistake of a kind, ours or anybody's, is an answer about that one run. A store that cannot be read just now is
no mistake: the run waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from sshsched.domain.draft import Draft
from sshsched.domain.instructions import Make, SaveNotice
from sshsched.domain.model import Run
from sshsched.domain.plan import Deed, Plan, Rule
from sshsched.domain.view import Answer, Never, Ready, View, Wait
from sshsched.errors import StoreError, UsageError
from sshsched.kinds.actions.base import Action
from sshsched.kinds.actions.follow import follow
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.jobs import Render
from sshsched.kinds.plans import bind_plan
from sshsched.kinds.registry import NoKindError, find
from sshsched.kinds.written import make

DraftOf = Callable[[str, Mapping[str, str], Mapping[str, str], str], Draft]
"""Makes the draft of a run of a job as that is now: see `Rules.draft`."""

AGAIN = 2.0  # seconds until a store that could not be read is asked again


class KindRules:
    """Implements `domain.view.Rules`. `always` gives the actions that follow every run, beside its own."""

    def __init__(self, render: Render, draft: DraftOf, always: Callable[[], Sequence[Deed]] = tuple) -> None:
        self._render = render
        self._draft = draft
        self._always = always

    def ask(self, rule: Rule, run: Run, view: View, at: float) -> Answer:
        """Whether a condition of a run holds. Never raises."""
        try:
            answer = condition(rule).ask(run, view, at)
        except NoKindError as error:
            return Never(f"its condition is of kind {rule.kind!r}, which is not installed here: {error}")
        except StoreError as error:
            return Wait(f"the database: {error}", until=at + AGAIN)
        except Exception as error:  # kinds are of others' making, too
            return Never(f"its condition {rule.kind!r} failed: {_words(error)}")
        if isinstance(answer, Ready | Wait | Never):
            return answer
        return Never(f"its condition {rule.kind!r} failed: it answered {answer!r:.100}, and not Ready, Wait or Never")

    def plan(self, plan: Plan, fill: Callable[[str, str], str]) -> Plan:
        """A plan with its texts filled in. Raises ValueError with the condition that is wrong."""
        try:
            return bind_plan(plan, fill)
        except UsageError as error:
            raise ValueError(str(error)) from None

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        """A text with its templates filled in. Raises ValueError."""
        return self._render(text, values)

    def draft(self, job_id: str, args: Mapping[str, str], spare: Mapping[str, str], by: str) -> Draft:
        """A run of another job as that is now. Raises ValueError with what is wrong."""
        return self._draft(job_id, args, spare, by)

    def follow(self, run: Run, occasion: str, view: View, at: float) -> Sequence[Make | SaveNotice]:
        """What the actions of a run do on an occasion."""
        deeds = (*run.plan.actions, *self._always())
        return list(follow(action, deeds, run, occasion, view, at)) if deeds else ()


def condition(rule: Rule) -> Condition:
    """The condition that a rule describes. Raises ValueError with what is wrong."""
    made: Condition = _made("condition", rule.kind, msgspec.json.encode(rule.options))
    return made


def action(deed: Deed) -> Action:
    """The action that a deed describes. Raises ValueError with what is wrong."""
    made: Action = _made("action", deed.kind, msgspec.json.encode(deed.options))
    return made


@lru_cache(maxsize=4096)  # a waiting run is asked many times, and many runs have the same options
def _made(family: Any, kind: str, options: bytes) -> Any:
    return make(find(family, kind), msgspec.json.decode(options))


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) and str(error) else f"{type(error).__name__}: {error}"
