"""Hosts and groups as people describe them. Rule: what is None or empty here is asked of ssh_config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sshsched.domain.plan import NO_FAN, Fan

LOCAL = "local"
GROUP_PREFIX = "@"
TAGS_PREFIX = "tags:"
USUAL_STRATEGY = "round_robin"


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


@dataclass(frozen=True, slots=True)
class HostGroup:
    """A group of hosts.yaml: its hosts, in the order of the file, and how they are chosen."""

    name: str
    hosts: tuple[str, ...]
    strategy: str = USUAL_STRATEGY
    fan: Fan = NO_FAN
