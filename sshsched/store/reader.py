"""The past, read-only: for commands, also when no scheduler runs, and for the service in a thread.

Rule: quick to import (no asyncio), never writes, and a folder without a database simply has no runs.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sshsched.domain.model import LogEntry, Run
from sshsched.domain.states import State
from sshsched.errors import StoreDamagedError, StoreError
from sshsched.store import queries
from sshsched.store.database import BUSY_TIMEOUT, database, explained, open_reader
from sshsched.store.filter import RunFilter
from sshsched.store.rows import entry_of, run_of

if TYPE_CHECKING:
    from sshsched.domain.instructions import Notice
    from sshsched.store.stats import JobStats, Past

LONGEST_RUN = 31 * 86400.0  # seconds that a run takes from being made to its end, as far as `ended` sees


class Reader:
    """Opens the database at the first question and keeps it open until close().

    Every method raises StoreBusyError, StoreNewerError or StoreDamagedError where the database cannot be read.
    """

    def __init__(self, state_dir: Path, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self._path = database(state_dir)
        self._busy_timeout = busy_timeout
        self._connection: sqlite3.Connection | None = None

    @classmethod
    def of_archive(cls, file: Path) -> Reader:
        """The runs of an archive. Raises NotFoundError if there is none."""
        from sshsched.store.archive import check_readable  # most commands read no archive

        check_readable(file)
        reader = cls(file.parent)
        reader._path = file
        return reader

    def run(self, id: int) -> Run | None:
        """The run with this id."""
        return next(map(run_of, self._ask(queries.ONE_RUN, (id,))), None)

    def runs(self, where: RunFilter, *, limit: int, before: int | None = None) -> list[Run]:
        """The newest `limit` matching runs, newest first; the next page lies `before` the id of the last one."""
        return list(map(run_of, self._ask(*queries.select_runs(where, limit, before))))

    def steps(self, root: int) -> list[Run]:
        """All runs of the steps of a workflow, the oldest first."""
        return list(map(run_of, self._ask(queries.STEPS, (root,))))

    def log(self, id: int) -> list[LogEntry]:
        """What happened to a run, in order."""
        return list(map(entry_of, self._ask(queries.LOG, (id,))))

    def job_log(self, job_id: str, limit: int = 100) -> list[tuple[float, str]]:
        """What happened to a job beside its runs, newest first: when, and a sentence."""
        return [(at, message) for at, message in self._ask(queries.JOB_LOG, (job_id, limit))]

    def stats(self, where: RunFilter, limit: int) -> list[JobStats]:
        """Of each job with finished runs that match: how the last `limit` of these went, by the job's id."""
        from sshsched.store.stats import job_stats

        jobs = [job for (job,) in self._ask(queries.JOBS) if where.allows(job)]
        found = [job_stats(job, self._past(job, where, limit)) for job in jobs]
        return [stats for stats in found if stats.past]

    def _past(self, job: str, where: RunFilter, limit: int) -> list[Past]:
        from sshsched.store.stats import Past

        rows = self._ask(*queries.select_past(job, where, limit))
        return [
            Past(id, State(state), None if None in (began, ended) else max(0.0, ended - began))
            for id, state, began, ended in reversed(rows)
        ]

    def last_successes(self, job_ids: Iterable[str]) -> dict[str, float]:
        """When each of these jobs last succeeded, if it ever did."""
        found = {job_id: self._ask(queries.LAST_SUCCESS, (job_id,)) for job_id in job_ids}
        return {job_id: rows[0][0] for job_id, rows in found.items() if rows and rows[0][0] is not None}

    def live(self) -> list[Run]:
        """All runs for which something is left to do, by id."""
        return list(map(run_of, self._ask(queries.LIVE_RUNS)))

    def cursors(self) -> dict[tuple[str, str], float]:
        """Up to which instant each schedule has been asked, by job id and schedule."""
        return {(job, schedule): until for job, schedule, until in self._ask(queries.CURSORS)}

    def integrity(self, within: float) -> str | None:
        """What is broken in the file, or "ok"; None if that cannot be told in so many seconds."""
        end = time.monotonic() + within
        try:
            with self._limited(end):
                return "; ".join(text for (text,) in self._ask("PRAGMA quick_check(3)")) or "ok"
        except StoreDamagedError as error:
            return str(error)
        except StoreError:
            if time.monotonic() < end:
                raise
            return None

    @contextmanager
    def _limited(self, end: float) -> Iterator[None]:
        """What takes longer is interrupted."""
        self._ask("SELECT 1 WHERE FALSE")
        if (connection := self._connection) is None:
            yield
            return
        connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)

    def notices(self, run_id: int) -> list[Notice]:
        """What was told of a run, or is still to be, in order."""
        if not self._ask(queries.ANY_NOTICE, (run_id,)):
            return []  # and nothing is imported for what most runs have none of
        from sshsched.store import notices

        return list(notices.notices_of(self._ask(notices.OF_RUN, (run_id,))))

    def counts(self) -> dict[State, int]:
        """How many runs are in each state that any run is in."""
        return {State(state): count for state, count in self._ask(queries.COUNTS)}

    def untold(self) -> list[Notice]:
        """All notices that are still to be delivered."""
        from sshsched.store import notices

        return list(notices.notices_of(self._ask(notices.OPEN)))

    def succeeded(self, job_id: str, since: float, until: float) -> bool:
        """Whether a run of a job has succeeded after one instant and not after another; steps do not count."""
        return bool(self._ask(queries.SUCCEEDED, (job_id, since, until)))

    def ended(self, since: float, until: float) -> dict[str | None, dict[State, int]]:
        """How many runs of each job came to what in that time; steps, and attempts that were repeated, do not count."""
        found: dict[str | None, dict[State, int]] = {}
        for job_id, state, count in self._ask(queries.ENDED, (since - LONGEST_RUN, until, since, until)):
            found.setdefault(job_id, {})[State(state)] = count
        return found

    def holds(self) -> dict[str, str]:
        """What is held back apart from single runs, and in whose words."""
        return dict(self._ask(queries.HOLDS))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = open_reader(self._path, self._busy_timeout)
        if self._connection is None:
            return []
        with explained(self._path):
            return self._connection.execute(query, values).fetchall()
