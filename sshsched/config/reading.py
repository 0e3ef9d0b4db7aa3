"""A typed reader of nodes, and the declarations that it reads by.

Rule: each key is declared once, as a `Key` with the kind of its value and a sentence for people. The reader and
the JSON Schema both come from that declaration. A bad value is noted and reading goes on.

::

    GRACE = Key("grace", Duration(), "time between the signal and KILL", default=60.0)
    STOP = Record((SIGNAL, GRACE), "how a program is asked to end")

    with reader(node, STOP, problems) as take:      # leaving with an unknown key is a problem
        return Stop(take(SIGNAL), take(GRACE))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from sshsched.config.nodes import Mapping, Node, Problems, Text, UnreadableError
from sshsched.domain.nearest import suggest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, Any]


class Kind(Protocol[T_co]):
    """What a value may be. `read` raises UnreadableError after it has noted why."""

    def read(self, node: Node, problems: Problems) -> T_co: ...

    def schema(self) -> Schema: ...


class _Required:
    """The default of a key that must be there."""


REQUIRED: Final = _Required()


@dataclass(frozen=True)
class Key(Generic[T]):
    """One key of a record. Without a default it must be given."""

    name: str
    kind: Kind[T]
    help: str
    default: T | _Required = REQUIRED

    @property
    def required(self) -> bool:
        return isinstance(self.default, _Required)


@dataclass(frozen=True)
class Record:
    """A mapping with known keys.

    `elsewhere` answers words that people try with the place or name of what they mean, `later` names what only a later
    version can do: neither is ever taken for a slip of the finger, or passed over in silence.
    """

    keys: tuple[Key[Any], ...]
    help: str
    elsewhere: dict[str, str] = field(default_factory=dict)
    later: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(key.name for key in self.keys)

    def schema(self) -> Schema:
        """The JSON Schema of these keys."""
        made: Schema = {
            "type": "object",
            "description": self.help,
            "properties": {key.name: {"description": key.help, **key.kind.schema()} for key in self.keys},
            "additionalProperties": False,
        }
        required = [key.name for key in self.keys if key.required]
        return {**made, "required": required} if required else made


class Take:
    """Takes the values of one mapping, key by key."""

    def __init__(self, node: Mapping, problems: Problems) -> None:
        self.node = node
        self.problems = problems
        self.failed = False
        self.taken: set[str] = set()

    def __call__(self, key: Key[T]) -> T:
        """The value, or the default if the key is not there.

        A value that cannot be read is noted, and whatever is returned in its place is thrown away when the block ends:
        so nothing may be worked out from taken values inside the block.
        """
        self.taken.add(key.name)
        entry = self.node.entries.get(key.name)
        if entry is None and not isinstance(key.default, _Required):
            return key.default
        try:
            if entry is not None:
                return read_value(entry.value, key.kind, self.problems)
            raise self.problems.refuse(self.node, f"the key '{key.name}' is missing: {key.help}")
        except UnreadableError:
            self.failed = True
            return cast(T, None)


@contextmanager
def reader(node: Node, record: Record, problems: Problems) -> Iterator[Take]:
    """Take the keys of a record. Raises UnreadableError on leaving if anything in it was wrong."""
    if not isinstance(node, Mapping):
        raise problems.refuse(node, f"{node.what} stands where `key: value` pairs should be: {record.help}")
    take = Take(node, problems)
    before = len(problems.found)
    check_keys(node, record, problems)
    yield take
    # A key that is declared but not taken would be passed over in silence.
    assert take.taken == record.names, record.help
    if take.failed or len(problems.found) > before:
        raise UnreadableError


def check_keys(node: Mapping, record: Record, problems: Problems) -> None:
    """Note every key that the record does not have."""
    for name, entry in node.entries.items():
        if name in record.later:
            problems.add(entry.key, "is not yet supported by this version; take it out")
        elif name in record.elsewhere:
            problems.add(entry.key, f"unknown key; {record.elsewhere[name]}")
        elif name not in record.names:
            known = [key.name for key in record.keys]
            problems.add(entry.key, f"unknown key{suggest(name, known, record.later)}")


def read_value(node: Node, kind: Kind[T], problems: Problems) -> T:
    """A value that must be there. Raises UnreadableError."""
    return kind.read(present(node, problems), problems)


def present(node: Node, problems: Problems) -> Node:
    """The node, if anything is written there. Raises UnreadableError."""
    if isinstance(node, Text) and node.absent:
        raise problems.refuse(node, "has no value; write one, or take the key out ('' is an empty text)")
    return node


def read_text(node: Node, problems: Problems, wanted: str = "a text") -> str:
    """The text of a node, which must not be a list or a mapping."""
    if isinstance(node, Text):
        return node.text
    hint = '; a template needs quotes: "{{ ... }}"' if isinstance(node, Mapping) and len(node.entries) == 1 else ""
    raise problems.refuse(node, f"{node.what} stands where {wanted} should be{hint}")


def read_each(nodes: Sequence[Node], kind: Kind[T], problems: Problems) -> tuple[T, ...]:
    """All of them, or UnreadableError after each bad one has been noted."""
    values = []
    for node in nodes:
        try:
            values.append(read_value(node, kind, problems))
        except UnreadableError:
            continue
    if len(values) < len(nodes):
        raise UnreadableError
    return tuple(values)


@dataclass(frozen=True)
class Made(Generic[T]):
    """A record's values made into an object."""

    record: Record
    make: Callable[[Take], T]

    def read(self, node: Node, problems: Problems) -> T:
        with reader(node, self.record, problems) as take:
            return self.make(take)

    def schema(self) -> Schema:
        return self.record.schema()
