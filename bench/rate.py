"""Durable runs a second on one host: outcome in SQLite, output fetched, beside ways that lose both with the link."""

from __future__ import annotations

from collections.abc import Iterator

from bench import bare
from bench.figures import Figure, Rival, Sizes, in_turns, seconds
from bench.place import Bench, bench, command

FEW = 20  # of what is slow
BARE, BARE_10 = "asyncssh run, one by one", "asyncssh run, 10 in flight"
PARALLEL, SSH = "GNU parallel over ssh", "ssh once per command"


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Each rival in the same rounds, on the same sshd."""
    # Stock MaxSessions is 10, and sessions that are closing count: bare asyncssh with 10 in flight fails there.
    with bench(MaxSessions="40") as place, place.serving() as scheduler:
        place.warm()
        place.settle()
        before = scheduler.cpu()
        rates = in_turns(
            {
                "ours": lambda: ours(place, sizes.runs),
                BARE: lambda: bare.rate(place.sshd, sizes.runs, 1),
                BARE_10: lambda: bare.rate(place.sshd, sizes.runs, 10),
                PARALLEL: lambda: parallel(place),
                SSH: lambda: one_by_one(place),
            },
            sizes.rounds,
        )
        place.settle()
        cost = (scheduler.cpu() - before) / (sizes.rounds * sizes.runs) * 1000
    mine = rates["ours"]
    for rival, times, wish in ((BARE, 0.25, " (0.5 wished)"), (BARE_10, 0.25, ""), (PARALLEL, 10, ""), (SSH, 3, "")):
        met = mine >= times * rates[rival]
        yield Figure("durable runs", mine, "/s", Rival(rival, rates[rival]), f">= x {times:g}{wish}", met)
    yield Figure("durable runs: the scheduler's processor time for one", cost, "ms")


def ours(place: Bench, count: int) -> float:
    """Runs that print a word, all submitted at once."""
    drafts = [place.draft("echo done")] * count
    return count / seconds(lambda: place.finish(drafts))


def parallel(place: Bench) -> float:
    words = ["parallel", "--will-cite", "-j", "8", "--ssh", " ".join(place.ssh), "-S", place.hosts[0], "true", "#"]
    return FEW / command([*words, ":::", *map(str, range(FEW))], place.env).seconds


def one_by_one(place: Bench) -> float:
    return FEW / seconds(lambda: [command([*place.ssh, place.hosts[0], "true"]) for _ in range(FEW)])
