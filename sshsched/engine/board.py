"""The live runs and the hosts they are on, indexed the way decisions ask for them.

Rule: only `put` and `set_host` change it; a settled run leaves it, and is found in the store from then on.
"""

from __future__ import annotations

from collections.abc import Iterable

from sshsched.domain.model import Run
from sshsched.domain.shape import Shape, iso
from sshsched.domain.states import State
from sshsched.domain.view import HostView, View

Runs = dict[int, Run]


class Board:
    """What decisions look at; `view` stays true as the board changes."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs: Runs = {}
        self._by_host: dict[str, Runs] = {}
        self._waiting: dict[str, Runs] = {}
        self._hosts: dict[str, HostView] = {}
        self.scheduled: Runs = {}
        self.view = View(self._runs, self._by_host, self._waiting, self._hosts)
        for run in runs:
            self.put(run)

    def put(self, run: Run) -> None:
        """A run as it is now."""
        if (old := self._runs.get(run.id)) is not None and self._place(old) is not self._place(run):
            self._remove(old)
        if run.settled:
            self._runs.pop(run.id, None)
        else:
            self._runs[run.id] = run
        if (place := self._place(run)) is not None:
            place[run.id] = run

    def set_host(self, host: HostView) -> None:
        """A host as it is now."""
        self._hosts[host.name] = host

    def host(self, name: str) -> HostView:
        """The host, unknown and down if nothing has been heard of it."""
        return self._hosts.get(name, HostView(name))

    def needed_hosts(self) -> set[str]:
        """The hosts that some run needs a link to."""
        return self._by_host.keys() | self._waiting.keys()

    def waits(self) -> bool:
        """Whether time alone may change anything."""
        return bool(self._waiting or self.scheduled)

    def _place(self, run: Run) -> Runs | None:
        if run.settled:
            return None
        if run.state is State.SCHEDULED:
            return self.scheduled
        index = self._waiting if run.state is State.WAITING else self._by_host
        return index.setdefault(run.host, {})

    def _remove(self, run: Run) -> None:
        place = self._place(run)
        if place is None:
            return
        place.pop(run.id, None)
        for index in (self._waiting, self._by_host):
            if index.get(run.host) == {}:
                del index[run.host]


def host_shape(board: Board, name: str, slots: int | None, *, wanted: bool) -> Shape:
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
        "problem": host.problem or None,
        "permanent": host.permanent,
        "slots": slots,
        "running": sum(run.on_host for run in board.view.by_host.get(name, {}).values()),
        "waiting": len(board.view.waiting.get(name, {})),
        "spool": host.spool or None,
    }
