"""A scheduler with links to many hosts and nothing to do, beside asyncssh holding as many connections."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Figure, Rival, Sizes
from bench.place import Bench, Process, bench

HOSTS = 20


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Per cent of a core, and resident memory."""
    hosts = [f"h{number}" for number in range(HOSTS)]
    with bench(hosts, MaxStartups="1000:30:1000") as place:
        with place.serving() as scheduler:
            place.warm()
            place.settle()
            cpu, memory = scheduler.share(sizes.idle), scheduler.memory()
        with _holding(place) as bare:
            bare_cpu, bare_memory = bare.share(sizes.idle), bare.memory()
    name, rival = f"idle with {HOSTS} connected hosts", f"asyncssh with {HOSTS} connections"
    yield Figure(f"{name}: processor", cpu, "%", Rival(rival, bare_cpu), "< 1 %", cpu < 1)
    yield Figure(f"{name}: memory", memory, "MiB", Rival(rival, bare_memory), "< 120 MiB", memory < 120)


@contextmanager
def _holding(place: Bench) -> Iterator[Process]:
    sshd = place.sshd
    words = [HOSTS, sshd.port, sshd.user, sshd.key, sshd.known_hosts]
    with subprocess.Popen(
        [sys.executable, "-m", "bench.bare", *map(str, words)], stdout=subprocess.PIPE, env=place.env
    ) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"up\n"
            yield Process(child.pid)
        finally:
            child.kill()
