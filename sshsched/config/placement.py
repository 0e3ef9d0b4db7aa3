"""`host:` of a job: one host, a group, or whatever hosts have certain tags; and how one of them is chosen.

Rule: what was asked for is kept as one text, which the scheduler makes a host of when the run is about to start.

::

    host: nas
    host: "@web"
    host: {group: web, strategy: sticky}
    host: {tags: [linux, gpu], strategy: least_busy}
    host: {group: web, strategy: all, canary: 1, max_fail: 2}
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sshsched.config.nodes import Mapping, Node, Problems, Text
from sshsched.config.reading import Key, Record, Schema, Take, reader
from sshsched.config.values import Integer, Many, OneOf, Word
from sshsched.domain.draft import ASKED
from sshsched.domain.plan import NO_FAN, STRATEGIES, Fan

TAG: Final = Word(r"[^\s,{}]+", "tag; use no spaces, commas or braces")
MOST_HOSTS: Final = 10_000

GROUP: Final = Key[str]("group", Word(r"[^@].*", "group", templated=True), "a group of hosts.yaml", "")
TAGS: Final = Key[tuple[str, ...]](
    "tags", Many(Word(TAG.pattern, TAG.wanted, templated=True)), "the host has all of these tags", ()
)
STRATEGY: Final = Key(
    "strategy",
    OneOf(STRATEGIES, "strategy"),
    f"how a host is chosen: {', '.join(STRATEGIES)}; else the group's own",
    "",
)
MAX_FAIL: Final = Key[int | None](
    "max_fail", Integer(0, MOST_HOSTS), "strategy all: after more failures than this, no further host begins", None
)
CANARY: Final = Key("canary", Integer(0, MOST_HOSTS), "strategy all: so many hosts first, then the rest", 0)
CHOICE: Final = Record(
    (GROUP, TAGS, STRATEGY, MAX_FAIL, CANARY),
    "where it runs: {group: web}, or {tags: [linux, gpu]}",
    {**dict.fromkeys(("name", "host"), "write `host: NAME`"), "tag": "here it is called 'tags'"},
)


class Asked(NamedTuple):
    """A host, @GROUP or tags:A,B; how one is chosen, if not in the group's own way; and how all of them are."""

    name: str
    strategy: str = ""
    fan: Fan = NO_FAN


class Place:
    """Reads `host:` in all its forms."""

    name: Final = Word(ASKED.pattern, "host name", templated=True)

    def read(self, node: Node, problems: Problems) -> Asked:
        if isinstance(node, Text):
            return Asked(self.name.read(node, problems))
        if not isinstance(node, Mapping):
            remedy = "name one host, or a group of hosts.yaml as '@group'"
            raise problems.refuse(node, f"{node.what} stands where a host should be: {remedy}")
        with reader(node, CHOICE, problems) as take:
            group, tags, (strategy, fan) = take(GROUP), take(TAGS), take_choice(take)
        if bool(group) == bool(tags):
            raise problems.refuse(node, "needs one of group and tags: {group: web} or {tags: [linux, gpu]}")
        check_choice(node, strategy, problems, may_be_all=True)
        return Asked(f"@{group}" if group else f"tags:{','.join(tags)}", strategy, fan)

    def schema(self) -> Schema:
        either = {"oneOf": [{"required": ["group"]}, {"required": ["tags"]}]}
        return {"anyOf": [self.name.schema(), {**CHOICE.schema(), **either, **FAN_SCHEMA}]}


def take_choice(take: Take) -> tuple[str, Fan]:
    """The keys that say how hosts are chosen."""
    strategy, most, canary = take(STRATEGY), take(MAX_FAIL), take(CANARY)
    return strategy, Fan(most, canary)


def check_choice(node: Mapping, strategy: str, problems: Problems, *, may_be_all: bool = False) -> None:
    """Note what only a run on all hosts has. With `may_be_all`, that may also be the strategy where none is said."""
    if strategy == "all" or (may_be_all and not strategy):
        return
    for key in (MAX_FAIL, CANARY):
        if key.name in node.entries:
            problems.add(node.entries[key.name].key, "means something only with `strategy: all`; take it out")


_ONE_OF_THEM: Final = {"anyOf": [{"required": [MAX_FAIL.name]}, {"required": [CANARY.name]}]}
_SILENT: Final = {"not": {"required": ["strategy"]}}
_ALL: Final = {"properties": {"strategy": {"const": "all"}}}
FAN_SCHEMA: Final[Schema] = {"if": _ONE_OF_THEM, "then": {"anyOf": [_SILENT, _ALL]}}
