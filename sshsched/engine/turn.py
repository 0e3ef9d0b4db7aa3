"""One turn: events are decided, what follows is decided with them, until nothing follows any more.

Rule: only the board is changed here. What is to be saved and what is to be done is gathered, in its order, for the
caller: who saves all of it in one transaction, and acts after that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sshsched.domain import keys
from sshsched.domain.decide import decide
from sshsched.domain.draft import Draft
from sshsched.domain.events import (
    Advanced,
    Asked,
    Considered,
    Event,
    HostDown,
    HostUp,
    Learnt,
    Moved,
    Submitted,
    TimePassed,
    Woken,
)
from sshsched.domain.instructions import (
    Advance,
    Ask,
    Consider,
    Instruction,
    Make,
    Notice,
    Over,
    Park,
    Reconsider,
    Save,
    SaveCursor,
    SaveHold,
    SaveNotice,
    Saving,
    Stir,
)
from sshsched.domain.line import Rank, rank
from sshsched.domain.model import Run
from sshsched.domain.placement import candidates
from sshsched.domain.states import State
from sshsched.engine.board import Board

T = TypeVar("T")
MakeRun = Callable[[Draft, float, float | None, Over | None], Run]
"""A new run of a draft, now, that does not start before a time, or is over already."""


class Turn:
    """`take()` each event, then `settle()`; then all is in the public attributes."""

    def __init__(self, board: Board, make: MakeRun, clock: Callable[[], float]) -> None:
        self.saves: list[Saving] = []
        self.acts: list[Instruction] = []
        self.notices: list[Notice] = []
        self.hosts: dict[str, None] = {}
        """The hosts of which something may have changed."""
        self.wanted: set[str] = set()
        """The hosts that some run needs a link to from now on."""
        self._board = board
        self._make = make
        self._clock = clock
        self._moved: list[Moved] = []
        self._asks: dict[int, None] = {}
        self._keys: dict[str, None] = {}
        self._hosts: dict[str, None] = {}
        self._roots: dict[Advance, None] = {}

    @property
    def changed(self) -> dict[int, Run]:
        """The runs that this turn changed, as they are now."""
        return {save.run.id: save.run for save in self.saves if isinstance(save, Save)}

    def take(self, event: Event) -> None:
        """Decide one event."""
        self._see(event)
        for instruction in decide(self._board.view, event):
            self._do(instruction)
        if isinstance(event, Woken):
            for number in event.run_ids:
                self._board.wake(number)

    def settle(self) -> None:
        """Decide what follows, until nothing does."""
        while True:
            if self._moved:
                moved, self._moved = self._moved, []
                for event in moved:
                    self.take(event)
            elif self._asks:
                self._ask(_pop(self._asks))
            elif self._keys:
                self._stir(_pop(self._keys))
            elif self._roots:
                each = _pop(self._roots)
                self.take(Advanced(self._clock(), each.root, each.step))
            elif self._hosts:
                self.take(Considered(self._clock(), _pop(self._hosts)))
            else:
                return

    # Inside ----------------------------------------------------------------------------------------------------------

    def _do(self, step: Instruction) -> None:
        match step:
            case Save():
                self._save(step)
            case SaveCursor():
                self.saves.append(step)
            case SaveHold(key, words):
                self.saves.append(step)
                self._board.hold(key, words)
            case SaveNotice(notice):
                self.saves.append(step)
                self.notices.append(notice)
            case Consider(host):
                self._hosts[host] = self.hosts[host] = None
            case Reconsider(number):
                self._asks[number] = None
            case Stir(key):
                self._keys[key] = None
            case Advance():
                self._roots[step] = None
            case Park(number, on, until):
                self._board.park(number, on, until)
                self.wanted |= keys.hosts(on)
            case Ask(probe):
                self.wanted.add(probe.host)
                self.acts.append(step)
            case Make(draft, not_before, follows, over):
                now = self._clock()
                self.take(Submitted(now, (self._make(draft, now, not_before, over),), follows))
            case _:
                self.acts.append(step)

    def _save(self, save: Save) -> None:
        run, old = save.run, self._board.view.runs.get(save.run.id)
        if save.old is None and self._board.view.names.get(run.job_id or "") != frozenset(run.args):
            self._keys[keys.names(run.job_id or "")] = None
        self._board.put(run)
        self.saves.append(save)
        if run.state is State.WAITING and run.ready_since is not None:
            self.wanted.update(candidates(self._board.view, run.asked).hosts)
        if save.old is run.state:
            return
        self._moved.append(Moved(self._clock(), old, run))
        if run.state is State.WAITING:
            self._asks[run.id] = None
        for key in keys.stirred(old, run):
            if key in self._board.view.parked:
                self._keys[key] = None
        if run.root is not None:
            self._roots[Advance(run.root, run.step)] = None

    def _ask(self, number: int) -> None:
        self._board.unpark(number)
        self.take(Asked(self._clock(), number))

    def _stir(self, key: str) -> None:
        if keys.one_by_one(key):
            self._first_of_all(key)
            return
        for line in self._board.view.parked.get(key, {}).values():
            self._asks.update(dict.fromkeys(run.id for run in line))

    def _first_of_all(self, key: str) -> None:
        """Ask who comes first, until one takes what has come free or still waits for it: then nobody else gets it.

        Whoever begins stirs the key again. Who turns out to wait for something else leaves its place to the next; who
        waits for a place on a host, to the first of those who asked for another.
        """
        after: Rank | None = None
        seen: set[str] = set()
        while (lines := self._board.view.parked.get(key)) is not None and (head := lines.head(after)) is not None:
            if head.asked in seen:
                after = rank(head)
                continue
            self._ask(head.id)
            now = self._board.view.runs.get(head.id)
            if self._board.waits_for(head.id, key) or (now is not None and now.on_host):
                return
            if now is not None and now.ready_since is not None:
                seen.add(head.asked)

    def _see(self, event: Event) -> None:
        """What is known of hosts is no part of any run, and not stored."""
        board = self._board
        if isinstance(event, HostUp):
            known = board.host(event.host)
            board.set_host(
                replace(known, up=True, boot=event.boot, spool=event.spool, since=event.at, problem="", permanent=False)
            )
            self.hosts[event.host] = None
        elif isinstance(event, HostDown):
            known = board.host(event.host)
            since = event.at if known.up or not known.since else known.since
            board.set_host(replace(known, up=False, since=since, problem=event.message, permanent=event.permanent))
            self.hosts[event.host] = None
        elif isinstance(event, Learnt):
            board.learn(event.key, event.fact)
        elif isinstance(event, Submitted | TimePassed):
            # What was wrong for good may have been mended: a new run is a reason to try again before giving up.
            for name in {name for run in event.runs for name in candidates(board.view, run.asked).hosts}:
                known = board.host(name)
                if known.permanent:
                    board.set_host(replace(known, permanent=False, problem=""))


def _pop(found: dict[T, None]) -> T:
    first = next(iter(found))
    del found[first]
    return first
