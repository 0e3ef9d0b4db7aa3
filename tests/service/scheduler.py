"""A small real scheduler behind the facade.

Rule: runs, moves and store are real; only what hosts would bring about is driven by the test.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from sshsched.domain.decide import decide
from sshsched.domain.draft import Draft
from sshsched.domain.instructions import Save, SaveHold
from sshsched.domain.model import LogEntry, Outcome, Output, Reason, Run, StopAsked, Stream
from sshsched.domain.program import Program
from sshsched.domain.shape import Shape
from sshsched.domain.states import State, move
from sshsched.domain.waiting import explain
from sshsched.engine.board import Board
from sshsched.engine.history import Gone, Vacuumed
from sshsched.engine.made import Maker
from sshsched.engine.policies import Policies
from sshsched.errors import NotFoundError
from sshsched.service.facade import Wish
from sshsched.service.hub import Hub
from sshsched.service.server import serving
from sshsched.store.filter import RunFilter
from sshsched.store.history import Policy
from sshsched.store.memory import MemoryStore

T = TypeVar("T")
NOW = 1_795_318_200.0
CHANGES = ("added", "removed", "changed", "kept", "problems", "warnings")


class Outputs:
    """Output in memory."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, str], bytes] = {}

    def read(self, run_id: int, stream: Stream, offset: int, size: int) -> bytes:
        return self.held.get((run_id, stream), b"")[offset : offset + size]


