"""What every action is: frozen data that says what follows on an occasion of a run.

Rule: an action overrides one of two methods. `runs` is pure, and what it makes is saved in the transaction of the move
that it follows from. `deliver` is called afterwards, at least once for each notice, until it returns without an error;
it has no clock, file or socket but the `Means` that it is given, and has to be harmless when it is repeated.

::

    class Sign(Action, frozen=True):
        text: Annotated[str, Meta(description="what the sign in the hall shows")] = "{{ job }}: {{ state }}"

        async def deliver(self, notice: Notice, means: Means) -> None:
            await means.post(Post("http://sign.example/show", means.fill(self.text, values(notice)).encode()))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import Struct

from sshsched.domain.instructions import Make, Notice
from sshsched.domain.model import Run
from sshsched.domain.view import View

DIGEST = "digest"
"""The occasion of the daily digest, which no action asks for."""


class DeliveryError(Exception):
    """A notice could not be delivered; the text says what failed, and is kept on the notice.

    `final` tells that trying again is no use: whoever was to be told has refused for good.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class Mail:
    """An email. The sender, the server and the Message-ID are for the means to know."""

    to: tuple[str, ...]
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Post:
    """An HTTP POST. With a `key` it is signed: see docs/notifications.md."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A program on the scheduler's machine: text for `sh -c`, its standard input, and how long it may take."""

    text: str
    stdin: bytes
    timeout: float
    env: Mapping[str, str] = field(default_factory=dict)


class Means(Protocol):
    """How a notice leaves the house. Made anew for each delivery; every method but `fill` raises DeliveryError."""

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        """A text with its templates filled in. Raises ValueError."""

    async def secret(self, name: str) -> str:
        """The value of a secret: one of config.yaml, or else an environment variable of the scheduler."""

    async def tail(self, lines: int) -> str:
        """The last lines of what the run printed, made harmless; empty if there are none."""

    async def mail(self, mail: Mail) -> None: ...

    async def post(self, post: Post) -> None: ...

    async def command(self, command: Command) -> None: ...

    async def apprise(self, urls: tuple[str, ...], title: str, body: str) -> None: ...


class Action(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of action. What its constructor raises (ValueError) is what is wrong with its options."""

    def runs(self, run: Run, occasion: str, view: View, at: float) -> Iterable[Make]:
        """The runs that follow, at this instant in seconds since 1970. Pure; a ValueError is a note on the run."""
        return ()

    async def deliver(self, notice: Notice, means: Means) -> None:
        """Tell it. What is raised is kept on the notice, and it is tried again."""
        raise NotImplementedError

    def parts(self) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """What is delivered apart, so that one does not wait for another: a word for each, and its options.

        Nothing here means that there is one, with the options as they are.
        """
        return ()

    @property
    def route(self) -> str:
        """What it needs in order to be delivered, such as a server: a slow one holds up only what goes there."""
        return type(self).__name__

    @property
    def limit(self) -> float:
        """How long one delivery may take, in seconds, whatever its means allow."""
        return 120.0

    def targets(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        """The jobs of which it makes runs, each with the args that it gives: for `check`."""
        return ()


def is_delivered(action: Action) -> bool:
    """Whether it is a matter of notices."""
    return type(action).deliver is not Action.deliver
