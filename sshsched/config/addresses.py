"""Where to listen, as people write it: `9464`, `127.0.0.1:9464`, `localhost:9464`, `[::1]:9464`.

Rule: a port alone is on this machine only. To be heard by others, an address has to be written.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final, NamedTuple

from sshsched.config.nodes import Node, Problems
from sshsched.config.reading import Schema, read_text

LOOPBACK: Final = "127.0.0.1"
PATTERN: Final = r"^ *((\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):)?[0-9]{1,5} *$"


class ListenAt(NamedTuple):
    """An address or a name, and a port."""

    host: str
    port: int

    @property
    def private(self) -> bool:
        """Whether only this machine can get there."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listen_at(text: str) -> ListenAt:
    """Raises ValueError, whose text names the value and how to write it."""
    host, _, port = text.strip(" ").rpartition(":")
    if not re.fullmatch(PATTERN, text, re.ASCII) or not 1 <= int(port) <= 65535:
        raise ValueError(f"'{text[:60]}' is no address; write 9464, or 127.0.0.1:9464")
    return ListenAt(host.strip("[]") or LOOPBACK, int(port))


class Address:
    """The value of a key."""

    def read(self, node: Node, problems: Problems) -> ListenAt:
        try:
            return listen_at(read_text(node, problems, "an address"))
        except ValueError as error:
            raise problems.refuse(node, str(error)) from None

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string", "pattern": PATTERN}]}
