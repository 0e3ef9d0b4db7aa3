"""All that the service may ask of the rest: the engine (Facade) and the output files (Outputs).

Rule: nothing else of the engine is touched, so a test can stand in a small real one. The past is asked through
`sshsched.store.ports.RunReader`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sshsched.domain.draft import Draft
from sshsched.domain.events import FailedWanted, HoldWanted, MarkWanted, ReleaseWanted, StartWanted
from sshsched.domain.model import Run, StopAsked, Stream
from sshsched.domain.shape import Shape
from sshsched.engine.history import Gone, Vacuumed
from sshsched.engine.policies import Policies

Wish = FailedWanted | StartWanted | MarkWanted | HoldWanted | ReleaseWanted


class Facade(Protocol):
    """The engine. All methods are called on its own loop; what is not async never blocks.

    Its promise: after every saved change of a run it calls `Hub.publish(run)`, before the loop goes on.
    """

    async def submit(self, drafts: Sequence[Draft], taken: Sequence[Run] = ()) -> list[Run]:
        """Make runs, in the order of the drafts, all or none; returns once they are saved.

        A single one that is a workflow may take over these steps of another. Raises NotFoundError for an unknown host,
        StoreBusyError if nothing could be saved.
        """

    async def stop(self, ids: Sequence[int], asked: StopAsked) -> list[Run]:
        """Have these live runs end; returns them as they are once the wish is saved, finished ones unchanged."""

    async def want(self, event: Wish) -> Mapping[int, Run]:
        """Have a wish decided; returns the runs that it changed, once that is saved."""

    def holds(self) -> dict[str, str]:
        """What is held back apart from single runs, and in whose words."""

    def draft(self, job_id: str, args: Mapping[str, str], by: str) -> Draft:
        """A run of a job as that is now. Raises ValueError with what is wrong."""

    def explain(self, drafts: Sequence[Draft]) -> list[str]:
        """What would happen to each run if it were made now."""

    def run(self, run_id: int, /) -> Run | None:
        """A run that the engine holds: live, or finished with something left to fetch or clean. None otherwise."""

    def live(self) -> Iterable[Run]:
        """All runs that the engine holds."""

    def hosts(self) -> list[Shape]:
        """The hosts that matter now, each with its `host`."""

    async def check_host(self, name: str) -> Shape:
        """Connect, probe and report. Raises HostError where nothing could be learnt."""

    async def reload(self, dry_run: bool) -> Shape:
        """Read the job files again, or say what that would change. Raises RefusedError if no schedules run here."""

    def status(self) -> Shape:
        """About the scheduler itself."""

    def follow(self, run_id: int, /) -> AbstractContextManager[None]:
        """While entered, output of this run is fetched within 200 ms of being written, and published."""

    def shutdown(self, handover: bool) -> None:
        """Ask the scheduler to end, or to end so that another one takes over. Returns at once."""


class History(Protocol):
    """What old runs become. Each call does a round of some seconds at most, and never holds the loop."""

    still: asyncio.Lock
    """While it is held no run leaves the store: by whoever changes one that has ended."""

    async def archive(self, asked: Policies | None = None, to: Path | None = None) -> Gone:
        """Runs beyond these limits, or those of the files, leave the store; `more` tells that another round is due."""

    async def vacuum(self) -> Vacuumed:
        """Room of what is gone goes back to the disk; `more` as above."""


class Outputs(Protocol):
    """The output files; may be called from any thread."""

    def read(self, run_id: int, stream: Stream, offset: int, size: int) -> bytes: ...
