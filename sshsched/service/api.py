"""What is done for each request: it is read, the facade or the past is asked, and the answer is put together.

Rule: an answer to a change is given after the change is saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sshsched.domain.draft import host_flaw
from sshsched.domain.model import Run, run_id
from sshsched.domain.outline import steps_shape
from sshsched.domain.shape import Shape, whole_shape
from sshsched.engine.policies import Policies
from sshsched.errors import NotFoundError, RefusedError, UsageError
from sshsched.service import bodies, query
from sshsched.service.asking import body_of, shapes
from sshsched.service.endpoints import ENDPOINTS
from sshsched.service.facade import History
from sshsched.service.hands import Hands
from sshsched.service.metrics import CONTENT_TYPE
from sshsched.service.openapi import document
from sshsched.service.streams import Stream, Write, write_events, write_output
from sshsched.store.history import Policy


class Api(Hands):
    """The handlers, each named in the table of endpoints."""

    async def status(self, _request: Request) -> Shape:
        return self.facade.status()

    async def metrics(self, _request: Request) -> Response:
        if (exposition := self.exposition) is None:
            raise RefusedError("this scheduler keeps no figures")
        now = exposition.snapshot()
        return Response(await self.in_thread(lambda: exposition.text(now)), media_type=CONTENT_TYPE)

    async def openapi(self, _request: Request) -> Shape:
        return document(ENDPOINTS)

    async def runs(self, request: Request) -> Response:
        params = request.query_params
        where = query.run_filter(params, self.now())
        limit = query.whole(params, "limit", query.USUAL_RUNS, query.MOST_RUNS)
        before = bodies.number(params["before"], "before") if "before" in params else None

        def found() -> bytes:  # made into JSON in the thread too: a thousand runs are a megabyte
            return msgspec.json.encode({"runs": shapes(self.past.runs(where, limit=limit, before=before))})

        return Response(await self.in_thread(found), media_type="application/json")

    async def run(self, request: Request) -> Shape:
        wanted = _wanted(request)
        run = await self.find(wanted)
        flow = run.plan.flow

        def told() -> Shape:
            steps = [] if flow is None else steps_shape(flow, self.past.steps(wanted))
            return whole_shape(run, self.past.log(wanted), self.past.notices(wanted), steps)

        return await self.in_thread(told)

    async def submit(self, request: Request) -> Shape:
        drafts = bodies.drafts(await body_of(request, bodies.SubmitBody))
        return {"runs": shapes(await self.facade.submit(drafts))}

    async def hosts(self, _request: Request) -> Shape:
        return {"hosts": self.facade.hosts()}

    async def check_host(self, request: Request) -> Shape:
        name = request.path_params["host"]
        if message := host_flaw(name):
            raise UsageError(f"host: {message}")
        return await self.facade.check_host(name)

    async def reload(self, request: Request) -> Shape:
        body = await body_of(request, bodies.ReloadBody)
        return await self.facade.reload(body.dry_run)

    async def archive(self, request: Request) -> Shape:
        body = await body_of(request, bodies.ArchiveBody)
        limits, to = bodies.limits_of(body), Path(body.to) if body.to else None
        if to is not None and not to.is_absolute():
            raise UsageError(f"to: {body.to!r} is no absolute path")
        asked = None if limits is None else Policies([Policy(limits, job=body.job or None)])
        return asdict(await self._keeper().archive(asked, to))

    async def vacuum(self, request: Request) -> Shape:
        await body_of(request, bodies.VacuumBody)
        return asdict(await self._keeper().vacuum())

    async def shutdown(self, request: Request) -> Shape:
        body = await body_of(request, bodies.ShutdownBody)
        self.facade.shutdown(body.handover)
        return {"handover": body.handover}

    async def output(self, request: Request) -> Response:
        wanted, stream = _wanted(request), request.path_params["stream"]
        if stream not in ("stdout", "stderr"):
            raise NotFoundError(f"no output is called {stream!r}; there are stdout and stderr")
        offset = query.whole(request.query_params, "offset", 0)
        follow = query.flag(request.query_params, "follow")
        await self.find(wanted)

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
        hosts = frozenset({(await self.find(each)).host for each in ids or ()})

        async def snapshot() -> tuple[Iterable[Run], list[Shape]]:
            if ids is None:
                return list(self.facade.live()), self.facade.hosts()
            runs = [await self.find(each) for each in sorted(ids)]
            return runs, [host for host in self.facade.hosts() if host["host"] in hosts]

        async def produce(write: Write) -> None:
            with self.hub.watch(ids, hosts) as watcher:
                if since is not None:
                    watcher.seq = since
                await write_events(
                    write, self.hub, watcher, snapshot, resume=since is not None, heartbeat=self.heartbeat
                )

        return Stream(produce, "text/event-stream")

    def _keeper(self) -> History:
        if self.history is None:
            raise RefusedError("this scheduler keeps its store in memory; nothing is archived there")
        return self.history


def _output_over(run: Run | None) -> bool:
    """Whether no more output will come. A run that the engine has let go of has nothing left to fetch."""
    return run is None or run.settled or (run.finished and (run.output.complete or run.output.lost))


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
