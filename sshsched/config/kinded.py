"""Conditions and actions as files write them: a kind, what all of its family can be told, and its own options.

Rule: what the options are is declared once, by the kind. They are kept as they were written, because texts may hold
templates; but what is no template is looked at now, and refused at the very text that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from typing import Any, Final, NamedTuple

from sshsched.config.nodes import Entry, Listing, Mapping, Node, Problems, Text, UnreadableError, shown
from sshsched.config.reading import Key, Record, Schema, present, read_text, reader
from sshsched.config.templates import is_template
from sshsched.config.values import TEXT, Duration, Many, OneOf
from sshsched.domain.nearest import suggest
from sshsched.domain.plan import Deed, Rule
from sshsched.kinds.actions.base import OCCASIONS
from sshsched.kinds.conditions.groups import split
from sshsched.kinds.registry import Family, find, names
from sshsched.kinds.written import OptionError, fields_of, make, option

# What all of a family can be told ----------------------------------------------------------------------------------


class Enabled:
    """`true`, `false`, or a template that gives one of them."""

    def read(self, node: Node, problems: Problems) -> str:
        text = read_text(node, problems, "true, false or a template")
        if text not in ("true", "false") and not is_template(text):
            raise problems.refuse(node, f"{shown(text)} is neither true nor false, and no template")
        return text

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": [True, False, "true", "false"]}, {"type": "string", "pattern": r"\{[{%]"}]}


OCCASION: Final = OneOf(OCCASIONS, "occasion")
STATES: Final = Key[tuple[str, ...]]("states", Many(OCCASION), "states of the run, and other occasions")
STATES_RECORD: Final = Record((STATES,), "on which occasions")


class Occasions:
    """`failure`, `[failure, error]`, or `{states: [...]}` as Apsis has it."""

    def read(self, node: Node, problems: Problems) -> tuple[str, ...]:
        if isinstance(node, Mapping):
            with reader(node, STATES_RECORD, problems) as take:
                return take(STATES)
        return Many(OCCASION).read(node, problems)

    def schema(self) -> Schema:
        return {"anyOf": [Many(OCCASION).schema(), STATES_RECORD.schema()]}


TYPE: Final = Key("type", TEXT, "the kind", "")
ENABLED: Final = Key("enabled", Enabled(), "false: it does not count; a template may tell", "true")
MAX_WAIT: Final = Key[float | None]("max_wait", Duration(), "how long it may hold a run before that ends", None)
THEN: Final = Key("then", OneOf(("error", "skip"), "end"), "what max_wait ends a run with: error or skip", "error")
IF: Final = Key[tuple[str, ...]]("if", Occasions(), "on which occasions: states, retry, held, late, long", ())
ON: Final = Key[tuple[str, ...]]("on", Occasions(), "the same as 'if'", ())

COMMON: Final[dict[Family, Record]] = {
    "condition": Record((TYPE, ENABLED, MAX_WAIT, THEN), "a condition"),
    "action": Record((TYPE, IF, ON), "an action"),
}
ELSEWHERE: Final = {"job_id": "job", "check_states": "states", "target_state": "then"}
"""What Apsis calls some options."""
SHORT_GROUPS: Final = {"all", "any"}
"""`{any: [...]}` is short for `{type: any, of: [...]}`."""
USUAL: Final = {"notify": ("failure", "error", "held")}
"""The occasions of an action that does not say."""


def _recipient(text: str) -> str:
    """The option of `notify` that an address belongs to."""
    if re.match(r"https?://", text):
        return "webhook"
    if "://" in text:
        return "apprise"
    if "@" in text:
        return "email"
    raise ValueError(f"{shown(text)} is no address; write me@example.com, https://..., or one of apprise: ntfy://...")


SHORT: Final[dict[str, Callable[[str], str]]] = {
    "dependency": lambda _: "job",
    "schedule": lambda _: "job",
    "notify": _recipient,
}
"""The option that a text alone stands for."""


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
    entries = {name: entry for name, entry in node.entries.items() if name in record.names}
    before = len(problems.found)
    with reader(Mapping(node.line, node.column, node.path, entries), record, problems) as take:
        common = {key.name: take(key) for key in record.keys}
    if kind and common["type"]:
        raise problems.refuse(node.entries["type"].key, f"is known here to be {kind}; take it out")
    kind = kind or common["type"]
    options = {name: entry for name, entry in node.entries.items() if name not in record.names}
    if not kind and family == "condition" and (short := next(iter(SHORT_GROUPS & options.keys()), "")):
        kind, options = short, {"of" if name == short else name: entry for name, entry in options.items()}
    found = _kind(node, family, kind, problems)
    if family == "action":
        common["on"] = _occasions(node, common, on or USUAL.get(kind, ()), problems)
    values = _options(node, found, options, record, problems)
    if len(problems.found) > before:
        raise UnreadableError
    return Kinded(kind, values, common, node.line)


def _kind(node: Mapping, family: Family, name: str, problems: Problems) -> type[Any]:
    if not name:
        raise problems.refuse(node, f"the key 'type' is missing; known: {', '.join(names(family))}")
    try:
        return find(family, name)
    except ValueError as error:
        where = node.entries["type"].value if "type" in node.entries else node
        raise problems.refuse(where, str(error)) from None


def _occasions(node: Mapping, common: dict[str, Any], usual: tuple[str, ...], problems: Problems) -> tuple[str, ...]:
    if common["if"] and common["on"]:
        problems.add(node.entries["on"].key, "means the same as 'if', which stands here too; keep one")
    found: tuple[str, ...] = common["if"] or common["on"] or usual
    if not found:
        problems.add(node, "does not say when: write `if: success`, or another state or occasion")
    return found


def _options(
    node: Mapping, kind: type[Any], entries: dict[str, Entry], record: Record, problems: Problems
) -> dict[str, Any]:
    """The options as they were written, all that is wrong with them noted."""
    fields = fields_of(kind)
    values: dict[str, Any] = {}
    before = len(problems.found)
    for name, entry in entries.items():
        if name not in fields:
            there = ELSEWHERE.get(name)
            known = f"; here it is called '{there}'" if there in fields else suggest(name, [*fields, *record.names])
            problems.add(entry.key, f"unknown key{known}")
            continue
        try:
            values[name] = plain(present(entry.value, problems), problems)
            if not is_open(values[name]):
                option(kind, name, values[name])
        except OptionError as error:
            problems.add(at_path(entry.value, error.path.removeprefix(name)), error.message)
        except UnreadableError:
            continue
    for name, field in fields.items():
        if field.required and name not in entries:
            problems.add(node, f"the key '{name}' is missing{_help(field)}")
    if len(problems.found) == before and not is_open(values):
        _check_whole(node, kind, values, problems)
    return values


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
    return any(map(is_open, value.values() if isinstance(value, dict) else value))


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
