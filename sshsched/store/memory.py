"""The store without a disk, for tests of what uses it. Rule: the same promises, held by the same tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sshsched.domain.events import Save
from sshsched.domain.model import LogEntry, Run
from sshsched.domain.states import State
from sshsched.errors import StoreError
from sshsched.store import rows
from sshsched.store.filter import RunFilter


class MemoryStore:
    """Store and Reader in one."""

    def __init__(self, instance: str = "0123456789ab") -> None:
        self.instance = instance
        self._runs: dict[int, Run] = {}
        self._logs: dict[int, list[LogEntry]] = {}

    async def commit(self, saves: Sequence[Save]) -> None:
        """See Store.commit()."""
        new: dict[int, Run] = {}
        for save in saves:
            known = new.get(save.run.id, self._runs.get(save.run.id))
            if (None if known is None else known.state) != save.old:
                raise StoreError(
                    f"{save.run.name} is {known and known.state} in the store, and was to be {save.old} there"
                )
            if known is not None and rows.fixed(known) != rows.fixed(save.run):
                raise StoreError(f"{save.run.name} differs from the store in what is fixed when a run is made")
            new[save.run.id] = save.run
        self._runs |= new
        for save in saves:
            for entry in save.log:
                self._logs.setdefault(entry.run_id, []).append(entry)

    async def live(self) -> list[Run]:
        """See Store.live()."""
        return [run for _, run in sorted(self._runs.items()) if not run.settled]

    async def last_id(self) -> int:
        """See Store.last_id()."""
        return max(self._runs, default=0)

    async def close(self) -> None:
        """Nothing to do."""

    def run(self, id: int) -> Run | None:
        """See Reader.run()."""
        return self._runs.get(id)

    def runs(self, where: RunFilter, *, limit: int, before: int | None = None) -> list[Run]:
        """See Reader.runs()."""
        newest = sorted(self._runs, reverse=True)
        found = (self._runs[id] for id in newest if before is None or id < before)
        return [run for run in found if where.matches(run)][:limit]

    def log(self, id: int) -> list[LogEntry]:
        """See Reader.log()."""
        return self._logs.get(id, [])[:]

    def counts(self) -> dict[State, int]:
        """See Reader.counts()."""
        return dict(Counter(run.state for run in self._runs.values()))
