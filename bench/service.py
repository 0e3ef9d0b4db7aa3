"""How long the service takes: a run made and answered, and a change on its way to a client that waits.

The rival is the floor: one byte there and back over a Unix socket.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, Rival, Sizes, at_quantile, seconds
from bench.place import folder
from sshsched.service.client import Client
from tests.service.scheduler import DRAFT, Scheduler

EVERY = 0.003  # seconds between two changes


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Medians. The scheduler is a process of its own, its store in memory: disks are measured elsewhere."""
    rounds = 100 * sizes.rounds
    with folder() as place, _served(place):
        floor = Rival("one byte there and back", statistics.median(_floor(rounds)))
        found = {
            "GET /v1/status": _calls(place, lambda client: client.status(), rounds),
            "a change to a waiting client": _changes(place, rounds),
            "POST /v1/runs, one run": _calls(place, lambda client: client.submit([DRAFT]), rounds),
            "POST /v1/runs, 100 runs": _calls(place, lambda client: client.submit([DRAFT] * 100), rounds // 20),
        }
    for name, took in found.items():
        yield Figure(f"service: {name}", statistics.median(took), f"ms (p99 {at_quantile(took, 0.99):.1f})", floor)


async def serve(place: Path) -> None:
    """A scheduler on which a host changes all the time, and says when."""
    scheduler = Scheduler()
    async with scheduler.served(place):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            await asyncio.sleep(EVERY)
            scheduler.host_changes("nas", at=time.monotonic())


@contextmanager
def _served(place: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.service", str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield
        finally:
            child.kill()


def _floor(rounds: int) -> list[float]:
    here, there = socket.socketpair()

    def echo() -> None:
        while data := there.recv(1):
            there.sendall(data)

    def ask() -> None:
        here.sendall(b"x")
        here.recv(1)

    thread = threading.Thread(target=echo)
    thread.start()
    took = [_timed(ask) for _ in range(rounds)]
    here.close()
    thread.join()
    there.close()
    return took


def _calls(place: Path, call: Callable[[Client], object], rounds: int) -> list[float]:
    with Client(place) as client:
        return [_timed(lambda: call(client)) for _ in range(rounds)]


def _changes(place: Path, rounds: int) -> list[float]:
    """From the engine's call of `publish_host` until the client has the change in hand."""
    took: list[float] = []
    for event, shape in Client(place).events():
        if event == "host":
            took.append((time.monotonic() - shape["at"]) * 1000)
        if len(took) == rounds:
            break
    return took


def _timed(call: Callable[[], object]) -> float:
    return seconds(call) * 1000


if __name__ == "__main__":  # the scheduler's process
    asyncio.run(serve(Path(sys.argv[1])))
