"""What the command line hands to the screen: folders, job files, and the ways that need more than the client.

Rule: the screen imports no command. Functions here are called in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sshsched.service.client import Client
from sshsched.tui.model import Shape

T = TypeVar("T")


class Param(NamedTuple):
    """What a job wants to be told; without a default it must be."""

    name: str
    default: str | None
    choices: Sequence[str]
    description: str


class Job(NamedTuple):
    """A job as the screen shows it."""

    id: str
    host: str
    schedule: str
    description: str
    labels: Sequence[str]
    params: Sequence[Param]
    command: str
    next: float | None


class Planned(NamedTuple):
    """A time of a schedule that is to come."""

    at: float
    job: str
    host: str
    args: Mapping[str, str]
    note: str
    labels: Sequence[str]
    command: str


@dataclass(frozen=True)
class Jobs:
    """All that the job files say."""

    jobs: Sequence[Job] = ()
    planned: Sequence[Planned] = ()
    problems: int = 0


@dataclass(frozen=True)
class Outside:
    """`ask` has a question answered by the scheduler, starting one where the question needs it."""

    state_dir: Path
    user: str
    ask: Callable[[Callable[[Client], Any]], Any]
    jobs: Callable[[float], Jobs]
    draft_of_job: Callable[[str, Mapping[str, str], Sequence[str]], Sequence[Shape]]
    draft_of_command: Callable[[str, Sequence[str]], Sequence[Shape]]
    ssh_command: Callable[[str, str | None], str]
    """For a host, and the folder to begin in."""
