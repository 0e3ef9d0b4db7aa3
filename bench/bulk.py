"""A program that prints a lot: how fast it is here, durably, and what it costs the scheduler in memory."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figure, Rival, Sizes, seconds
from bench.place import Bench, bench, command

LINE = b"%012d a line of a log that is not very long, and much like the others before it\n"
MIB = 1024 * 1024


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Both write what comes to the same disk."""
    with bench() as place, place.serving() as scheduler:
        place.warm()
        source = _printed(place, sizes.output)
        scheduler.forget_most_memory()
        before = scheduler.memory()
        ours = sizes.output / seconds(lambda: _ours(place, source, sizes.output))
        place.settle()
        grown = scheduler.most_memory() - before
        ssh = sizes.output / command([*place.ssh, place.hosts[0], f"cat {source}"], place.env).seconds
    name = f"{sizes.output} MiB of output"
    yield Figure(f"{name}: the scheduler's memory grows by", grown, "MiB", None, "< 64 MiB", grown < 64)
    yield Figure(f"{name}: until it is all here", ours, "MiB/s", Rival("ssh host cat > file", ssh))


def _printed(place: Bench, size: int) -> str:
    """A file of that many MiB, where the user who logs in can read it."""
    path = place.sshd.authorized_keys.with_name("printed")
    lines = MIB // len(LINE % 0)
    with path.open("wb") as file:
        for number in range(size):
            part = b"".join(LINE % (number * lines + line) for line in range(lines))
            file.write(part.ljust(MIB, b"\n"))
    return str(path)


def _ours(place: Bench, source: str, size: int) -> None:
    (run,) = place.finish([place.draft(f"cat {source}")])
    assert run.output.stdout == size * MIB, f"{run.output.stdout} bytes came"
