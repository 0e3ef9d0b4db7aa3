"""The server on the Unix socket, on the engine's own loop.

Rule: the socket appears under its name whole: mode 0600 and already listening. A dead scheduler's is
replaced in the same step, a living one's never.
"""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from uvicorn import Config, Server

from sshsched.config.addresses import ListenAt
from sshsched.errors import SchedulerError, SchedulerRunsError
from sshsched.service.address import NAME, address
from sshsched.service.api import Api
from sshsched.service.app import make_app
from sshsched.service.endpoints import ENDPOINTS
from sshsched.service.facade import Facade, History, Outputs
from sshsched.service.hub import Hub
from sshsched.service.metrics import Exposition
from sshsched.service.streams import HEARTBEAT
from sshsched.store.ports import RunReader

BACKLOG = 1024
LONGEST_HEAD = 1024 * 1024  # bytes; a command may wait for very many runs, and names them all
KEEP_ALIVE = 120  # seconds that an idle client's connection is kept
LAST_WORDS = 2  # seconds that answers may still take once the server ends


@asynccontextmanager
async def serving(
    facade: Facade,
    past: RunReader,
    outputs: Outputs,
    hub: Hub,
    state_dir: Path,
    *,
    now: Callable[[], float] = time.time,
    heartbeat: float = HEARTBEAT,
    history: History | None = None,
    exposition: Exposition | None = None,
    metrics: ListenAt | None = None,
) -> AsyncIterator[None]:
    """Serve while entered; on leaving, answers that are on their way are finished and streams are cut.

    With `metrics`, that alone is also served at a port. Whoever enters holds the lock of the store. Raises
    SchedulerRunsError if somebody answers on the socket all the same, SchedulerError if something else has its place,
    or the port.
    """
    listener = listen(state_dir)
    mine = (state_dir / NAME).lstat().st_ino
    with listener, ThreadPoolExecutor(1, "past") as thread:
        api = Api(facade, past, outputs, hub, thread, now, heartbeat, history, exposition)
        server = _server(make_app(api))
        await server.startup(sockets=[listener])
        try:
            async with exposing(api, metrics):
                yield
        finally:
            _unlink(state_dir / NAME, mine)
            hub.close()
            await server.shutdown(sockets=[listener])


@asynccontextmanager
async def exposing(api: Api, at: ListenAt | None) -> AsyncIterator[None]:
    """`/metrics`, and nothing else, at a port while entered. Raises SchedulerError if that cannot be had."""
    if at is None:
        yield
        return
    listener = _bound(at)
    with listener:
        server = _server(make_app(api, [each for each in ENDPOINTS if each.handler == "metrics"]))
        await server.startup(sockets=[listener])
        try:
            yield
        finally:
            await server.shutdown(sockets=[listener])


def _bound(at: ListenAt) -> socket.socket:
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise SchedulerError(f"metrics: {at.host}: {error.strerror}; write an address of this machine") from error
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)  # the socket module puts the address into it
        raise SchedulerError(f"metrics: cannot listen at {at}: {why}; choose another address or port") from error


def listen(state_dir: Path) -> socket.socket:
    """The listening socket. Raises SchedulerRunsError, SchedulerError."""
    _refuse_living(state_dir)
    private = f".{NAME}.{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(FileNotFoundError):
            (state_dir / private).unlink()
        with address(state_dir, private) as path:
            listener.bind(path)
        (state_dir / private).chmod(0o600)  # before anybody could connect: it does not listen yet
        listener.listen(BACKLOG)
        (state_dir / private).rename(state_dir / NAME)
    except OSError as error:
        listener.close()
        raise SchedulerError(f"{state_dir / NAME}: cannot be made: {error.strerror or error}") from error
    return listener


def _refuse_living(state_dir: Path) -> None:
    place = state_dir / NAME
    try:
        if not stat.S_ISSOCK(place.lstat().st_mode):
            raise SchedulerError(f"{place}: is no socket; move it away")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, address(state_dir) as path:
            probe.setblocking(False)
            probe.connect(path)
    except (ConnectionRefusedError, FileNotFoundError):
        return
    except BlockingIOError:
        pass  # its queue is full: very much alive
    except OSError as error:
        raise SchedulerError(f"{place}: cannot be looked at: {error.strerror or error}") from error
    raise SchedulerRunsError(f"{place}: another scheduler answers there; `sshsched status` tells about it")


def _server(app: Starlette) -> Server:
    """Uvicorn without its main loop, which wakes ten times a second, and without its signal handlers."""
    config = Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",  # what goes wrong in a handler is logged by the application
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LAST_WORDS,
    )
    config.load()
    server = Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


def _unlink(place: Path, mine: int) -> None:
    """Take the socket away, unless it is somebody else's by now."""
    with suppress(FileNotFoundError):
        if place.lstat().st_ino == mine:
            place.unlink()
