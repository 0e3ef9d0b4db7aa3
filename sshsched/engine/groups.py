"""What @GROUP and tags:A,B stand for at this moment: hosts.yaml may change under waiting runs, and they follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sshsched.domain.hosts import Host
from sshsched.domain.view import Group


class Groups(Mapping[str, Group]):
    """A mapping that asks anew each time. Iterating gives the named groups; any set of tags can be asked for."""

    def __init__(self, hosts: Callable[[], Mapping[str, Host]], named: Callable[[], Mapping[str, Group]]) -> None:
        self._hosts = hosts
        self._named = named

    def __getitem__(self, asked: str) -> Group:
        if asked.startswith("@"):
            return self._named()[asked[1:]]
        tags = set(asked.removeprefix("tags:").split(","))
        hosts = tuple(name for name, host in self._hosts().items() if tags <= set(host.tags))
        if not asked.startswith("tags:") or not hosts:
            raise KeyError(asked)
        return Group(hosts)

    def __iter__(self) -> Iterator[str]:
        return (f"@{name}" for name in self._named())

    def __len__(self) -> int:
        return len(self._named())
