"""What a YAML file holds before anything has been made of it: texts, lists and mappings, each with its place.

Rule: no types are guessed here. `10:30`, `no` and `012` are texts; whoever wants a number reads it out of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from sshsched.errors import ConfigError, Problem

MAX_PROBLEMS = 100  # per file: the first ones tell the story
SHOWN = 60  # characters of a text from a file
MESSAGE = 500


@dataclass(slots=True)
class Node:
    """A value and its place; line and column count from 1, `path` is what a person calls it (`program.env.HOME`)."""

    line: int
    column: int
    path: str
    what: ClassVar[str] = "a value"


def place(line: int, column: int, path: str = "") -> Node:
    """A bare place, for a problem with what never became a value."""
    return Node(line, column, path)


@dataclass(slots=True)
class Text(Node):
    """`plain` is True for a text without quotes, which may be empty by oversight."""

    text: str
    plain: bool
    what: ClassVar[str] = "a text"

    @property
    def absent(self) -> bool:
        return self.plain and not self.text


@dataclass(slots=True)
class Listing(Node):
    """`items:` and below it `- one` and `- two`, or `[one, two]`."""

    items: list[Node] = field(default_factory=list)
    what: ClassVar[str] = "a list"


@dataclass(slots=True)
class Entry:
    """A key with its own place, and its value."""

    key: Text
    value: Node


@dataclass(slots=True)
class Mapping(Node):
    """`key: value` pairs, in the order of the file."""

    entries: dict[str, Entry] = field(default_factory=dict)
    what: ClassVar[str] = "a mapping"


class UnreadableError(Exception):
    """This value cannot be read, and the problem has been noted. Never leaves this package."""


class Problems:
    """Collects what is wrong in one file, so that all of it is said at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, node: Node, message: str) -> None:
        """Note a problem at this node. Raises UnreadableError once there are too many to be of use."""
        self.add_at(node.line, node.column, node.path, message)

    def add_at(self, line: int, column: int, path: str, message: str) -> None:
        self.found.append(Problem(self.file, line, column, shown(path, quote=""), _one_line(message, MESSAGE)))
        if len(self.found) == MAX_PROBLEMS:
            self.found.append(Problem(self.file, line, column, "", "and more; mend these first"))
            raise UnreadableError

    def refuse(self, node: Node, message: str) -> UnreadableError:
        """Note a problem that makes the node worthless; to be raised."""
        self.add(node, message)
        return UnreadableError()

    def sorted(self) -> list[Problem]:
        """What has been found, from the top of the file to its end."""
        return sorted(self.found, key=lambda problem: (problem.line, problem.column))

    def check(self) -> None:
        """Raises ConfigError if anything has been found."""
        if self.found:
            raise ConfigError(self.sorted())


def shown(text: str, quote: str = "'") -> str:
    """A text from a file as a message shows it: in one line, short, with nothing that moves a cursor."""
    return f"{quote}{_one_line(text, SHOWN)}{quote}"


def _one_line(text: str, longest: int) -> str:
    short = text if len(text) <= longest else text[: longest - 3] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)


def texts_in(node: Node) -> Iterator[Text]:
    """All texts of a node, keys among them, in the order of the file."""
    if isinstance(node, Text):
        yield node
    elif isinstance(node, Listing):
        for item in node.items:
            yield from texts_in(item)
    elif isinstance(node, Mapping):
        for entry in node.entries.values():
            yield entry.key
            yield from texts_in(entry.value)
