"""One command on many hosts that are far away: before each of them is a wire that takes its time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

from bench import bare, fanout
from bench.figures import Figure, Rival, Sizes, in_turns
from bench.place import bench
from tests.sshd import Sshd
from tests.tcp_proxy import TcpProxy

WIRE = 0.025  # seconds each way: the other side of a continent


def figures(sizes: Sizes) -> Iterator[Figure]:
    """In seconds. All hosts are one sshd, which each of them reaches at a port of its own."""
    hosts = [f"h{number}" for number in range(sizes.hosts)]
    with bench(hosts, MaxStartups="1000:30:1000") as place, _wires(place.sshd, len(hosts)) as ports:
        names = ",".join(f"[127.0.0.1]:{port}" for port in ports)
        place.sshd.known_hosts.write_text(f"{names} {Sshd.public(place.sshd.host_key)}\n")
        blocks = (place.sshd.block(name, port=port) for name, port in zip(hosts, ports, strict=True))
        place.ssh_config.write_text("".join(blocks))
        times = in_turns(
            {
                "ours": lambda: fanout.ours(place),
                fanout.BARE: lambda: bare.connects(place.sshd, ports),
                fanout.PDSH: lambda: fanout.pdsh(place),
            },
            max(1, sizes.rounds // 2),
        )
    name = f"{len(hosts)} cold hosts {WIRE * 1000:g} ms away in one `run --wait`"
    for rival in (fanout.BARE, fanout.PDSH):
        yield Figure(name, times["ours"], "s", Rival(rival, times[rival]))


@contextmanager
def _wires(sshd: Sshd, count: int) -> Iterator[list[int]]:
    """Their ports."""
    loop = asyncio.new_event_loop()
    ports: list[int] = []
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(count):
                wire = await stack.enter_async_context(TcpProxy(sshd.port))
                wire.delay = WIRE
                ports.append(wire.port)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        ready.wait()
        yield ports
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
