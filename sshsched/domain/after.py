"""What follows when a run has moved: another attempt, the actions of its job, the next steps of its workflow.

Rule: everything that follows is decided in the turn of the move, so one transaction holds both or neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from sshsched.domain.draft import Draft
from sshsched.domain.events import Moved
from sshsched.domain.instructions import Instruction, Make
from sshsched.domain.model import Cause, Reason, Run
from sshsched.domain.plan import Retry
from sshsched.domain.states import State
from sshsched.domain.view import View

# Where nothing is known of the end, the program may still run; where a rule or a person ended it, that was meant.
UNPROVEN = frozenset({Reason.LOST, Reason.SPOOL_GONE})
MEANT = frozenset({Reason.CONFIG, Reason.CONDITION, Reason.BY_HAND, Reason.STOPPED, Reason.STOP_ASKED, Reason.STEPS})


def after(view: View, event: Moved) -> Iterator[Instruction]:
    """Another attempt, if the job wants one and it is safe; and what the actions do."""
    run, occasion = event.run, str(event.run.state)
    if run.reason is Reason.TAKEN_OVER:
        return  # what followed has followed where it ended
    if run.finished and (event.old is None or not event.old.finished) and again(run):
        occasion = "retry"
        yield Make(next_attempt(run), event.at + pause(run.plan.retry, run.attempt, run.key))
    yield from view.rules.follow(run, occasion, view, event.at)


def again(run: Run) -> bool:
    """Whether a finished run is tried again by itself: only where its program has provably not begun, or ended."""
    retry = run.plan.retry
    if run.attempt > retry.count or run.state not in (State.FAILURE, State.ERROR) or run.reason in MEANT:
        return False
    if run.reason in UNPROVEN and not run.plan.idempotent:
        return False
    return not outcomes(run).isdisjoint(retry.on)


def outcomes(run: Run) -> set[str]:
    """The words that describe how a run ended, as `Retry.on` has them."""
    found, outcome = {str(run.state)}, run.outcome
    if outcome is not None:
        if outcome.cause is Cause.TIMEOUT:
            found.add("timeout")
        if outcome.signal is not None:
            found.add("signal")
        if outcome.exit_code is not None:
            found.add(str(outcome.exit_code))
    return found


def pause(retry: Retry, attempt: int, key: str) -> float:
    """Seconds from the end of an attempt to the next; by chance of the run's own key, so the same whenever asked."""
    base = min(retry.longest, retry.delay * retry.factor ** (attempt - 1))
    chance = int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) / 2**32
    return base * (1 + retry.jitter * chance)


def next_attempt(run: Run) -> Draft:
    """The run that tries again."""
    return Draft(
        run.asked,
        run.program,
        run.job_id,
        run.args,
        run.labels,
        run.by,
        rerun_of=run.id,
        attempt=run.attempt + 1,
        root=run.root,
        step=run.step,
        plan=run.plan,
        schedule_time=run.schedule_time,
        start_within=run.start_within,
        stop_rule=run.stop_rule,
    )
