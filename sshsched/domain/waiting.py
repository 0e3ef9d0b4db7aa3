"""What stands between a run's time and its start: holds, conditions, locks, and a place on a host.

Rule: a run gets its host and its spool, and with them leave to start, only in `_try()`, after everything that it waits
for has been asked in the same turn. Each event starts at most one run, so the next one sees what it took.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from sshsched.domain import flow, keys, words
from sshsched.domain.events import Asked, Considered, Restarted, Woken
from sshsched.domain.hands import stop_late
from sshsched.domain.instructions import Advance, Ask, Consider, Instruction, Park, Reconsider, Save, Stir
from sshsched.domain.line import Line, Lines, is_group, rank
from sshsched.domain.model import Reason, Run, Spool
from sshsched.domain.placement import Placed, candidates, choose, lines_of
from sshsched.domain.saves import end, moved, start, stop_passed
from sshsched.domain.shape import iso
from sshsched.domain.states import State
from sshsched.domain.timers import time_over, warnings
from sshsched.domain.view import Answer, HostView, Never, Ready, View, Wait

LOOK_FURTHER = 100  # runs of a group's line that are offered a free host before the rest of the line has to wait


def restarted(view: View, event: Restarted) -> Iterator[Instruction]:
    """What a waiting run waits for is kept by no store: it is asked again."""
    for run in view.runs.values():
        if run.state is State.WAITING:
            yield Reconsider(run.id)
        elif run.plan.flow is not None and not run.finished:
            yield Advance(run.id)


def woken(view: View, event: Woken) -> Iterator[Instruction]:
    """What is due waits from now on; what has waited too long, or until its stop time, does not start any more."""
    for number in event.run_ids:
        run = view.runs.get(number)
        if run is None:
            continue
        if (asked := time_over(run, event.at)) is not None:
            yield from stop_late(view, run, asked)
            continue
        yield from warnings(view, run, event.at)
        if run.state is State.SCHEDULED and run.due_at <= event.at:
            yield moved(run, State.WAITING, event.at, Reason.DUE, "its time has come", waiting_since=event.at)
        elif run.state is State.WAITING:
            if run.ready_since is not None and event.at - run.ready_since >= run.start_within:
                why = words.too_late(run)
                yield from end(run, State.ERROR, event.at, Reason.NOT_STARTED, why, cleaned=True)
            else:
                yield Reconsider(run.id)


def asked(view: View, event: Asked) -> Iterator[Instruction]:
    """A waiting run starts, or says what it waits for, or ends because it can never start."""
    run = view.runs.get(event.run_id)
    if run is not None and run.state is State.WAITING:
        yield from _try(view, run, event.at)


def explain(view: View, run: Run, at: float) -> str:
    """What would happen to a run if it were there: a sentence for people."""
    if run.state is not State.WAITING:
        return f"it would be {run.state}: {run.message}" if run.finished else f"it would wait until {iso(run.due_at)}"
    last = [step.run for step in _try(view, run, at) if isinstance(step, Save)][-1:]
    for then in last:
        if then.state is State.STARTING:
            return f"it would start on {then.host}: {then.message}"
        if then.state is State.RUNNING:
            return f"it would begin: {then.message}"
        if then.finished:
            return f"it would end at once as {then.state}: {then.message}"
        return f"it would wait: it {then.message}"
    return "it would wait"


def considered(view: View, event: Considered) -> Iterator[Instruction]:
    """Give the next place on a host to whoever comes first of all that could have it."""
    firsts = (view.waiting[asked].first for asked in lines_of(view, event.host))
    heads = sorted((first for first in firsts if first is not None), key=rank)
    for head in heads:
        steps = list(_offer(view, view.waiting[head.asked], event.host, event.at))
        if steps:
            yield from steps
            yield Consider(event.host)
            return
    for head in heads:
        yield from _tell(view, head, event.at)


def _offer(view: View, line: Line, host: str, at: float) -> Iterator[Instruction]:
    """The first of a line who takes the host, or turns out to wait for something else."""
    for count, run in enumerate(line):
        if count >= LOOK_FURTHER:
            return
        if run.state is not State.WAITING:
            continue
        answer = _gate(view, run, at)
        if not isinstance(answer, Ready):
            yield from _blocked(view, run, answer, at)
            return
        place = choose(view, run, at)
        if isinstance(place, Placed):
            yield from _begin(run, place.host, at)
            return
        if place.never:
            yield from end(run, State.ERROR, at, Reason.NOT_STARTED, _problem(view, run), cleaned=True)
            return
        if not is_group(run.asked) or not _free(view, host):
            return


def _try(view: View, run: Run, at: float) -> Iterator[Instruction]:
    answer = _gate(view, run, at)
    if not isinstance(answer, Ready):
        yield from _blocked(view, run, answer, at)
        return
    if run.plan.flow is not None:
        save = moved(run, State.RUNNING, at, Reason.READY, "its steps begin", started_at=at, ready_since=at)
        yield save
        yield from flow.begun(view, save.run, at)
        return
    ready = run if run.ready_since is not None else replace(run, ready_since=at)
    place = choose(view, ready, at)
    if isinstance(place, Placed) and not _behind(view, run, place.host.name):
        yield from _begin(ready, place.host, at)
    elif isinstance(place, Placed):
        yield Save(replace(ready, message=f"waits for its turn on {place.host.name}"), run.state)
        yield Consider(place.host.name)
    elif place.never:
        yield from end(run, State.ERROR, at, Reason.NOT_STARTED, _problem(view, run), cleaned=True)
    else:
        message = f"waits for {place.why}"
        if ready is not run or message != run.message:
            yield Save(replace(ready, message=message), run.state)
        if place.until is not None:
            yield Park(run.id, (), place.until)


def _behind(view: View, run: Run, host: str) -> bool:
    """Whether somebody else comes first to a place on this host."""
    firsts = (view.waiting[asked].first for asked in lines_of(view, host))
    return any(first is not None and first.id != run.id and rank(first) < rank(run) for first in firsts)


def _begin(run: Run, host: HostView, at: float) -> Iterator[Instruction]:
    why = f"{host.name} is ready" if run.asked == host.name else f"{host.name} was chosen out of {run.asked}"
    save = moved(
        run,
        State.STARTING,
        at,
        Reason.HOST_READY,
        why,
        host=host.name,
        starting_since=at,
        spool=Spool(f"{host.spool}/{run.name}-{run.key}", host.boot),
    )
    yield save
    yield start(save.run, at)


def _blocked(view: View, run: Run, answer: Never | Wait, at: float) -> Iterator[Instruction]:
    if isinstance(answer, Never):
        reason = Reason.NOT_STARTED if stop_passed(run, at) else Reason.CONDITION
        yield from end(run, answer.state, at, reason, answer.why, cleaned=True)
        return
    message = f"waits for {answer.why}"
    if message != run.message or run.ready_since is not None:
        yield Save(replace(run, message=message, ready_since=None), run.state)
    if run.ready_since is not None:  # others may have been left waiting because it came first
        for key in keys.rooms(run):
            yield Stir(key)
    yield Park(run.id, answer.on, answer.until)
    if answer.probe is not None:
        yield Ask(answer.probe)


# The gate --------------------------------------------------------------------------------------------------------


def _gate(view: View, run: Run, at: float) -> Answer:
    """Everything but the place: the first thing that holds the run back, or Ready."""
    if stop_passed(run, at):
        return Never(words.stop_passed(run))
    if not run.forced:
        answer = next(chain(_held(view, run), _conditions(view, run, at)), None)
        if answer is not None:
            return answer
    return _locks(view, run)


def _held(view: View, run: Run) -> Iterator[Wait | Never]:
    if run.held:
        yield Wait(f"its release: {run.held}")
    for key in (keys.EVERYTHING, f"job:{run.job_id}"):
        if (held := view.holds.get(key)) is not None:
            yield Wait(f"a release: {held}", (keys.hold(key),))


def _conditions(view: View, run: Run, at: float) -> Iterator[Wait | Never]:
    since = at if run.waiting_since is None else run.waiting_since
    for rule in run.plan.conditions:
        answer = view.rules.ask(rule, run, view, at)
        if isinstance(answer, Never):
            yield answer
        elif isinstance(answer, Wait):
            limits = [(rule.max_wait, rule.then), (run.plan.max_wait, run.plan.then)]
            ends = [(since + most, then) for most, then in limits if most is not None]
            for until, then in ends:
                if until <= at:
                    state = State.SKIPPED if then == "skip" else State.ERROR
                    yield Never(f"waited {words.seconds(round(at - since, 3))} for {answer.why}", state)
            times = [until for until in (answer.until, *(until for until, _ in ends)) if until is not None]
            yield replace(answer, until=min(times, default=None))


def _locks(view: View, run: Run) -> Answer:
    for name, count in run.plan.locks.items():
        whole = run.plan.rooms.get(name) or view.capacity.get(name, 1)
        holders = view.locks.get(name, {})
        if count > whole:
            return Never(f"it asks for {count} of the lock '{name}', and there is {whole}; see `locks:` in config.yaml")
        if sum(holders.values()) + count > whole:
            who = ", ".join(f"r{number}" for number in list(holders)[:3])
            return Wait(f"the lock '{name}', which {who} holds", (keys.lock(name),))
        if _overtakes(view, name, run, whole - sum(holders.values())):
            return Wait(f"the lock '{name}', behind others", (keys.lock(name),))
    return Ready()


def _overtakes(view: View, name: str, run: Run, free: int) -> bool:
    """Whether somebody who came earlier waits for more of a lock than is free: else who asks for much never gets it."""
    lines, own = view.parked.get(keys.lock(name), Lines()), rank(run)
    other = lines.head()
    while other is not None and rank(other) < own:
        if other.plan.locks.get(name, 0) > free:
            return True
        other = lines.head(rank(other))
    return False


# Who is told, and when -------------------------------------------------------------------------------------------


def _tell(view: View, head: Run, at: float) -> Iterator[Instruction]:
    """Why nobody of a line gets a place. Newcomers are told when they come: if the first knows, all know."""
    place = choose(view, head, at)
    if isinstance(place, Placed):
        return
    message = f"waits for {place.why}"
    if head.message != message:
        for run in view.waiting[head.asked]:
            if run.message != message:
                yield Save(replace(run, message=message), run.state)


def _free(view: View, name: str) -> bool:
    host = view.hosts.get(name, HostView(name))
    return host.up and (host.slots is None or view.busy.get(name, 0) < host.slots)


def _problem(view: View, run: Run) -> str:
    names = candidates(view, run.asked).hosts
    problems = [view.hosts.get(name, HostView(name)).problem for name in names]
    if len(problems) == 1:
        return problems[0]
    return "; ".join(f"{name}: {why}" for name, why in zip(names, problems, strict=True))
