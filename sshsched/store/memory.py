"""The store without a disk, for tests of what uses it. Rule: the same promises, held by the same tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sshsched.domain.instructions import Notice, Save, SaveCursor, SaveHold, SaveNotice, Saving
from sshsched.domain.model import LogEntry, Run
from sshsched.domain.states import State
from sshsched.errors import StoreError
from sshsched.store import rows
from sshsched.store.filter import RunFilter


class MemoryStore:
    """Store and Reader in one."""

    def __init__(self, instance: str = "0123456789ab", runs: Iterable[Run] = ()) -> None:
        self.instance = instance
        self._runs: dict[int, Run] = {run.id: run for run in runs}
        self._logs: dict[int, list[LogEntry]] = {}
        self._cursors: dict[tuple[str, str], float] = {}
        self._holds: dict[str, str] = {}
        self._job_logs: dict[str, list[tuple[float, str]]] = {}
        self._notices: dict[str, Notice] = {}

    @property
    def held(self) -> dict[str, str]:
        """What is held back."""
        return self._holds

    async def commit(self, saves: Sequence[Saving]) -> None:
        """See Store.commit()."""
        self.put(saves)

    def put(self, saves: Sequence[Saving]) -> None:
        """The same without a loop."""
        new: dict[int, Run] = {}
        for save in [save for save in saves if isinstance(save, Save)]:
            known = new.get(save.run.id, self._runs.get(save.run.id))
            if (None if known is None else known.state) != save.old:
                raise StoreError(
                    f"{save.run.name} is {known and known.state} in the store, and was to be {save.old} there"
                )
            if known is not None and rows.fixed(known) != rows.fixed(save.run):
                raise StoreError(f"{save.run.name} differs from the store in what is fixed when a run is made")
            new[save.run.id] = save.run
        self._runs |= new
        for entry in [entry for save in saves if isinstance(save, Save) for entry in save.log]:
            self._logs.setdefault(entry.run_id, []).append(entry)
        for hold in [save for save in saves if isinstance(save, SaveHold)]:
            if hold.words is None:
                self._holds.pop(hold.key, None)
            else:
                self._holds[hold.key] = hold.words
        for cursor in [save for save in saves if isinstance(save, SaveCursor)]:
            self._move_cursor(cursor)
        for told in [save for save in saves if isinstance(save, SaveNotice)]:
            self._save_notice(told)

    async def live(self) -> list[Run]:
        """See Store.live()."""
        roots = {number for number, run in self._runs.items() if not run.settled}
        return [run for number, run in sorted(self._runs.items()) if number in roots or run.root in roots]

    async def last_id(self) -> int:
        """See Store.last_id()."""
        return max(self._runs, default=0)

    async def cursors(self) -> dict[tuple[str, str], float]:
        """See Store.cursors()."""
        return dict(self._cursors)

    async def holds(self) -> dict[str, str]:
        """See Store.holds()."""
        return dict(self._holds)

    async def open_notices(self) -> list[Notice]:
        """See Store.open_notices()."""
        return self.untold()

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

    def steps(self, root: int) -> list[Run]:
        """See Reader.steps()."""
        return [run for _, run in sorted(self._runs.items()) if run.root == root]

    def log(self, id: int) -> list[LogEntry]:
        """See Reader.log()."""
        return self._logs.get(id, [])[:]

    def job_log(self, job_id: str, limit: int = 100) -> list[tuple[float, str]]:
        """See Reader.job_log()."""
        return self._job_logs.get(job_id, [])[::-1][:limit]

    def notices(self, run_id: int) -> list[Notice]:
        """See Reader.notices()."""
        found = [notice for notice in self._notices.values() if notice.run_id == run_id]
        return sorted(found, key=lambda notice: (notice.made_at, notice.id))

    def untold(self) -> list[Notice]:
        """See Reader.untold()."""
        return [notice for _, notice in sorted(self._notices.items()) if notice.done_at is None]

    def succeeded(self, job_id: str, since: float, until: float) -> bool:
        """See Reader.succeeded()."""
        return self.ended(since, until).get(job_id, {}).get(State.SUCCESS, 0) > 0

    def ended(self, since: float, until: float) -> dict[str | None, dict[State, int]]:
        """See Reader.ended()."""
        found: dict[str | None, dict[State, int]] = {}
        for run in self._runs.values():
            whole = run.root is None and run.retried_by is None
            if whole and run.finished_at is not None and since < run.finished_at <= until:
                counts = found.setdefault(run.job_id, {})
                counts[run.state] = counts.get(run.state, 0) + 1
        return found

    def counts(self) -> dict[State, int]:
        """See Reader.counts()."""
        return dict(Counter(run.state for run in self._runs.values()))

    def names(self, job_id: str) -> frozenset[str] | None:
        """See Past.names()."""
        runs = [run for run in self._runs.values() if run.job_id == job_id and run.root is None]
        return frozenset(max(runs, key=lambda run: run.id).args) if runs else None

    def found(
        self,
        job_id: str,
        args: Mapping[str, str],
        states: frozenset[State],
        since: float,
        shared: Mapping[str, str] = {},
    ) -> int | None:
        """See Past.found()."""
        runs = [run for run in self._runs.values() if run.job_id == job_id and run.root is None]
        newest = max(runs, key=lambda run: run.id, default=None)
        wanted = {**{name: shared[name] for name in shared if newest and name in newest.args}, **args}
        fits = [
            run
            for run in runs
            if run.state in states
            and run.retried_by is None
            and run.finished_at is not None
            and run.finished_at >= since
            and wanted.items() <= dict(run.args).items()
        ]
        best = max(fits, key=lambda run: (run.finished_at or 0.0, run.id), default=None)
        return None if best is None else best.id

    def _move_cursor(self, save: SaveCursor) -> None:
        if save.until is None:
            self._cursors.pop((save.job_id, save.schedule), None)
        else:
            self._cursors[save.job_id, save.schedule] = save.until
        if save.note:
            self._job_logs.setdefault(save.job_id, []).append((save.at, save.note))

    def _save_notice(self, save: SaveNotice) -> None:
        notice = save.notice
        self._notices[notice.id] = notice
        if save.note and (run := self._runs.get(notice.run_id or 0)) is not None:
            entry = LogEntry(run.id, save.at, run.state, run.state, run.reason, save.note)
            self._logs.setdefault(run.id, []).append(entry)
        elif save.note and notice.job_id is not None:
            self._job_logs.setdefault(notice.job_id, []).append((save.at, save.note))
