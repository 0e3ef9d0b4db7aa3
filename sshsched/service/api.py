"""What is done for each request: it is read, the facade or the past is asked, and the answer is put together.

Rule: an answer to a change is given after the change is saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sshsched.domain.draft import Draft, host_flaw, seconds_flaw
from sshsched.domain.model import Run, StopAsked, run_id
from sshsched.domain.shape import Shape, log_shape, run_shape
from sshsched.errors import NotFoundError, RefusedError, UsageError
from sshsched.service import bodies, query
from sshsched.service.endpoints import ENDPOINTS
from sshsched.service.facade import Facade, Outputs
from sshsched.service.hub import Hub
from sshsched.service.openapi import document
from sshsched.service.streams import HEARTBEAT, Stream, Write, write_events, write_output
from sshsched.store.ports import RunReader

MOST_BODY = 64 * 1024 * 1024
T = TypeVar("T")


@dataclass
class Api:
    """The handlers, each named in the table of endpoints.

    `past` is only ever used in `thread`, which has one worker. `now` is seconds since 1970.
    """

    facade: Facade
    past: RunReader
    outputs: Outputs
    hub: Hub
    thread: ThreadPoolExecutor
    now: Callable[[], float]
    heartbeat: float = HEARTBEAT

    async def status(self, _request: Request) -> Shape:
        return self.facade.status()

    async def openapi(self, _request: Request) -> Shape:
        return document(ENDPOINTS)

    async def runs(self, request: Request) -> Response:
        params = request.query_params
        where = query.run_filter(params, self.now())
        limit = query.whole(params, "limit", query.USUAL_RUNS, query.MOST_RUNS)
        before = bodies.number(params["before"], "before") if "before" in params else None

        def found() -> bytes:  # made into JSON in the thread too: a thousand runs are a megabyte
            return msgspec.json.encode({"runs": _shapes(self.past.runs(where, limit=limit, before=before))})

        return Response(await self._in_thread(found), media_type="application/json")

    async def run(self, request: Request) -> Shape:
        wanted = _wanted(request)
        rows = await self._in_thread(lambda: self.past.log(wanted))
        run = await self._find(wanted)
        return {"run": run_shape(run), "log": [log_shape(row) for row in rows]}

    async def submit(self, request: Request) -> Shape:
        drafts = bodies.drafts(await _body(request, bodies.SubmitBody))
        return {"runs": _shapes(await self.facade.submit(drafts))}

    async def rerun(self, request: Request) -> Shape:
        body = await _body(request, bodies.RerunBody)
        runs = [await self._find(each) for each in _numbers(body.runs)]
        for run in runs:
            if not run.finished:
                raise RefusedError(f"{run.name} is still {run.state}; wait for its end, or stop it first")
        return {"runs": _shapes(await self.facade.submit([_again(run, body.by) for run in runs]))}

    async def stop(self, request: Request) -> Shape:
        body = await _body(request, bodies.StopRunsBody)
        wishes = _Wishes(body, self.now())
        runs = {each: await self._find(each) for each in _numbers(body.runs)}
        alive = [run for run in runs.values() if not run.finished]
        if not alive:
            ended = ", ".join(f"{run.name} ({run.state})" for run in runs.values())
            raise RefusedError(f"nothing to stop, it has ended already: {ended}")
        for asked, ids in wishes.grouped(alive).items():
            await self.facade.stop(ids, asked)
        # Read again: a run that was skipped has ended with that, and the engine holds it no more.
        return {"runs": _shapes([await self._find(each) for each in runs])}

    async def hosts(self, _request: Request) -> Shape:
        return {"hosts": self.facade.hosts()}

    async def check_host(self, request: Request) -> Shape:
        name = request.path_params["host"]
        if message := host_flaw(name):
            raise UsageError(f"host: {message}")
        return await self.facade.check_host(name)

    async def reload(self, request: Request) -> Shape:
        body = await _body(request, bodies.ReloadBody)
        return await self.facade.reload(body.dry_run)

    async def shutdown(self, request: Request) -> Shape:
        body = await _body(request, bodies.ShutdownBody)
        self.facade.shutdown(body.handover)
        return {"handover": body.handover}

    async def output(self, request: Request) -> Response:
        wanted, stream = _wanted(request), request.path_params["stream"]
        if stream not in ("stdout", "stderr"):
            raise NotFoundError(f"no output is called {stream!r}; there are stdout and stderr")
        offset = query.whole(request.query_params, "offset", 0)
        follow = query.flag(request.query_params, "follow")
        await self._find(wanted)

        async def read(start: int, size: int) -> bytes:
            return await asyncio.to_thread(self.outputs.read, wanted, stream, start, size)

        async def produce(write: Write) -> None:
            with ExitStack() as held:
                watcher = held.enter_context(self.hub.watch(frozenset({wanted})))
                held.enter_context(self.facade.follow(wanted) if follow and self.facade.run(wanted) else nullcontext())
                await write_output(
                    write, read, offset,
                    over=lambda: not follow or _output_over(self.facade.run(wanted)),
                    more=lambda: self.hub.wait(watcher),
                )  # fmt: skip

        return Stream(produce, "application/octet-stream")

    async def events(self, request: Request) -> Response:
        ids = query.numbers(request.query_params, "runs")
        since = _since(request)
        hosts = frozenset({(await self._find(each)).host for each in ids or ()})

        async def snapshot() -> tuple[Iterable[Run], list[Shape]]:
            if ids is None:
                return list(self.facade.live()), self.facade.hosts()
            runs = [await self._find(each) for each in sorted(ids)]
            return runs, [host for host in self.facade.hosts() if host["host"] in hosts]

        async def produce(write: Write) -> None:
            with self.hub.watch(ids, hosts) as watcher:
                if since is not None:
                    watcher.seq = since
                await write_events(
                    write, self.hub, watcher, snapshot, resume=since is not None, heartbeat=self.heartbeat
                )

        return Stream(produce, "text/event-stream")

    async def _find(self, wanted: int) -> Run:
        """A run from the engine, or else from the store. Raises NotFoundError."""
        run = self.facade.run(wanted) or await self._in_thread(lambda: self.past.run(wanted))
        if run is None:
            raise NotFoundError(f"r{wanted}: there is no such run; `sshsched runs` lists them")
        return run

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)


@dataclass(frozen=True)
class _Wishes:
    """How each run is to be stopped: as the request says, else as the run's own program says."""

    body: bodies.StopRunsBody
    at: float

    def grouped(self, runs: list[Run]) -> dict[StopAsked, list[int]]:
        """Runs that are to be stopped in the same way, together. Raises UsageError."""
        groups: dict[StopAsked, list[int]] = {}
        for run in runs:
            groups.setdefault(self._of(run), []).append(run.id)
        return groups

    def _of(self, run: Run) -> StopAsked:
        asked = StopAsked(self.at, self.body.by, signal=run.program.stop.signal, grace=run.program.stop.grace)
        if self.body.signal is not msgspec.UNSET:
            asked = replace(asked, signal=bodies.signal_of(self.body.signal, "signal"))
        if self.body.grace is not msgspec.UNSET:
            if message := seconds_flaw(self.body.grace):
                raise UsageError(f"grace: {message}")
            asked = replace(asked, grace=self.body.grace)
        return asked


