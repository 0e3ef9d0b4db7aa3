"""Conditions and actions as files write them: a kind, what all of its family can be told, and its own options.

Rule: what the options are is declared once, by the kind. They are kept as they were written, because texts may hold
templates; but what is no template is looked at now, and refused at the very text that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from contextlib import suppress
from typing import Any, NamedTuple

from sshsched.config.kinded_keys import COMMON, ELSEWHERE, SHORT, SHORT_GROUPS, USUAL
from sshsched.config.nodes import Entry, Listing, Mapping, Node, Problems, Text, UnreadableError, shown
from sshsched.config.reading import Record, present, read_value
from sshsched.config.templates import is_template
from sshsched.domain.nearest import suggest
from sshsched.domain.plan import Deed, Rule
from sshsched.kinds.conditions.groups import split
from sshsched.kinds.registry import Family, find, names
from sshsched.kinds.written import OptionError, fields_of, make, option


class Kinded(NamedTuple):
    """A kind with its options, and what else is said of it."""

    kind: str
    options: dict[str, Any]
    common: dict[str, Any]
    line: int


def rule(found: Kinded) -> Rule:
    """As a condition."""
    enabled = found.common["enabled"]
    options = found.options if enabled == "true" else {**found.options, "enabled": enabled}
    return Rule(found.kind, options, found.common["max_wait"], found.common["then"])


def deed(found: Kinded) -> Deed:
    """As an action."""
    return Deed(found.kind, found.options, found.common["on"])


def read_all(
    node: Node, family: Family, problems: Problems, kind: str = "", on: tuple[str, ...] = ()
) -> tuple[Kinded, ...]:
    """One or a list of them; all of one kind, if that is known. `on` is when actions follow that do not say.

    Raises UnreadableError after all that is wrong has been noted.
    """
    nodes = node.items if isinstance(node, Listing) else [node]
    if not nodes:
        raise problems.refuse(node, "is an empty list; take the key out, or write at least one item")
    found = []
    for each in nodes:
        try:
            found.append(_read(_long(each, kind, problems), family, kind, on, problems))
        except UnreadableError:
            continue
    if len(found) < len(nodes):
        raise UnreadableError
    return tuple(found)


def _long(node: Node, kind: str, problems: Problems) -> Mapping:
    """A text of a known kind as the mapping that it stands for."""
    node = present(node, problems)
    if isinstance(node, Text) and kind in SHORT:
        try:
            return Mapping(node.line, node.column, node.path, {SHORT[kind](node.text): Entry(node, node)})
        except ValueError as error:
            raise problems.refuse(node, str(error)) from None
    if not isinstance(node, Mapping):
        raise problems.refuse(node, f"{node.what} stands where `type: ...` and its options should be")
    return node


def _read(node: Mapping, family: Family, kind: str, on: tuple[str, ...], problems: Problems) -> Kinded:
    record = COMMON[family]
    before = len(problems.found)
    if family == "condition" and "type" not in node.entries:
        kind, node = _grouped(node, kind)
    common = _common(node, record, problems)
    if kind and common.get("type"):
        raise problems.refuse(node.entries["type"].key, f"is known here to be {kind}; take it out")
    kind = kind or common["type"]
    found = _kind(node, family, kind, problems)
    if family == "action":
        common["on"] = _occasions(node, common, on or USUAL.get(kind, ()), problems)
    values = _options(node, found, record, problems)
    if len(problems.found) > before:
        raise UnreadableError
    return Kinded(kind, values, common, node.line)


def _grouped(node: Mapping, kind: str) -> tuple[str, Mapping]:
    """`{any: [...]}` in its long form."""
    short = next((name for name in node.entries if name in SHORT_GROUPS), "")
    if kind or not short:
        return kind, node
    entries = {"of" if name == short else name: entry for name, entry in node.entries.items()}
    return short, Mapping(node.line, node.column, node.path, entries)


def _common(node: Mapping, record: Record, problems: Problems) -> dict[str, Any]:
    """What all of a family can be told. What is wrong is noted, and then the usual value stands in its place."""
    values: dict[str, Any] = {}
    for key in record.keys:
        entry = node.entries.get(key.name)
        values[key.name] = key.default
        if entry is not None:
            with suppress(UnreadableError):
                values[key.name] = read_value(entry.value, key.kind, problems)
    return values


def read_kind(node: Mapping, family: Family, record: Record, problems: Problems) -> tuple[str, dict[str, Any]]:
    """The kind and its options of what is told nothing beside `type`. Raises UnreadableError."""
    before = len(problems.found)
    name = _common(node, record, problems)["type"]
    values = _options(node, _kind(node, family, name, problems), record, problems)
    if len(problems.found) > before:
        raise UnreadableError
    return name, values


def _kind(node: Mapping, family: Family, name: str, problems: Problems) -> type[Any]:
    if not name:
        raise problems.refuse(node, f"the key 'type' is missing; known: {', '.join(names(family))}")
    where = node.entries["type"].value if "type" in node.entries else node
    try:
        found = find(family, name)
        fields_of(found)
        return found
    except ValueError as error:
        raise problems.refuse(where, str(error)) from None
    except Exception as error:  # its types are of somebody's making
        raise problems.refuse(where, f"{name!r} cannot be used: {error}") from None


def _occasions(node: Mapping, common: dict[str, Any], usual: tuple[str, ...], problems: Problems) -> tuple[str, ...]:
    if common["if"] and common["on"]:
        problems.add(node.entries["on"].key, "means the same as 'if', which stands here too; keep one")
    found: tuple[str, ...] = common["if"] or common["on"] or usual
    if not found and not {"if", "on"} & node.entries.keys():
        problems.add(node, "does not say when: write `if: success`, or another state or occasion")
    return found


def _options(node: Mapping, kind: type[Any], record: Record, problems: Problems) -> dict[str, Any]:
    """The options as they were written, all that is wrong with them noted."""
    fields = fields_of(kind)
    values: dict[str, Any] = {}
    before = len(problems.found)
    for name, entry in node.entries.items():
        if name in record.names:
            continue
        if name not in fields:
            there = ELSEWHERE.get(name)
            known = f"; here it is called '{there}'" if there in fields else suggest(name, [*fields, *record.names])
            problems.add(entry.key, f"unknown key{known}")
            continue
        with suppress(UnreadableError):
            values[name] = plain(present(entry.value, problems), problems)
    closed = not is_open(values)
    if closed and len(problems.found) == before and _makes(kind, values):
        return values
    _check_each(node, kind, values, problems)
    if closed and len(problems.found) == before:
        _check_whole(node, kind, values, problems)
    return values


def _makes(kind: type[Any], values: dict[str, Any]) -> bool:
    try:
        make(kind, values)
    except OptionError:
        return False
    return True


def _check_each(node: Mapping, kind: type[Any], values: dict[str, Any], problems: Problems) -> None:
    """Note what is wrong with each option by itself, and which are missing."""
    for name, value in values.items():
        try:
            if not is_open(value):
                option(kind, name, value)
        except OptionError as error:
            where = at_path(node.entries[name].value, error.path.removeprefix(name))
            told = f"{shown(where.text)}: {error.message}" if isinstance(where, Text) else error.message
            problems.add(where, told if error.message.startswith("expected") else error.message)
    for name, field in fields_of(kind).items():
        if field.required and name not in node.entries:
            problems.add(node, f"the key '{name}' is missing{_help(field)}")


def _check_whole(node: Mapping, kind: type[Any], values: dict[str, Any], problems: Problems) -> None:
    """What the kind itself has to say, as of options that do not go together. It may begin with what it is about."""
    try:
        make(kind, values)
    except OptionError as error:
        path, colon, rest = ("", "", "") if error.path else error.message.partition(": ")
        where = at_path(node, error.path or path)
        problems.add(where, rest if colon and where is not node else error.message)


def _help(field: Any) -> str:
    from msgspec import inspect

    found = field.type.extra_json_schema if isinstance(field.type, inspect.Metadata) else None
    text = (found or {}).get("description", "")
    return f": {text}" if text else ""


def zoned(kind: str, options: AbstractMapping[str, Any], tz: Callable[[], str]) -> dict[str, Any]:
    """The options with the zone of this folder, where the kind wants one and none is given; so in all its parts."""
    found = dict(options)
    if "tz" in fields_of(find("condition", kind)):
        found.setdefault("tz", tz())
    if isinstance(parts := found.get("of"), list):
        found["of"] = [_zoned_part(part, tz) for part in parts]
    return found


def _zoned_part(part: Any, tz: Callable[[], str]) -> Any:
    if not isinstance(part, dict):
        return part
    kind, options = split(part)
    return {"type": kind, **zoned(kind, options, tz)}


def plain(node: Node, problems: Problems) -> Any:
    """Texts, lists and mappings, as JSON has them. Raises UnreadableError for a key without a value."""
    if isinstance(node, Listing):
        return [plain(present(item, problems), problems) for item in node.items]
    if isinstance(node, Mapping):
        return {name: plain(present(entry.value, problems), problems) for name, entry in node.entries.items()}
    assert isinstance(node, Text)
    return node.text


def is_open(value: Any) -> bool:
    """Whether there is any template in it, so that its form is looked at only when that is filled in."""
    if isinstance(value, str):
        return is_template(value)
    if isinstance(value, dict | list | tuple):
        return any(map(is_open, value.values() if isinstance(value, dict) else value))
    return False


def at_path(node: Node, path: str) -> Node:
    """The node of `args.date` or `of[1].job` below this one, as far as there is one."""
    for word in re.findall(r"[^.\[\]]+", path):
        if isinstance(node, Mapping) and word in node.entries:
            node = node.entries[word].value
        elif isinstance(node, Listing) and word.isdecimal() and int(word) < len(node.items):
            node = node.items[int(word)]
        else:
            break
    return node
