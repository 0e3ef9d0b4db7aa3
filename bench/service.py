"""How long the service takes: a run made and answered, and a change on its way to a client that waits.

`python -m bench.service` prints both, beside the floor in the same run: one byte there and back over a Unix socket.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sshsched.service.client import Client
from tests.service.scheduler import DRAFT, Scheduler

ROUNDS = 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (scheduler, loop):
        rows = {
            "one byte there and back": _floor(),
            "GET /v1/status": _calls(Path(folder), lambda client: client.status()),
            "POST /v1/runs, one run": _calls(Path(folder), lambda client: client.submit([DRAFT])),
            "POST /v1/runs, 100 runs": _calls(Path(folder), lambda client: client.submit([DRAFT] * 100), ROUNDS // 20),
            "a change to a waiting client": _events(Path(folder), scheduler, loop),
        }
    sys.stdout.write(f"{'milliseconds':32}{'median':>10}{'p99':>10}\n")
    for name, took in rows.items():
        took.sort()
        sys.stdout.write(f"{name:32}{took[len(took) // 2]:10.3f}{took[len(took) * 99 // 100]:10.3f}\n")


@contextmanager
def _served(folder: Path) -> Iterator[tuple[Scheduler, asyncio.AbstractEventLoop]]:
    """A scheduler that serves on a loop in a thread."""
    scheduler, loop = Scheduler(), asyncio.new_event_loop()
    ready, ended = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with scheduler.served(folder):
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield scheduler, loop
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def _floor() -> list[float]:
    here, there = socket.socketpair()

    def echo() -> None:
        while data := there.recv(1):
            there.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    took = [_timed(lambda: (here.sendall(b"x"), here.recv(1))) for _ in range(ROUNDS)]
    here.close()
    thread.join()
    there.close()
    return took


def _calls(folder: Path, call: Callable[[Client], object], rounds: int = ROUNDS) -> list[float]:
    with Client(folder) as client:
        return [_timed(lambda: call(client)) for _ in range(rounds)]


def _events(folder: Path, scheduler: Scheduler, loop: asyncio.AbstractEventLoop) -> list[float]:
    """From the engine's call of `publish`, on its loop, until the client has the change in hand."""
    stream = Client(folder).events(["r1"])
    next(stream)
    run = scheduler.run(1)
    assert run is not None
    took = []
    for _ in range(ROUNDS):
        began: list[float] = []
        loop.call_soon_threadsafe(lambda began=began: (began.append(time.perf_counter()), scheduler.hub.publish(run)))
        next(stream)
        took.append((time.perf_counter() - began[0]) * 1000)
    stream.close()
    return took


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