class Scheduler:
    """Facade, store, output files and hub of one scheduler process; a restart makes a new one of the same store."""

    def __init__(self, store: MemoryStore | None = None, outputs: Outputs | None = None, now: float = NOW) -> None:
        self.store = store or MemoryStore()
        self.outputs = outputs or Outputs()
        self.hub = Hub(now)
        self.followed: Counter[int] = Counter()
        self.ended: bool | None = None
        self.reloads: dict[str, list[str]] = {name: [] for name in CHANGES}
        self.archived: list[tuple[list[Policy] | None, Path | None]] = []
        self.still = asyncio.Lock()
        self._now = now
        found = self.store.runs(RunFilter(), limit=10_000)
        self._runs: dict[int, Run] = {run.id: run for run in found if not run.settled}
        self._hosts: dict[str, Shape] = {"nas": {"host": "nas", "up": True}}

    async def submit(self, drafts: Sequence[Draft], taken: Sequence[Run] = ()) -> list[Run]:
        runs = []
        first = await self.store.last_id() + 1
        for number, each in enumerate(drafts, first):
            if each.host == "nowhere":
                raise NotFoundError("nowhere: there is no such host")
            state = State.WAITING if each.schedule_time is None else State.SCHEDULED
            parts = {part.name: getattr(each, part.name) for part in fields(each)}
            runs.append(Run(id=number, created_at=self._now, state=state, **parts))
        await self._save([(run, None) for run in runs])
        return runs

    async def stop(self, ids: Sequence[int], asked: StopAsked) -> list[Run]:
        found = []
        for each in ids:
            run = replace(self._runs[each], stop_asked=asked, reason=Reason.STOP_ASKED)
            if run.state in (State.SCHEDULED, State.WAITING):
                found.append(await self.move(run, State.SKIPPED, Reason.BY_HAND, cleaned=True))
            elif run.state is State.STOPPING:
                found.append(run)
            else:
                found.append(await self.move(run, State.STOPPING, Reason.STOP_ASKED))
        return found

    async def want(self, event: Wish) -> Mapping[int, Run]:
        """What the real decision saves."""
        saves = [step for step in decide(self._board().view, event) if isinstance(step, Save | SaveHold)]
        await self.store.commit(saves)
        for run in (changed := {save.run.id: save.run for save in saves if isinstance(save, Save)}).values():
            self._runs.pop(run.id, None) if run.settled else self._runs.update({run.id: run})
            self.hub.publish(run)
        return changed

    def holds(self) -> dict[str, str]:
        return dict(self.store.held)

    def draft(self, job_id: str, args: Mapping[str, str], by: str) -> Draft:
        """Job `gone` is, and all others run something else by now."""
        if job_id == "gone":
            raise ValueError("no such job: gone")
        return Draft("nas", Program("newer"), job_id, args, by=by)

    def explain(self, drafts: Sequence[Draft]) -> list[str]:
        maker = Maker(1_000_000)
        return [explain(self._board().view, maker.run(each, self._now), self._now) for each in drafts]

    def _board(self) -> Board:
        return Board(self._runs.values(), holds=self.holds())

    def run(self, run_id: int) -> Run | None:
        return self._runs.get(run_id)

    def live(self) -> Iterable[Run]:
        return self._runs.values()

    def hosts(self) -> list[Shape]:
        return list(self._hosts.values())

    async def check_host(self, name: str) -> Shape:
        if name not in self._hosts:
            raise NotFoundError(f"{name}: there is no such host")
        return {"host": name, "shell": "dash"}

    async def reload(self, dry_run: bool) -> Shape:
        return {"jobs": 3, **self.reloads, "dry_run": dry_run}

    def status(self) -> Shape:
        return {"mode": "serve", "live": len(self._runs)}

    @contextmanager
    def follow(self, run_id: int) -> Iterator[None]:
        self.followed[run_id] += 1
        try:
            yield
        finally:
            self.followed[run_id] -= 1

    def shutdown(self, handover: bool) -> None:
        self.ended = handover

    async def archive(self, asked: Policies | None = None, to: Path | None = None) -> Gone:
        self.archived.append((None if asked is None else [*asked.policies], to))
        return Gone(archived=1, more=True)

    async def vacuum(self) -> Vacuumed:
        return Vacuumed(2, 1, False)

    # What hosts would bring about:

    async def move(self, run: Run, state: State, reason: Reason, **changes: Any) -> Run:
        """A run's next state, saved and then published."""
        moved = replace(run, state=move(run.state, state), reason=reason, **changes)
        await self._save([(moved, run.state)])
        return moved

    async def start(self, run_id: int) -> Run:
        starting = await self.move(self._runs[run_id], State.STARTING, Reason.HOST_READY, starting_since=self._now)
        return await self.move(starting, State.RUNNING, Reason.CLAIMED, started_at=self._now, pid=4711)

    async def finish(self, run_id: int, exit_code: int = 0, *, settled: bool = True) -> Run:
        """The program has ended. Unless settled, its output is still to come."""
        run = self._runs[run_id]
        state = State.SUCCESS if exit_code == 0 else State.FAILURE
        outcome = Outcome(exit_code=exit_code)
        output = replace(run.output, complete=settled)
        return await self.move(
            run, state, Reason.EXITED, finished_at=self._now + 5, outcome=outcome, output=output, cleaned=settled
        )

    async def settle(self, run_id: int) -> Run:
        """All output has come, and the host is clean."""
        run = self._runs[run_id]
        done = replace(run, output=replace(run.output, complete=True), cleaned=True)
        await self._save([(done, run.state)])
        return done

    def prints(self, run_id: int, data: bytes, stream: str = "stdout") -> None:
        """Output has come and can be read."""
        held = self.outputs.held
        held[run_id, stream] = held.get((run_id, stream), b"") + data
        sizes = Output(*(len(held.get((run_id, each), b"")) for each in ("stdout", "stderr")))
        self._runs[run_id] = replace(self._runs[run_id], output=sizes)
        self.hub.publish_output(run_id, sizes.stdout, sizes.stderr)

    def host_changes(self, name: str, **what: object) -> None:
        self._hosts[name] = {"host": name, **what}
        self.hub.publish_host(self._hosts[name])

    async def _save(self, changes: Sequence[tuple[Run, State | None]]) -> None:
        rows = [LogEntry(run.id, self._now, old, run.state, run.reason, "") for run, old in changes]
        await self.store.commit([Save(run, old, (row,)) for (run, old), row in zip(changes, rows, strict=True)])
        for run, _ in changes:
            self._runs.pop(run.id, None) if run.settled else self._runs.update({run.id: run})
            self.hub.publish(run)

    @asynccontextmanager
    async def served(self, state_dir: Path, heartbeat: float = 15.0) -> AsyncIterator[Scheduler]:
        async with serving(
            self,
            self.store,
            self.outputs,
            self.hub,
            state_dir,
            now=lambda: self._now,
            heartbeat=heartbeat,
            history=self,
        ):
            yield self


DRAFT: dict[str, Any] = {"host": "nas", "program": {"command": "true"}}
