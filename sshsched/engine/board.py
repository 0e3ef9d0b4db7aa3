"""The live runs and the hosts they are on, indexed the way decisions ask for them.

Rule: only the methods here change it. A settled run leaves it at the end of the turn, once it is in the store, and is
found there from then on; the steps of a live workflow stay until their root goes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from sshsched.domain import keys, placement
from sshsched.domain.line import Lines
from sshsched.domain.model import Run
from sshsched.domain.shape import Shape, iso
from sshsched.domain.states import State
from sshsched.domain.steps import Steps
from sshsched.domain.timers import wakes_at
from sshsched.domain.view import Fact, Group, HostView, Past, Rules, View
from sshsched.engine.bare import NO_PAST, NO_RULES

Runs = dict[int, Run]
SEEN = 10_000  # answers of probes that are remembered


class Board:
    """What decisions look at; `view` stays true as the board changes."""

    def __init__(
        self,
        runs: Iterable[Run] = (),
        *,
        rules: Rules = NO_RULES,
        past: Past = NO_PAST,
        groups: Mapping[str, Group] | None = None,
        capacity: Mapping[str, int] | None = None,
        holds: Mapping[str, str] | None = None,
    ) -> None:
        self._runs: Runs = {}
        self._by_host: dict[str, Runs] = {}
        self._waiting = Lines()
        self._busy: dict[str, int] = {}
        self._parked: dict[str, Lines] = {}
        self._by_job: dict[str, Runs] = {}
        self._running: dict[str, Runs] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._by_root: dict[int, Steps] = {}
        self._locks: dict[str, dict[int, int]] = {}
        self._holds = dict(holds or {})
        self._facts: dict[str, Fact] = {}
        self._hosts: dict[str, HostView] = {}
        self._turns: dict[str, int] = {}
        self._parks: dict[int, tuple[tuple[str, ...], float | None]] = {}
        self._wakes: dict[int, float] = {}
        self._timers: list[tuple[float, int]] = []
        self._leaving: Runs = {}
        self.view = View(
            self._runs,
            self._by_host,
            self._waiting,
            self._busy,
            self._parked,
            self._hosts,
            self._by_job,
            self._running,
            self._names,
            self._by_root,
            self._locks,
            {} if capacity is None else capacity,
            self._holds,
            self._facts,
            {} if groups is None else groups,
            self._turns,
            past,
            rules,
        )
        for run in runs:
            self.put(run)

    # Runs ------------------------------------------------------------------------------------------------------------

    def put(self, run: Run) -> None:
        """A run as it is now."""
        old = self._runs.get(run.id)
        if old is not None:
            self._unplace(old, run)
        if run.root is not None and run.root in self._runs:
            self._by_root.setdefault(run.root, Steps()).put(run)
        self._runs[run.id] = run
        if run.settled and not self._kept(run):
            self._leaving[run.id] = run
        self._place(old, run)
        self._wake(run)

    def sweep(self) -> None:
        """Let go of what has settled: it is in the store now."""
        for run in self._leaving.values():
            steps = self._by_root.pop(run.id, Steps()).values()  # those whose spools are still there go later, alone
            for each in (run, *(step for step in steps if step.settled)):
                self._runs.pop(each.id, None)
                for key in _kin(each):
                    _drop(self._by_job, key, each.id)
        self._leaving.clear()

    def park(self, run_id: int, on: tuple[str, ...], until: float | None) -> None:
        """A waiting run is to be asked again when one of these keys is stirred, or at a time."""
        run = self._runs[run_id]
        self._unpark(run)
        self._parks[run_id] = (on, until)
        for key in on:
            self._parked.setdefault(key, Lines()).put(run)
        self._wake(run)

    def unpark(self, run_id: int) -> None:
        """A run is being asked again."""
        if (run := self._runs.get(run_id)) is not None:
            self._unpark(run)

    def waits_for(self, run_id: int, key: str) -> bool:
        """Whether a run is parked on this key."""
        return key in self._parks.get(run_id, ((), None))[0]

    def wake(self, run_id: int) -> None:
        """See when time alone may change something about a run."""
        if (run := self._runs.get(run_id)) is not None:
            self._wake(run)

    def due(self, at: float) -> tuple[int, ...]:
        """The runs whose time has come by now; they are asked once for each time."""
        found = []
        while self._timers and self._timers[0][0] <= at:
            when, number = heapq.heappop(self._timers)
            if self._wakes.get(number) == when:
                del self._wakes[number]
                found.append(number)
        return tuple(found)

    @property
    def next_at(self) -> float | None:
        """The next time at which `due()` may find any."""
        while self._timers and self._wakes.get(self._timers[0][1]) != self._timers[0][0]:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    # Everything else -------------------------------------------------------------------------------------------------

    def set_host(self, host: HostView) -> None:
        """A host as it is now."""
        self._hosts[host.name] = host

    def host(self, name: str) -> HostView:
        """The host, unknown and down if nothing has been heard of it."""
        return self._hosts.get(name, HostView(name))

    def hold(self, key: str, words: str | None) -> None:
        """Something is held back, or let go."""
        if words is None:
            self._holds.pop(key, None)
        else:
            self._holds[key] = words

    def learn(self, key: str, fact: Fact) -> None:
        """A probe has answered."""
        self._facts.pop(key, None)
        self._facts[key] = fact
        if len(self._facts) > SEEN:
            del self._facts[next(iter(self._facts))]

    def needed_hosts(self) -> set[str]:
        """The hosts that some run needs a link to."""
        names = set(self._by_host)
        for asked in self._waiting:
            names.update(placement.candidates(self.view, asked).hosts)
        return names | keys.hosts(self._parked)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _kept(self, run: Run) -> bool:
        """Whether a settled run is a step of a live workflow."""
        return run.root is not None and run.root in self._runs

    def _place(self, old: Run | None, run: Run) -> None:
        if run.on_host:
            self._busy[run.host] = self._busy.get(run.host, 0) + 1  # a root's host is empty, and nobody asks for it
            for name, count in run.plan.locks.items():
                self._locks.setdefault(name, {})[run.id] = count
        if run.state is State.WAITING:
            if run.ready_since is not None:
                self._waiting.put(run)
            for key in self._parks.get(run.id, ((), None))[0]:
                self._parked[key].put(run)
        elif run.host and not run.settled and run.state is not State.SCHEDULED:
            self._by_host.setdefault(run.host, {})[run.id] = run
        if old is None and run.job_id is not None and run.root is None:
            self._names[run.job_id] = frozenset(run.args)
        for key in _kin(run):
            self._by_job.setdefault(key, {})[run.id] = run
            if run.on_host:
                self._running.setdefault(key, {})[run.id] = run
        if old is not None and not old.host and run.host and run.asked != run.host:
            self._turns[run.asked] = self._turns.get(run.asked, 0) + 1

    def _unplace(self, old: Run, run: Run) -> None:
        if old.on_host:
            self._busy[old.host] -= 1
            if not self._busy[old.host]:
                del self._busy[old.host]
            if not run.on_host:
                for name in old.plan.locks:
                    _drop(self._locks, name, old.id)
                for key in _kin(old):
                    _drop(self._running, key, old.id)
        if old.state is State.WAITING and not (run.state is State.WAITING and run.ready_since is not None):
            self._waiting.remove(old)
        if run.state is not State.WAITING:
            self._unpark(old)
        if old.host and run.settled:
            _drop(self._by_host, old.host, old.id)

    def _unpark(self, run: Run) -> None:
        for key in self._parks.pop(run.id, ((), None))[0]:
            self._parked[key].remove(run)
            if not self._parked[key]:
                del self._parked[key]

    def _wake(self, run: Run) -> None:
        times = (None if run.settled else wakes_at(run), self._parks.get(run.id, ((), None))[1])
        at = min((time for time in times if time is not None), default=None)
        if at is None:
            self._wakes.pop(run.id, None)
        elif self._wakes.get(run.id) != at:
            self._wakes[run.id] = at
            heapq.heappush(self._timers, (at, run.id))


def _kin(run: Run) -> tuple[str, ...]:
    """The keys under which decisions find a run. A step of a workflow is no run of its job."""
    if run.job_id is None or run.root is not None:
        return ()
    return (keys.job(run.job_id), keys.job(run.job_id, run.args))


def _drop(index: dict[str, dict[int, Run]] | dict[str, dict[int, int]], key: str, number: int) -> None:
    found = index.get(key)
    if found is not None:
        found.pop(number, None)
        if not found:
            del index[key]


def host_shape(board: Board, name: str, slots: int | None, latency: float | None, *, wanted: bool) -> Shape:
    """A host as the service shows it. `wanted`: a link to it is up, or is being made."""
    host = board.host(name)
    if host.up:
        state = "up"
    elif not wanted:
        state = "idle"
    else:
        state = "unreachable" if host.problem else "connecting"
    return {
        "host": name,
        "state": state,
        "since": iso(host.since) if host.since else None,
        "latency": None if latency is None else round(latency, 4),
        "problem": host.problem or None,
        "permanent": host.permanent,
        "held": board.view.holds.get(f"host:{name}"),
        "slots": slots,
        "running": board.view.busy.get(name, 0),
        "waiting": sum(len(board.view.waiting[asked]) for asked in placement.lines_of(board.view, name)),
        "spool": host.spool or None,
    }
