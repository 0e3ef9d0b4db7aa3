"""Output on its way from one host to the disk: how far each run's has come, and what may be kept of what comes.

Rule: what is counted is on the disk. The spool has everything until the run is cleaned, so what is missing here, or may
not be kept yet, is asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sshsched.domain.events import Report
from sshsched.domain.model import Output, Run, Stream
from sshsched.engine.handed import Handed
from sshsched.engine.masking import NO_MASK
from sshsched.errors import StoreBusyError, StoreError
from sshsched.remote.answers import Data

log = logging.getLogger("sshsched")

Offsets = tuple[int, int]
"""How many bytes of stdout, and of stderr."""


class Outputs(Protocol):
    """Where output is kept. Its methods block, and are called in threads."""

    def write(self, run_id: int, stream: Any, offset: int, data: bytes) -> int: ...
    def read(self, run_id: int, stream: Any, offset: int, size: int) -> bytes: ...
    def size(self, run_id: int, stream: Any) -> int: ...
    def sync(self, *run_ids: int) -> None: ...
    def finish(self, run_id: int) -> None: ...
    def checksum(self, run_id: int, stream: Stream) -> str | None: ...


class Incoming:
    """For the runs of one host."""

    def __init__(self, outputs: Outputs, handed: Handed) -> None:
        self._outputs = outputs
        self._handed = handed
        self._sizes: dict[int, Offsets] = {}
        self._writing = asyncio.Lock()

    def size(self, run: Run) -> Offsets:
        """What is here of its output."""
        return self._sizes.get(run.id, (run.output.stdout, run.output.stderr))

    def forget(self, run_id: int) -> None:
        """Nothing of this run comes any more."""
        self._sizes.pop(run_id, None)

    async def keep(
        self, runs: Mapping[str, Run], reports: Mapping[str, Report], data: Sequence[Data]
    ) -> dict[str, Output]:
        """Write what came, durably; what is here of each run then."""
        async with self._writing:
            # A look and a fetch may have asked for the same bytes: what does not follow what is here has come before.
            pieces = [
                (runs[it.name], await self._masked(runs[it.name], it, reports.get(it.name)))
                for it in data
                if it.data and it.name in runs and self._next(runs[it.name], it)
            ]
            broken = await asyncio.to_thread(self._write, pieces) if pieces else set()
            for run, piece in pieces:
                stdout, stderr = self.size(run)
                end = piece.offset + len(piece.data)
                self._sizes[run.id] = (end, stderr) if piece.stream == "stdout" else (stdout, end)
            # Somebody removed bytes here: the spool has them all until the run is cleaned, so begin anew.
            self._sizes.update(dict.fromkeys(broken, (0, 0)))
        there = {(piece.name, piece.stream): piece.size for piece in data}
        kept = {}
        for name, report in reports.items():
            if name not in runs:
                continue
            run = runs[name]
            stdout, stderr = self.size(run)
            whole = stdout >= there.get((name, "stdout"), 0) and stderr >= there.get((name, "stderr"), 0)
            kept[name] = Output(stdout, stderr, complete=report.exists and report.outcome is not None and whole)
        return kept

    def finish(self, runs: list[Run]) -> dict[int, tuple[str | None, str | None]]:
        """Pack what has been fetched; the checksums of what is kept."""
        kept = [run.id for run in runs if run.output.stdout or run.output.stderr]
        for run_id in kept:
            self._outputs.finish(run_id)
        return {one: (self._outputs.checksum(one, "stdout"), self._outputs.checksum(one, "stderr")) for one in kept}

    def _next(self, run: Run, piece: Data) -> bool:
        return piece.offset == self.size(run)[piece.stream == "stderr"]

    async def _masked(self, run: Run, piece: Data, report: Report | None) -> Data:
        """What may be kept of a piece: less, where a secret may have begun and the rest is still to come."""
        mask = await self._handed.mask(run)
        if mask is NO_MASK:
            return piece
        ended = run.finished or (report is not None and report.outcome is not None)
        final = ended and piece.offset + len(piece.data) >= piece.size
        return replace(piece, data=b"" if mask is None else mask.data(piece.data, final=final))

    def _write(self, pieces: list[tuple[Run, Data]]) -> set[int]:
        """The runs of which earlier bytes are missing here. Raises StoreBusyError."""
        broken = set()
        for run, piece in pieces:
            try:
                self._outputs.write(run.id, piece.stream, piece.offset, piece.data)
            except StoreBusyError:
                raise
            except StoreError as error:
                log.error("%s: %s; it is fetched again", run.name, error)
                broken.add(run.id)
        self._outputs.sync(*{run.id for run, _ in pieces})
        return broken


def behind(at: Offsets, data: Sequence[Data]) -> Offsets:
    """The offsets of stdout and stderr that follow what has come."""
    came = {piece.stream: len(piece.data) for piece in data}
    return at[0] + came.get("stdout", 0), at[1] + came.get("stderr", 0)