def _again(run: Run, by: str) -> Draft:
    return Draft(
        run.host,
        run.program,
        run.job_id,
        run.args,
        run.labels,
        by,
        rerun_of=run.id,
        start_within=run.start_within,
        stop_rule=run.stop_rule,
    )


def _output_over(run: Run | None) -> bool:
    """Whether no more output will come. A run that the engine has let go of has nothing left to fetch."""
    return run is None or run.settled or (run.finished and (run.output.complete or run.output.lost))


def _shapes(runs: Iterable[Run]) -> list[Shape]:
    return [run_shape(run) for run in runs]


def _numbers(names: list[str]) -> list[int]:
    if not names:
        raise UsageError("runs: is empty; name at least one run")
    return [bodies.number(name, "runs") for name in dict.fromkeys(names)]


def _wanted(request: Request) -> int:
    name = request.path_params["run"]
    found = run_id(name)
    if found is None:
        raise NotFoundError(f"{name!r} is no run; runs are called r1, r2 and so on")
    return found


def _since(request: Request) -> int | None:
    text = request.headers.get("last-event-id") or request.query_params.get("since")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UsageError(f"since: {text!r} is no number of an event")
    return int(text)


async def _body(request: Request, kind: type[bodies.B]) -> bodies.B:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BODY:
            raise UsageError(f"the request is larger than {MOST_BODY >> 20} MiB")
    return bodies.decode(bytes(data), kind)
