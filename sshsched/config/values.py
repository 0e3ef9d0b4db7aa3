"""The kinds of values that keys may have: what is read, and what a JSON Schema says of it.

Rule: everything is read from text. A YAML editor sees `umask: 022` as a number, so schemas of texts allow numbers too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sshsched.config.nodes import Listing, Mapping, Node, Problems, UnreadableError, shown
from sshsched.config.reading import Kind, Schema, read_each, read_text, read_value
from sshsched.config.sizes import PATTERN as SIZE_PATTERN
from sshsched.config.sizes import size
from sshsched.config.templates import is_template
from sshsched.domain.nearest import suggest
from sshsched.kinds.durations import PATTERN, duration

T = TypeVar("T")
SCALAR: Final = ["string", "number", "boolean"]
_NUMBER: Final = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"


@dataclass(frozen=True)
class Word:
    """A text of a certain form; `wanted` completes the sentence "'x' is no ..."."""

    pattern: str = ""
    wanted: str = ""
    templated: bool = False
    """A template passes; its form is looked at again when it has been filled in."""

    def read(self, node: Node, problems: Problems) -> str:
        text = read_text(node, problems)
        if self.pattern and not re.fullmatch(self.pattern, text) and not (self.templated and is_template(text)):
            raise problems.refuse(node, f"{shown(text)} is no {self.wanted}")
        return text

    def schema(self) -> Schema:
        if not self.pattern:
            return {"type": SCALAR}
        plain: Schema = {"type": SCALAR, "pattern": f"^(?:{self.pattern})$"}
        return {"anyOf": [plain, {"type": "string", "pattern": r"\{[{%]"}]} if self.templated else plain


@dataclass(frozen=True)
class OneOf:
    """One of a few words; `strip` is a prefix that people may write and we leave out."""

    words: tuple[str, ...]
    what: str
    strip: str = ""

    def read(self, node: Node, problems: Problems) -> str:
        text = read_text(node, problems, f"a {self.what}")
        word = text.upper().removeprefix(self.strip) if self.strip else text
        if word not in self.words:
            raise problems.refuse(node, f"{shown(text)} is no {self.what}{suggest(word, self.words)}")
        return word

    def schema(self) -> Schema:
        words = list(self.words)
        return {"enum": words + [self.strip + word for word in words] if self.strip else words}


@dataclass(frozen=True)
class Integer:
    """A whole number between two bounds, both allowed."""

    low: int
    high: int

    def read(self, node: Node, problems: Problems) -> int:
        text = read_text(node, problems, "a whole number")
        if re.fullmatch(self._pattern, text) and self.low <= int(text) <= self.high:
            return int(text)
        raise problems.refuse(node, f"{shown(text)} is no whole number from {self.low} to {self.high}")

    def schema(self) -> Schema:
        number: Schema = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return {"anyOf": [number, {"type": "string", "pattern": f"^({self._pattern})$"}]}

    @property
    def _pattern(self) -> str:
        return "0|-?[1-9][0-9]{0,9}" if self.low < 0 else "0|[1-9][0-9]{0,9}"


@dataclass(frozen=True)
class Number:
    """A number between two bounds, both allowed; it may have a fraction."""

    low: float
    high: float

    def read(self, node: Node, problems: Problems) -> float:
        text = read_text(node, problems, "a number")
        if re.fullmatch(_NUMBER, text) and self.low <= float(text) <= self.high:
            return float(text)
        raise problems.refuse(node, f"{shown(text)} is no number from {self.low:g} to {self.high:g}")

    def schema(self) -> Schema:
        number: Schema = {"type": "number", "minimum": self.low, "maximum": self.high}
        return {"anyOf": [number, {"type": "string", "pattern": f"^(?:{_NUMBER})$"}]}


class ZoneName:
    """A time zone, like Europe/Berlin."""

    def read(self, node: Node, problems: Problems) -> str:
        from sshsched.kinds.zones import zone  # time zones are slow to import, and most settings name none

        text = read_text(node, problems, "a time zone")
        try:
            zone(text)
        except ValueError as error:
            raise problems.refuse(node, str(error).removeprefix("time zone: ")) from None
        return text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\S+$"}


class Truth:
    """`true` or `false`, and no other words for them."""

    def read(self, node: Node, problems: Problems) -> bool:
        text = read_text(node, problems, "true or false")
        if text not in ("true", "false"):
            raise problems.refuse(node, f"{shown(text)} is neither true nor false")
        return text == "true"

    def schema(self) -> Schema:
        return {"enum": [True, False, "true", "false"]}


@dataclass(frozen=True)
class Duration:
    """Seconds, written as `90s`, `15m` or `1h30m`; `zero` allows none at all."""

    zero: bool = False

    def read(self, node: Node, problems: Problems) -> float:
        text = read_text(node, problems, "a duration")
        try:
            seconds = duration(text)
        except ValueError as error:
            raise problems.refuse(node, str(error)) from None
        if not seconds and not self.zero:
            raise problems.refuse(node, "must be longer than nothing; take the key out for no limit or the usual one")
        return seconds

    def schema(self) -> Schema:
        number: Schema = {"type": "number", "minimum" if self.zero else "exclusiveMinimum": 0}
        return {"anyOf": [number, {"type": "string", "pattern": PATTERN}]}


class Size:
    """Bytes, written as `500MB` or `10GB` (powers of 1000), or as `10GiB` (powers of 1024)."""

    def read(self, node: Node, problems: Problems) -> int:
        text = read_text(node, problems, "a size")
        try:
            return size(text)
        except ValueError as error:
            raise problems.refuse(node, str(error)) from None

    def schema(self) -> Schema:
        number: Schema = {"type": "integer", "minimum": 1}
        return {"anyOf": [number, {"type": "string", "pattern": SIZE_PATTERN}]}


@dataclass(frozen=True)
class Many(Generic[T]):
    """A list with at least one item; where `alone` is true a single value stands for a list of it."""

    item: Kind[T]
    alone: bool = True

    def read(self, node: Node, problems: Problems) -> tuple[T, ...]:
        if not isinstance(node, Listing):
            if self.alone:
                return (read_value(node, self.item, problems),)
            raise problems.refuse(node, f"{node.what} stands where a list should be: [one, two]")
        if not node.items:
            raise problems.refuse(node, "is an empty list; take the key out, or write at least one item")
        return read_each(node.items, self.item, problems)

    def schema(self) -> Schema:
        item = self.item.schema()
        listing: Schema = {"type": "array", "items": item, "minItems": 1}
        return {"anyOf": [item, listing]} if self.alone else listing


@dataclass(frozen=True)
class Pairs(Generic[T]):
    """A mapping whose keys the user chooses, within a pattern."""

    names: str
    wanted: str
    item: Kind[T]

    def read(self, node: Node, problems: Problems) -> AbstractMapping[str, T]:
        if not isinstance(node, Mapping):
            raise problems.refuse(node, f"{node.what} stands where `name: value` pairs should be")
        return read_named(node, self.names, self.wanted, self._value, problems)

    def _value(self, _name: str, node: Node, problems: Problems) -> T:
        return read_value(node, self.item, problems)

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^(?:{self.names})$"},
            "additionalProperties": self.item.schema(),
        }


def read_named(
    node: Mapping, names: str, wanted: str, read: Callable[[str, Node, Problems], T], problems: Problems
) -> dict[str, T]:
    """What `read` makes of each name and value, or UnreadableError after each bad one has been noted."""
    values = {}
    for name, entry in node.entries.items():
        try:
            if not re.fullmatch(names, name):
                raise problems.refuse(entry.key, f"{shown(name)} is no {wanted}")
            values[name] = read(name, entry.value, problems)
        except UnreadableError:
            continue
    if len(values) < len(node.entries):
        raise UnreadableError
    return values


TEXT: Final = Word()
