"""What is done on one host: instructions become requests on its link, answers become events.

Rule: nothing here changes a run, and nothing is tried twice on its own account. What a lost link swallowed is asked for
again by `decide` when the host is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from sshsched.domain.events import Cleaned, Event, Fetched, Report, Reported, StartRefused, Swept
from sshsched.domain.instructions import Ask, Clean, Fetch, Instruction, Look, Seal, Start, StopProgram
from sshsched.domain.model import Output, Run
from sshsched.domain.states import State
from sshsched.engine.batcher import Batcher
from sshsched.engine.handed import Handed
from sshsched.engine.incoming import Incoming, Offsets, Outputs, behind
from sshsched.engine.masking import Mask
from sshsched.engine.probes import Prober
from sshsched.errors import HostError, SecretError, StoreError
from sshsched.remote.answers import Data
from sshsched.remote.link import Link
from sshsched.remote.script import spool_name

SWEEP_EVERY = 5.0
FOLLOW_EVERY = 0.15
CLEAN_LINGER = 2.0  # nobody waits for the cleaning of a spool, and many at once cost the host hardly more than one
MOST_RUNS = 100  # in one look
MOST_STARTS = 50  # at once; each may hold some 100 KiB of command and input
MOST_BYTES = 64 * 1024  # of each output in one look: more comes over the bulk channel

log = logging.getLogger("sshsched")


class HostWorker:
    """Performs the instructions for one host."""

    def __init__(
        self,
        link: Link,
        outputs: Outputs,
        run_of: Callable[[int], Run | None],
        post: Callable[[Event], None],
        handed: Handed,
    ) -> None:
        self.link = link
        self._handed = handed
        self._incoming = Incoming(outputs, handed)
        self._run_of = run_of
        self._post = post
        self._fetching: set[int] = set()
        self._watched: dict[int, int] = {}
        self._watch_woken = asyncio.Event()
        self._to_start: dict[int, Start] = {}
        self._starts = Batcher(self._start, MOST_STARTS)
        self._looks = Batcher(self._look, MOST_RUNS)
        self._cleans = Batcher(self._clean, MOST_RUNS, CLEAN_LINGER)
        self._prober = Prober(link, post, time.time)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for batcher in (self._starts, self._looks, self._cleans):
                    group.create_task(batcher.run())
                for work in (self.link.run(), self._sweep(), self._watch()):
                    group.create_task(work)
        finally:
            self._prober.drop()
            for task in self._tasks:
                task.cancel()

    def perform(self, instruction: Instruction) -> None:
        """Begin what the instruction says. Never blocks."""
        match instruction:
            case Look(run):
                self._looks.add(run.id)
            case Clean(run):
                self._cleans.add(run.id)
            case Start(run) if run.plan.secrets:
                self._spawn(self._start_with_secrets(instruction))
            case Start(run):
                self._to_start[run.id] = instruction
                self._starts.add(run.id)
            case Seal(run):
                self._spawn(self._seal(run))
            case StopProgram(run):
                self._spawn(self._stop(run))
            case Ask(probe):
                self._prober.ask(probe)
            case Fetch(run) if run.id not in self._fetching:
                self._fetching.add(run.id)
                self._spawn(self._fetch(run))

    def look(self, run_id: int) -> None:
        """The journal named this run."""
        self._looks.add(run_id)

    def probed(self, name: str) -> None:
        """The journal named this probe."""
        self._prober.noticed(name)

    def lost(self) -> None:
        """The link went down."""
        self._prober.drop()

    def watch(self, run_id: int) -> None:
        """Somebody follows the output of this run: bring it as it is written."""
        self._watched[run_id] = self._watched.get(run_id, 0) + 1
        self._watch_woken.set()

    def unwatch(self, run_id: int) -> None:
        """Somebody no longer does."""
        self._watched[run_id] -= 1
        if not self._watched[run_id]:
            del self._watched[run_id]

    # Requests --------------------------------------------------------------------------------------------------------

    async def _start_with_secrets(self, start: Start) -> None:
        """A password manager may take its time, and nobody else's."""
        try:
            await self._handed.secrets(start.run)
        except SecretError as error:
            self._post(StartRefused(time.time(), start.run.id, str(error)))
        else:
            self._to_start[start.run.id] = start
            self._starts.add(start.run.id)

    async def _start(self, run_ids: list[int]) -> None:
        starts = [self._to_start.pop(run_id) for run_id in run_ids]
        # What has waited here since an earlier link is decided anew: nothing is sent after a reboot or a verdict.
        if wanted := [start for start in starts if self._still_wanted(start.run)]:
            await self._guard(self._send_starts(wanted))

    def _still_wanted(self, run: Run) -> bool:
        now, hello = self._run_of(run.id), self.link.hello
        return bool(now and now.state is State.STARTING and hello and run.spool and run.spool.boot == hello.boot)

    async def _send_starts(self, starts: list[Start]) -> None:
        secrets = {start.run.id: await self._handed.secrets(start.run) for start in starts if start.run.plan.secrets}
        answers = await self.link.start([(start.run, start.stop_in) for start in starts], secrets)
        for start, answer in zip(starts, answers, strict=True):
            if not answer.launched:
                mask = Mask(secrets.get(start.run.id, {}).values())
                self._post(StartRefused(time.time(), start.run.id, mask.text(answer.refused)))

    async def _seal(self, run: Run) -> None:
        if (report := await self.link.settle(spool_name(run))) is not None:
            self._post(Reported(time.time(), run.id, report, sealing=True, knew=_knows(run)))

    async def _stop(self, run: Run) -> None:
        if (report := await self.link.stop(run)) is not None:
            # The ladder has just been sent for; that it is not done yet is no reason to send for it again.
            self._post(Reported(time.time(), run.id, report, sealing=True, knew=_knows(run)))

    async def _look(self, run_ids: list[int]) -> None:
        runs = {spool_name(run): run for run_id in run_ids if (run := self._run_of(run_id)) and run.on_host}
        if not runs:
            return
        wanted = [(name, *self._incoming.size(run)) for name, run in runs.items()]
        try:
            reports, data = await self.link.fetch(wanted, MOST_BYTES)
            kept = await self._incoming.keep(runs, reports, data)
        except (HostError, StoreError) as error:
            log.debug("%s: look: %s", self.link.host, error)
            if isinstance(error, StoreError) and len(runs) > 1:
                for run in runs.values():  # one whose output cannot be kept holds up no other
                    await self._look([run.id])
            return
        for name, report in reports.items():
            if (run := runs.get(name)) is not None:
                self._post(Reported(time.time(), run.id, report, kept.get(name), knew=_knows(run)))
        for piece in data:
            if len(piece.data) == MOST_BYTES and piece.name in runs and runs[piece.name].id in self._watched:
                self._looks.add(runs[piece.name].id)  # there is more, and somebody waits for it

    async def _fetch(self, run: Run) -> None:
        """All that is left of the output of a run that has ended, in pieces, so that memory stays small.

        While one is written to the disk, the next is on its way.
        """
        name, at = spool_name(run), self._incoming.size(run)
        coming = self._ask_ahead(name, at)
        try:
            while True:
                reports, data = await coming
                if (report := reports.get(name)) is None:
                    return
                some, before, at = any(piece.data for piece in data), at, behind(at, data)
                if some:
                    coming = self._ask_ahead(name, at)
                kept = await self._incoming.keep({name: run}, reports, data)
                here, output = self._incoming.size(run), kept.get(name) or run.output
                if some and here == before:
                    return  # nothing may be kept just now: the next sweep asks again
                if not report.exists:
                    output = Output(output.stdout, output.stderr, lost=True)
                elif not some:
                    output = Output(output.stdout, output.stderr, complete=True)
                self._post(Fetched(time.time(), run.id, output))
                if output.complete or output.lost:
                    return
                if here != at:  # less may be kept than came, or what came before is missing here: not what is coming
                    coming.cancel()
                    at, coming = here, self._ask_ahead(name, here)
        finally:
            coming.cancel()
            self._fetching.discard(run.id)

    def _ask_ahead(self, name: str, at: Offsets) -> asyncio.Task[tuple[dict[str, Report], list[Data]]]:
        coming = asyncio.create_task(self.link.fetch_bulk(name, *at))
        coming.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be left to hear of it
        return coming

    async def _clean(self, run_ids: list[int]) -> None:
        runs = {spool_name(run): run for run_id in run_ids if (run := self._run_of(run_id)) and run.finished}
        if not runs:
            return
        try:
            left = await self.link.clean(list(runs))
            gone = [run for name, run in runs.items() if name not in left]
            sums = await asyncio.to_thread(self._incoming.finish, gone)
        except (HostError, StoreError) as error:
            log.debug("%s: clean: %s", self.link.host, error)
            return
        for run in gone:
            self._incoming.forget(run.id)
            self._handed.forget(run.id)
        self._post(Cleaned(time.time(), tuple(run.id for run in gone), sums))

    # Over and over ---------------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            if self.link.hello is not None:
                self._post(Swept(self.link.host))

    async def _watch(self) -> None:
        while True:
            self._watch_woken.clear()
            for run_id in self._watched:
                if self.link.hello is not None:
                    self._looks.add(run_id)
            if self._watched:
                await asyncio.sleep(FOLLOW_EVERY)
            else:
                await self._watch_woken.wait()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (HostError, StoreError) as error:
            log.debug("%s: %s", self.link.host, error)
        except Exception:
            log.exception("%s: unexpected; tried again at the next sweep", self.link.host)


def _knows(run: Run) -> bool:
    """Whether a claim of this run's program has been seen."""
    return run.started_at is not None
