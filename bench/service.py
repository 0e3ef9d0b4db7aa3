"""How long the service takes: a run made and answered, and a change on its way to a client that waits.

`python -m bench.service` prints both, beside the floor in the same run: one byte there and back over a Unix socket.
The scheduler is a process of its own, with a store in memory: what a disk costs is measured in `bench/store.py`.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
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
EVERY = 0.003  # seconds between two changes


def main() -> None:
    with tempfile.TemporaryDirectory() as name, _served(folder := Path(name)):
        rows = {
            "one byte there and back": _floor(),
            "GET /v1/status": _calls(folder, lambda client: client.status()),
            "a change to a waiting client": _changes(folder),
            "POST /v1/runs, one run": _calls(folder, lambda client: client.submit([DRAFT])),
            "POST /v1/runs, 100 runs": _calls(folder, lambda client: client.submit([DRAFT] * 100), ROUNDS // 20),
        }
    sys.stdout.write(f"{'milliseconds':32}{'median':>10}{'p99':>10}\n")
    for row, took in rows.items():
        took.sort()
        sys.stdout.write(f"{row:32}{took[len(took) // 2]:10.3f}{took[len(took) * 99 // 100]:10.3f}\n")


async def serve(folder: Path) -> None:
    """A scheduler on which a host changes all the time, and says when."""
    scheduler = Scheduler()
    async with scheduler.served(folder):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            await asyncio.sleep(EVERY)
            scheduler.host_changes("nas", at=time.monotonic())


@contextmanager
def _served(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.service", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield
        finally:
            child.kill()


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


def _changes(folder: Path) -> list[float]:
    """From the engine's call of `publish_host` until the client has the change in hand."""
    took: list[float] = []
    for event, shape in Client(folder).events():
        if event == "host":
            took.append((time.monotonic() - shape["at"]) * 1000)
        if len(took) == ROUNDS:
            break
    return took


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]))) if len(sys.argv) > 1 else main()
