"""The past, asked in one thread of its own: pages of runs, logs, bytes of output.

Rule: nothing here runs on the screen's loop; every answer is a future. Reads only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from sshsched.domain.model import LogEntry, Run, Stream
from sshsched.domain.outline import Place, outline
from sshsched.domain.shape import Shape, run_shape
from sshsched.store.filter import RunFilter
from sshsched.store.output import OutputFiles
from sshsched.store.reader import Reader
from sshsched.tui.model import Row, row

PAGE = 200
T = TypeVar("T")


class Whole(NamedTuple):
    """A run with its log, and the root of the workflow that it is, or is a step of."""

    shape: Shape
    log: list[LogEntry]
    root: int | None


class Workflow(NamedTuple):
    """A root, and its steps in the order of the file."""

    root: Run
    places: Sequence[Place]


class Past:
    """Safe to ask from any thread."""

    def __init__(self, state_dir: Path) -> None:
        self._thread = ThreadPoolExecutor(1, "past")
        self._reader = Reader(state_dir)
        self.state_dir = state_dir
        self.files = OutputFiles(state_dir)

    def close(self) -> None:
        self._thread.submit(self._reader.close)
        self._thread.shutdown(wait=True, cancel_futures=True)

    def page(self, where: RunFilter, before: int | None = None, limit: int = PAGE) -> Future[list[Row]]:
        """The newest matching runs, or those older than `before`."""
        return self._ask(lambda: [_row(run) for run in self._reader.runs(where, limit=limit, before=before)])

    def rows(self, ids: frozenset[int]) -> Future[list[Row]]:
        """These runs as they are now."""
        return self._ask(lambda: [_row(run) for run in self._reader.runs(RunFilter(ids=ids), limit=len(ids))])

    def run(self, id: int) -> Future[Whole | None]:
        """A run, whole, with its log."""

        def ask() -> Whole | None:
            found = self._reader.run(id)
            if found is None:
                return None
            root = found.root if found.plan.flow is None else id
            return Whole(run_shape(found), self._reader.log(id), root)

        return self._ask(ask)

    def workflow(self, root: int) -> Future[Workflow | None]:
        """A workflow as it stands."""

        def ask() -> Workflow | None:
            found = self._reader.run(root)
            if found is None or found.plan.flow is None:
                return None
            return Workflow(found, outline(found.plan.flow, self._reader.steps(root)))

        return self._ask(ask)

    def read(self, id: int, stream: Stream, offset: int, size: int) -> Future[bytes]:
        """Bytes of output from an offset on."""
        return self._ask(lambda: self.files.read(id, stream, offset, size))

    def size(self, id: int, stream: Stream) -> Future[int]:
        """How many bytes of output are here."""
        return self._ask(lambda: self.files.size(id, stream))

    def _ask(self, question: Callable[[], T]) -> Future[T]:
        return self._thread.submit(question)


def _row(run: Run) -> Row:
    return row(run_shape(run))
