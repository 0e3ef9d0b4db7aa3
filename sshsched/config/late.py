"""Values in two steps: first all keys are read, then what depends on a time zone or on calendars is made of them.

Rule: whatever the kinds refuse becomes a problem at the very text that they refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, replace
from datetime import time
from typing import Final, Generic, TypeVar

from sshsched.config.nodes import Mapping, Node, Problems
from sshsched.config.reading import Key, Schema, read_text
from sshsched.config.values import SCALAR, ZoneName
from sshsched.kinds.calendars import ALL, Calendar, calendar
from sshsched.kinds.zones import daytime, moment

T = TypeVar("T")


@dataclass(frozen=True)
class Placed:
    """A text that has been read, and where it stands."""

    node: Node
    text: str


@dataclass(frozen=True)
class Where:
    """What times and dates mean here."""

    tz: str
    calendars: Callable[[], AbstractMapping[str, Calendar]]
    problems: Problems
    usual: bool = True
    """The zone is that of all jobs, and not written at this place."""

    def within(self, tz: str | None) -> Where:
        """The same in another zone, if one is given."""
        return self if tz is None else replace(self, tz=tz, usual=False)

    def moment(self, placed: Placed) -> float:
        """Raises UnreadableError."""
        return self._made(placed, lambda: moment(placed.text, self.tz))

    def calendar(self, placed: Placed | None) -> Calendar:
        """All days where none is named. Raises UnreadableError."""
        if placed is None:
            return ALL
        return self._made(placed, lambda: calendar(placed.text, self.calendars()))

    def _made(self, placed: Placed, make: Callable[[], T]) -> T:
        try:
            return make()
        except ValueError as error:
            raise self.problems.refuse(placed.node, str(error).removeprefix("calendar: ")) from None


def made(node: Node, problems: Problems, make: Callable[[], T]) -> T:
    """What the kinds make. Their complaint is noted at the key that it begins with, if there is one, or at the node.

    Raises UnreadableError.
    """
    try:
        return make()
    except ValueError as error:
        word, _, rest = str(error).partition(": ")
        entry = node.entries.get(word) if isinstance(node, Mapping) else None
        raise (problems.refuse(entry.value, rest) if entry else problems.refuse(node, str(error))) from None


@dataclass(frozen=True)
class LateText:
    """A text to be looked at later."""

    def read(self, node: Node, problems: Problems) -> Placed:
        return Placed(node, read_text(node, problems))

    def schema(self) -> Schema:
        return {"type": SCALAR}


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """A text that one function turns into a value, or refuses by a ValueError."""

    parse: Callable[[str], T]
    pattern: str

    def read(self, node: Node, problems: Problems) -> T:
        text = read_text(node, problems)
        try:
            return self.parse(text)
        except ValueError as error:
            raise problems.refuse(node, str(error)) from None

    def schema(self) -> Schema:
        return {"type": SCALAR, "pattern": self.pattern}


DAYTIME: Final = Parsed[time](daytime, "^ *[0-9]{1,2}:[0-9]{2}(:[0-9]{2})? *$")
TZ: Final = Key[str | None]("tz", ZoneName(), "the time zone, like Europe/Berlin", None)
