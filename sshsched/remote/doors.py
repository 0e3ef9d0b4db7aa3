"""How many logins may be under way at once.

Rule: few with any one sshd, which begins to drop newcomers when ten have not logged in yet (MaxStartups in
sshd_config(5)); over all, as many as one scheduler can answer in time. Whoever stands before a door that nobody opens
keeps nobody from another one.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

AT_ONE_DOOR = 8
OVER_ALL = 32  # some 10 ms of our processor each: the last one is served long before an sshd loses patience


class Doors:
    """Shared by all ways to hosts. Must be used on one event loop."""

    def __init__(self, at_one: int = AT_ONE_DOOR, over_all: int = OVER_ALL) -> None:
        self._at_one = at_one
        self._doors: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self.handshakes = asyncio.Semaphore(over_all)
        """Held from the first byte of a handshake until the login is over, one way or another."""

    def at(self, name: str) -> asyncio.Semaphore:
        """Held from before a connection to that door is made until the login is over."""
        door = self._doors.get(name)
        if door is None:
            door = self._doors[name] = asyncio.Semaphore(self._at_one)
        return door
