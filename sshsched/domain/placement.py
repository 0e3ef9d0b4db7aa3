"""Which host a run gets, out of those that it asked for.

Rule: a choice is only made among hosts that are up, not held back, and have a free slot; it is made in the turn that
starts the run, and is never changed after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from sshsched.domain import words
from sshsched.domain.line import is_group
from sshsched.domain.model import Run
from sshsched.domain.view import Group, HostView, View

PATIENCE = 3.0  # seconds that a run waits for a host that its strategy prefers to be connected, before it takes another
SINGLE = "first"

Order = Callable[[View, Run, Group], list[str]]


@dataclass(frozen=True, slots=True)
class Placed:
    """The host."""

    host: HostView


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why there is none yet, in words that follow "waits for "; whether there never will be; when to look again."""

    why: str
    never: bool = False
    until: float | None = None


def candidates(view: View, asked: str) -> Group:
    """The hosts that were asked for. A single host is a group of one; a group that is gone, and a root, have none."""
    if not asked:
        return Group(())
    if not is_group(asked):
        return Group((asked,), SINGLE)
    return view.groups.get(asked, Group(()))


def choose(view: View, run: Run, at: float) -> Placed | Unplaced:
    """A host for a run that has nothing else to wait for."""
    group = candidates(view, run.asked)
    if not group.hosts:
        return Unplaced(f"a host: {_nobody(run.asked)}")
    strategy = run.plan.strategy or group.strategy
    ready = at if run.ready_since is None else run.ready_since
    connecting = False
    for name in ORDERS.get(strategy, first)(view, run, group):
        host = view.hosts.get(name) or HostView(name)
        if host.up and not _full(view, host) and _held(view, name) is None:
            if connecting and at - ready < PATIENCE:
                break
            return Placed(host)
        if strategy == "sticky" and host.up:
            return Unplaced(_why(view, name))
        connecting = connecting or (not host.up and not host.problem and _held(view, name) is None)
    hosts = [view.hosts.get(name) or HostView(name) for name in group.hosts]
    never = all(host.permanent and not host.up for host in hosts)
    until = ready + PATIENCE if connecting and len(hosts) > 1 and at - ready < PATIENCE else None
    return Unplaced(_whole(view, run.asked, group), never, until)


def _whole(view: View, asked: str, group: Group) -> str:
    if not is_group(asked):
        return _why(view, asked)
    return f"a host of {asked}: " + "; ".join(f"{name}: {_short(view, name)}" for name in group.hosts[:5])


def _why(view: View, name: str) -> str:
    host = view.hosts.get(name)
    if (held := _held(view, name)) is not None:
        return f"{name}, which is held back: {held}"
    if host is None or not host.up:
        return words.waits_for_host(name, host)
    return f"one of {host.slots} slots on {name}"


def _short(view: View, name: str) -> str:
    host = view.hosts.get(name, HostView(name))
    if (held := _held(view, name)) is not None:
        return f"held back: {held}"
    if host.up:
        return f"its {host.slots} slots are taken"
    return host.problem or "not connected yet"


def _nobody(asked: str) -> str:
    if asked.startswith("@"):
        return f"no group is called {asked}, or it is empty; see `groups:` in hosts.yaml"
    return f"no host has all of {asked}; see `tags:` in hosts.yaml"


def _full(view: View, host: HostView) -> bool:
    return host.slots is not None and view.busy.get(host.name, 0) >= host.slots


def _held(view: View, name: str) -> str | None:
    return view.holds.get(f"host:{name}")


# Strategies ------------------------------------------------------------------------------------------------------


def first(view: View, run: Run, group: Group) -> list[str]:
    """In the order of the group."""
    return list(group.hosts)


def round_robin(view: View, run: Run, group: Group) -> list[str]:
    """In turn."""
    at = view.turns.get(run.asked, 0) % len(group.hosts)
    return [*group.hosts[at:], *group.hosts[:at]]


def random(view: View, run: Run, group: Group) -> list[str]:
    """By chance, but always the same for the same run: its key is chance enough."""
    return sorted(group.hosts, key=lambda name: _hash(run.key, name))


def least_busy(view: View, run: Run, group: Group) -> list[str]:
    """The smallest share of slots taken; where slots have no limit, the fewest runs."""

    def load(name: str) -> tuple[float, int]:
        host, busy = view.hosts.get(name) or HostView(name), view.busy.get(name, 0)
        return (busy / host.slots if host.slots else 0.0, busy)

    return sorted(group.hosts, key=load)


def sticky(view: View, run: Run, group: Group) -> list[str]:
    """The same args, the same host, for as long as it can be reached.

    When a host joins or leaves the group, only the runs that it takes or had are moved (rendezvous hashing).
    """
    same = "\0".join(f"{name}={value}" for name, value in sorted(run.args.items()))
    return sorted(group.hosts, key=lambda name: _hash(f"{run.job_id}\0{same}", name))


def _hash(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=8).digest()


ORDERS: dict[str, Order] = {
    "first": first,
    "round_robin": round_robin,
    "random": random,
    "least_busy": least_busy,
    "sticky": sticky,
}


def lines_of(view: View, host: str) -> Iterator[str]:
    """The waiting lines that a host serves."""
    if host in view.waiting:
        yield host
    for asked in view.waiting.groups:
        if host in candidates(view, asked).hosts:
            yield asked
