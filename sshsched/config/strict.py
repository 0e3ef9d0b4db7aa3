"""YAML text to nodes, strictly.

Rule: a file that can be misread is refused, with one clear problem at the right place. Duplicate keys, tags, merge
keys, tabs, several documents, alias bombs, deep nesting, huge files and foreign encodings all end here. The events come
from PyYAML's parser (libyaml's where it is built in), and the tree is put together without recursion, so no input
exhausts the stack.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sshsched.config.nodes import Entry, Listing, Mapping, Node, Problems, Text, place, shown
from sshsched.config.syntax import MAX_DEPTH, TOO_DEEP, explain

MAX_BYTES: Final = 1 << 20
MAX_NODES: Final = 100_000  # with aliases counted as often as they are used

# Everything that YAML 1.1 does not allow in a file.
FORBIDDEN = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BAD_VALUE = re.compile("[\0\ud800-\udfff]")


def read_file(path: Path, problems: Problems) -> Mapping | None:
    """The mapping that a file holds; None if it holds nothing at all. Raises UnreadableError, FileNotFoundError."""
    text = file_text(path, problems)
    node = compose(text, problems)
    if node is None or isinstance(node, Mapping):
        return node
    raise problems.refuse(node, f"{node.what} stands where the file should be `key: value` pairs")


def file_text(path: Path, problems: Problems) -> str:
    """What a file holds, if that is UTF-8 and not too much. Raises UnreadableError, FileNotFoundError."""
    try:
        # Without O_NONBLOCK, a pipe that nobody writes to would hold us for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise problems.refuse(place(1, 1), "is no regular file")
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise problems.refuse(place(1, 1), f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise problems.refuse(place(1, 1), f"is larger than {MAX_BYTES >> 20} MiB; split it into several files")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _position(data[: error.start].decode("utf-8-sig", "replace"))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise problems.refuse(place(line, column), message) from None


def compose(text: str, problems: Problems) -> Node | None:
    """The tree of a YAML text; None if there is nothing but comments. Raises UnreadableError."""
    bad = FORBIDDEN.search(text)
    if bad:
        line, column = _position(text[: bad.start()])
        raise problems.refuse(place(line, column), f"control character {shown(bad[0])} in the file; remove it")
    return _Composer(text, problems).compose()


def _position(before: str) -> tuple[int, int]:
    """Line and column of what follows this text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended yet. `size` counts all nodes in it, `key` waits for its value."""

    node: Listing | Mapping
    anchor: str | None
    size: int = 1
    key: Text | None = None


class _Composer:
    """Turns the parser's events into nodes. One use each."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.text = text
        self.problems = problems
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int] | None] = {}  # None while the anchored value has not ended
        self.root: Node | None = None

    def compose(self) -> Node | None:
        import yaml

        documents = 0
        for event in self._events():
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, Mapping)
            elif kind is yaml.SequenceStartEvent:
                self._open(event, Listing)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise self.problems.refuse(self._here(event), "a second document begins here; one file holds one")
        if isinstance(self.root, Text) and self.root.absent:
            return None
        return self.root

    def _events(self) -> Iterator[Any]:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(self.text)
        next_event = loader.get_event
        try:
            while (event := next_event()) is not None and type(event) is not yaml.StreamEndEvent:
                yield event
        except yaml.MarkedYAMLError as error:
            where, message = explain(error, self.text)
            raise self.problems.refuse(where, message) from None
        except yaml.YAMLError as error:
            raise self.problems.refuse(place(1, 1), f"no valid YAML: {error}") from None

    def _scalar(self, event: Any) -> None:
        self._plain_only(event)
        plain = not event.style
        parent = self.stack[-1] if self.stack else None
        if parent and isinstance(parent.node, Mapping) and parent.key is None:
            self._key(parent, event, plain)
            return
        mark = event.start_mark
        node = Text(mark.line + 1, mark.column + 1, self._path(), event.value, plain)
        # Only escapes in double quotes can bring in what the text itself may not hold.
        if event.style == '"' and (bad := BAD_VALUE.search(event.value)):
            raise self.problems.refuse(node, f"{shown(bad[0])} cannot be handed to any program; remove it")
        if event.anchor:
            self.anchors[event.anchor] = (node, 1)
        self._place_value(node, 1)

    def _key(self, parent: _Open, event: Any, plain: bool) -> None:
        mark = event.start_mark
        base = parent.node.path
        name = event.value
        key = Text(mark.line + 1, mark.column + 1, f"{base}.{name}" if base else name, name, plain)
        if event.anchor:
            raise self.problems.refuse(key, "an anchor (&) on a key; put it on the value")
        if name == "<<" and plain:
            raise self.problems.refuse(key, "merging with << is not supported; write the keys out")
        parent.key = key

    def _open(self, event: Any, kind: type[Listing] | type[Mapping]) -> None:
        self._plain_only(event)
        here = self._here(event)
        parent = self.stack[-1] if self.stack else None
        if parent and isinstance(parent.node, Mapping) and parent.key is None:
            index = event.start_mark.index
            template = self.text[index - 1 : index + 1] == "{{"
            hint = 'a template needs quotes: "{{ ... }}"' if template else f"{kind.what} stands where a key is expected"
            raise self.problems.refuse(here, hint)
        if len(self.stack) == MAX_DEPTH:
            raise self.problems.refuse(here, TOO_DEEP)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(kind(here.line, here.column, here.path), event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.node, done.size)
        self._place_value(done.node, done.size)

    def _alias(self, event: Any) -> None:
        here = self._here(event)
        if event.anchor not in self.anchors:
            message = f"unknown alias *{event.anchor}; if a star is meant, put the value in quotes"
            raise self.problems.refuse(here, message)
        known = self.anchors[event.anchor]
        if known is None:
            raise self.problems.refuse(here, f"*{event.anchor} stands inside the very value that it names")
        parent = self.stack[-1]
        if isinstance(parent.node, Mapping) and parent.key is None:
            raise self.problems.refuse(here, "an alias stands where a key is expected")
        self._place_value(*known)

    def _place_value(self, node: Node, size: int) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.size += size
        if parent.size > MAX_NODES:
            raise self.problems.refuse(node, f"more than {MAX_NODES:,} values in a file, aliases counted each time")
        if isinstance(parent.node, Listing):
            parent.node.items.append(node)
            return
        key, parent.key = parent.key, None
        assert key is not None
        first = parent.node.entries.get(key.text)
        if first:
            self.problems.add(key, f"stands here twice; first in line {first.key.line}")
        else:
            parent.node.entries[key.text] = Entry(key, node)

    def _here(self, event: Any) -> Node:
        mark = event.start_mark
        return place(mark.line + 1, mark.column + 1, self._path())

    def _path(self) -> str:
        """What a person calls the value that comes next."""
        if not self.stack:
            return ""
        parent = self.stack[-1]
        if isinstance(parent.node, Listing):
            return f"{parent.node.path}[{len(parent.node.items)}]"
        return parent.key.path if parent.key else parent.node.path

    def _plain_only(self, event: Any) -> None:
        if event.tag is not None:
            message = "a tag like !!int is not used here; leave it out, or quote a value that begins with !"
            raise self.problems.refuse(self._here(event), message)
