"""What falls due between two instants, and what the coming times are.

Rule: pure. The caller has the clock: it remembers up to where it has asked, asks for what comes after that, and moves
on in the same transaction that saves the runs. However the time is cut into pieces, each time of a schedule is in
exactly one of them, either as a target or among what was dropped. Where the clock was set back, `since` is after `now`,
and nothing falls due until the clock has come to `since` again: nothing runs twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Final

from sshsched.kinds.options import Options, Policy
from sshsched.kinds.schedules.base import Schedule, Skip, Target, Why
from sshsched.kinds.zones import iso

ON_TIME: Final = 120.0  # a scheduler wakes at least once a minute; what is later than this was missed
AT_ONCE: Final = 1000
COUNTED: Final = 1000
AHEAD: Final = 120  # days

_LATE: Final = {
    Policy.ALL: "",
    Policy.LATEST: "late, and catch_up: latest makes up for the newest only",
    Policy.NONE: "late, and catch_up is none",
}


@dataclass(frozen=True, slots=True)
class Dropped:
    """Times in (since, until] that are not made up for. `count` is how many, at most 1000."""

    since: float
    until: float
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Due:
    """What falls due. Ask again from `until`: it is before `now` where there was too much for one answer."""

    targets: tuple[Target, ...]
    dropped: tuple[Dropped, ...]
    until: float


def upcoming(schedule: Schedule, options: Options, instant: float, *, job: str) -> Iterator[Target]:
    """All times after an instant, with jitter, within the limits; none if it is disabled. Lazy, maybe endless."""
    if options.enabled:
        yield from (entry for entry in explain(schedule, options, instant, job=job) if isinstance(entry, Target))


def explain(schedule: Schedule, options: Options, instant: float, *, job: str) -> Iterator[Target | Skip]:
    """The same, disabled or not, with what does not run in between and why."""
    begin, until = options.valid.begin, options.valid.until
    entries = schedule.explain(max(_before_jitter(schedule, options.jitter, instant), (begin or 0.0) - 1))
    for entry in _jittered(entries, options, job) if options.jitter else entries:
        scheduled = entry.scheduled if isinstance(entry, Target) else entry.at
        if until is not None and scheduled >= until:
            yield Skip(until, Why.NOT_VALID, f"valid until {iso(until)}")
            return
        final = isinstance(entry, Skip) and entry.why is Why.CALENDAR_END
        if final or (entry.at > instant and (begin is None or scheduled >= begin)):
            yield entry


def due(schedule: Schedule, options: Options, since: float, now: float, *, job: str, at_once: int = AT_ONCE) -> Due:
    """What falls due after `since`, up to and including `now`, as the policy for late runs has it.

    At most `at_once` targets, and more only where the last ones are due at the same instant.
    """
    if since >= now or not options.enabled:
        return Due((), (), max(since, now))
    plan = _Plan(schedule, options, job)
    first = next(plan.between(since, now), None)
    if first is None:
        return Due((), (), now)
    begin, dropped = (since, ()) if first.at > now - ON_TIME else plan.late(since, now)
    targets = _at_most(at_once, plan.between(begin, now))
    return Due(tuple(targets), dropped, targets[-1].at if len(targets) >= at_once else now)


def warning(schedule: Schedule, now: float, ahead: int = AHEAD) -> str | None:
    """What to tell people whose calendar ends within so many days, or has ended; None if all is well."""
    end = schedule.known_until
    today = datetime.fromtimestamp(now, UTC).date()
    if end is None or end - timedelta(days=ahead) > today:
        return None
    last = end - timedelta(days=1)
    return f"{schedule}: its calendar {'ends' if last >= today else 'ended'} with {last}; add the next dates to it"


@dataclass(frozen=True, slots=True)
class _Plan:
    schedule: Schedule
    options: Options
    job: str

    def between(self, since: float, until: float) -> Iterator[Target]:
        """What is due in (since, until]."""
        for target in upcoming(self.schedule, self.options, since, job=self.job):
            if target.at > until:
                return
            yield target

    def late(self, since: float, now: float) -> tuple[float, tuple[Dropped, ...]]:
        """After which instant times do run, where some are late, and which are dropped."""
        policy, max_age = self.options.catch_up.policy, self.options.catch_up.max_age
        oldest = since if max_age is None else max(since, now - max(max_age, ON_TIME))
        on_time = max(oldest, now - ON_TIME)
        if policy is Policy.ALL:
            begin = oldest
        elif policy is Policy.NONE or next(self.between(on_time, now), None) is not None:
            begin = on_time
        else:
            begin = self.before_newest(oldest, on_time)
        too_old, late = self.dropped(since, oldest, "later than max_age"), self.dropped(oldest, begin, _LATE[policy])
        return begin, (*too_old, *late)

    def before_newest(self, since: float, until: float) -> float:
        """An instant after which only the newest of the times in (since, until] comes; `until` if there are none.

        Halves what is left to search, so that years of seconds are not walked through.
        """
        low, high = since, until
        while True:
            times = (target.at for target in self.between(low, until))
            first = next(times, None)
            if first is None:
                return until
            if all(at == first for at in times):
                return low
            middle = (low + high) / 2
            if middle > first and next(self.between(middle, until), None) is not None:
                low = middle
            else:
                low, high = first, max(first, middle)

    def dropped(self, since: float, until: float, reason: str) -> Iterator[Dropped]:
        if count := sum(1 for _ in islice(self.between(since, until), COUNTED)):
            yield Dropped(since, until, count, reason)


def _at_most(most: int, targets: Iterable[Target]) -> list[Target]:
    """So many, and those that are due at the same instant as the last."""
    found: list[Target] = []
    for target in targets:
        if len(found) >= most and target.at > found[-1].at:
            break
        found.append(target)
    return found


def _jittered(entries: Iterable[Target | Skip], options: Options, job: str) -> Iterator[Target | Skip]:
    """Each target moved by its jitter. One is held back until the next is known, which it must not overtake."""
    held: Target | None = None
    skips: list[Skip] = []
    for entry in entries:
        if isinstance(entry, Skip):
            skips.append(entry)
            continue
        if held is not None:
            yield _moved(held, entry.at - held.at, options, job)
        yield from skips
        skips.clear()
        held = entry
    if held is not None:
        yield _moved(held, options.jitter + 1, options, job)
    yield from skips


def _before_jitter(schedule: Schedule, jitter: int, instant: float) -> float:
    """From where on to look for what jitter has moved past an instant.

    That can only be the last time before it, for none passes the next; so a long jitter needs no long way back.
    """
    back = 60
    while back < jitter:
        nearest = next(schedule.after(instant - back), None)
        if nearest is not None and nearest.at <= instant:
            break
        back *= 2
    return instant - min(back, jitter)


def _moved(target: Target, room: float, options: Options, job: str) -> Target:
    """Later by 0 to jitter seconds, but less than the room.

    The same after a restart, for it is made of job, args and time only.
    """
    seed = json.dumps([job, sorted(options.args.items()), target.scheduled]).encode()
    share = int.from_bytes(sha256(seed).digest()[:6]) / 2**48
    return replace(target, at=target.at + math.floor(share * min(options.jitter + 1, room)))
