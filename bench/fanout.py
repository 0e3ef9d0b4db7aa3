"""One command on many hosts to which there is no link yet: one sshd under many names."""

from __future__ import annotations

from collections.abc import Iterator

from bench import bare
from bench.figures import Figure, Rival, Sizes, in_turns
from bench.place import TYPED, Bench, bench, command

BARE, PDSH = "bare asyncssh, all at once", "pdsh, fan-out 32"
HAND = "the same requests by hand, nothing saved"


def figures(sizes: Sizes) -> Iterator[Figure]:
    """In seconds. Every round has a new scheduler, for the links of the last would be warm."""
    hosts = [f"h{number}" for number in range(sizes.hosts)]
    with bench(hosts, MaxStartups="1000:30:1000") as place:
        rounds = max(1, sizes.rounds // 2)
        times = in_turns(
            {
                "ours": lambda: ours(place),
                BARE: lambda: bare.connects(place.sshd, [place.sshd.port] * len(hosts)),
                HAND: lambda: bare.by_hand(place.sshd, len(hosts), place.spool),
                PDSH: lambda: pdsh(place),
            },
            rounds,
        )
    took, name = times["ours"], f"{len(hosts)} cold hosts in one `run --wait`"
    yield Figure(name, took, "s", Rival(BARE, times[BARE]), "<= x 1.5", took <= 1.5 * times[BARE])
    yield Figure(name, took, "s", Rival(HAND, times[HAND]))
    yield Figure("the same requests by hand", times[HAND], "s", Rival(BARE, times[BARE]))
    yield Figure(name, took, "s", Rival(PDSH, times[PDSH]), "< x 1", took < times[PDSH])


def ours(place: Bench) -> float:
    """A new scheduler, and one command on all hosts of the place."""
    where = [word for host in place.hosts for word in ("-H", host)]
    with place.serving():
        took = command([*TYPED, "run", *where, "--wait", "-q", "--", "true"], place.env).seconds
        place.settle()  # what is left to clean up would be done by the next scheduler, in the next round
        return took


def pdsh(place: Bench) -> float:
    """The same with pdsh, and OpenSSH's client for each."""
    arguments = " ".join(place.ssh[1:])
    env = {**place.env, "PDSH_SSH_ARGS_APPEND": arguments}
    return command(["pdsh", "-S", "-R", "ssh", "-w", ",".join(place.hosts), "true"], env).seconds
