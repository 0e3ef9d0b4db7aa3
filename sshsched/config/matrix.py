"""`matrix:` of a step: the product of its lists, less what is excluded, and what is included besides.

Rule: include and exclude mean what they mean to GitHub Actions.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from sshsched.config.nodes import Listing, Mapping, Node, Problems, UnreadableError
from sshsched.config.reading import Schema
from sshsched.config.values import TEXT, Many, Pairs, read_named
from sshsched.domain.draft import NAME

Item = dict[str, str]

MOST: Final = 1000
AXIS: Final = NAME.pattern
WANTED: Final = "name of a variable; use letters, digits and _, no digit first"
ITEM: Final = Pairs(AXIS, WANTED, TEXT)
VALUES: Final = Many(TEXT)
UNFIT: Final = re.compile(r"[^\w.+:/@%-]")
EXTRA: Final = ("include", "exclude")


class Matrix:
    """`{os: [debian, alpine], py: ["3.12"], include: [{...}], exclude: [{...}]}`."""

    def read(self, node: Node, problems: Problems) -> tuple[Item, ...]:
        """The variables of each repetition."""
        if not isinstance(node, Mapping):
            raise problems.refuse(node, f"{node.what} stands where lists by name should be: {{os: [debian, alpine]}}")
        axes = {name: entry for name, entry in node.entries.items() if name not in EXTRA}
        bare = Mapping(node.line, node.column, node.path, axes)
        lists = read_named(bare, AXIS, WANTED, lambda _name, value, found: VALUES.read(value, found), problems)
        include, exclude = (self._extra(node, name, problems) for name in EXTRA)
        items = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())] if lists else []
        items = [item for item in items if not any(part.items() <= item.items() for part in exclude)]
        items = included(items, tuple(lists), include)
        if not items:
            raise problems.refuse(node, "leaves nothing to run: give at least one list, or an item under include")
        if len(items) > MOST:
            raise problems.refuse(node, f"makes {len(items)} runs; at most {MOST}")
        return tuple(items)

    def _extra(self, node: Mapping, name: str, problems: Problems) -> list[Item]:
        entry = node.entries.get(name)
        if entry is None:
            return []
        if not isinstance(entry.value, Listing):
            raise problems.refuse(entry.value, f"{entry.value.what} stands where a list should be: [{{os: debian}}]")
        items = []
        for each in entry.value.items:
            try:
                items.append(dict(ITEM.read(each, problems)))
            except UnreadableError:
                continue
        if len(items) < len(entry.value.items):
            raise UnreadableError
        return items

    def schema(self) -> Schema:
        extra = {"type": "array", "items": ITEM.schema()}
        return {
            "type": "object",
            "properties": dict.fromkeys(EXTRA, extra),
            "propertyNames": {"pattern": f"^(?:{AXIS})$"},
            "additionalProperties": VALUES.schema(),
        }


def included(items: list[Item], axes: tuple[str, ...], include: list[Item]) -> list[Item]:
    """Each include adds to every item of the product that it does not contradict, or is an item of its own."""
    found = [dict(item) for item in items]
    alone: list[Item] = []
    for part in include:
        fits = [item for item in found if all(item[name] == part[name] for name in axes if name in part)]
        for item in fits:
            item.update(part)
        if not fits:
            alone.append(part)
    return found + alone


def names(base: str, items: tuple[Item, ...]) -> list[str]:
    """test[os=debian,py=3.12]: what each repetition of a step is called; with numbers where that is not unique."""
    told = [",".join(f"{name}={UNFIT.sub('-', value)}" for name, value in item.items()) for item in items]
    unique = len(set(told)) == len(told)
    return [f"{base}[{text if unique else f'{text},{number}'}]" for number, text in enumerate(told, 1)]
