"""A network cable that can be pulled out: a pair of virtual ends, the far one in a network namespace of its own.

What a proxy cannot do: packets go lost, in both directions or in one, and nobody is told.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Cable:
    """`near` and `far` are the addresses of the two ends."""

    name: str
    near: str
    far: str

    @property
    def inside(self) -> list[str]:
        """What goes before a command that is to run at the far end."""
        return ["ip", "netns", "exec", self.name]

    def pull_out(self) -> None:
        """No packet arrives any more."""
        self.at_far_end("link", "set", self.name, "down")

    def plug_in(self) -> None:
        self.at_far_end("link", "set", self.name, "up")

    def mute(self) -> None:
        """What we send arrives; what is answered does not."""
        self.at_far_end("route", "add", "blackhole", f"{self.near}/32")

    def unmute(self) -> None:
        self.at_far_end("route", "del", "blackhole", f"{self.near}/32")

    def at_far_end(self, *words: str) -> None:
        _ip("-n", self.name, *words)


@contextmanager
def cable() -> Iterator[Cable]:
    """A new cable; it and its far end are gone afterwards."""
    if os.geteuid() or subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets us make no network; a proxy in front of sshd has to do")
    name = f"t{secrets.token_hex(5)}"
    net = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(256)}"
    made = Cable(name, f"{net}.1", f"{net}.2")
    _ip("netns", "add", name)
    try:
        _ip("link", "add", f"{name}n", "type", "veth", "peer", "name", name, "netns", name)
        _ip("addr", "add", f"{made.near}/30", "dev", f"{name}n")
        _ip("link", "set", f"{name}n", "up")
        made.at_far_end("addr", "add", f"{made.far}/30", "dev", name)
        made.at_far_end("link", "set", "lo", "up")
        made.plug_in()
        yield made
    finally:
        _ip("netns", "del", name)  # and with it both ends


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
