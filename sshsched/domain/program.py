"""What runs on a host: plain data. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GRACE = 60.0  # Apsis' default


@dataclass(frozen=True, slots=True)
class Stop:
    """How a program is asked to end: a signal's name without SIG, then KILL after the grace time."""

    signal: str = "TERM"
    grace: float = GRACE


@dataclass(frozen=True, slots=True)
class Program:
    """What runs on the host. Exactly one of `command` (for `sh -c`) and `argv` is given."""

    command: str | None = None
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    stdin: str | None = None
    umask: str | None = None
    user: str | None = None
    stop: Stop = Stop()
    timeout: float | None = None
    accept: tuple[int, ...] = (0,)
    abandon_after: float | None = None
