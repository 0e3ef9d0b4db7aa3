"""What all conditions, and all actions, can be told, whatever their kind; and their short forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sshsched.config.nodes import Mapping, Node, Problems, shown
from sshsched.config.reading import Key, Record, Schema, read_text, reader
from sshsched.config.templates import is_template
from sshsched.config.values import TEXT, Duration, Many, OneOf
from sshsched.domain.sound import OCCASIONS
from sshsched.kinds.registry import Family


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
