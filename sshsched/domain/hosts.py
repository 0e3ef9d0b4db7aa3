"""A host as people describe it. Rule: what is None or empty here is asked of ssh_config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Host:
    """An entry of hosts.yaml, or with nothing but a name an alias of ssh_config. `slots` of None is no limit."""

    name: str
    address: str | None = None
    user: str | None = None
    port: int | None = None
    identity: tuple[str, ...] = ()
    jump: str | None = None
    slots: int | None = None
    tags: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    spool: str | None = None
