"""What a JSON Schema says of conditions and actions: theirs is that of their kinds, installed packages' included.

Rule: a schema allows what the reader takes. That is more than a kind's own: a text for a number, since it may hold a
template, and one value for a list of it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from sshsched.config.kinded_keys import COMMON, SHORT, SHORT_GROUPS, USUAL
from sshsched.config.reading import Schema
from sshsched.config.values import SCALAR
from sshsched.kinds.registry import Family, find, names

TEMPLATE: Final[Schema] = {"type": "string", "pattern": r"\{[{%]"}
DOTTED: Final[Schema] = {
    "type": "object",
    "properties": {"type": {"type": "string", "pattern": r"\."}},
    "required": ["type"],
}
"""A kind that is named by its module, of which a schema that everybody has knows nothing."""
_NULL: Final = {"type": "null"}
"""What is left out; a key without a value is a mistake."""
_WHEN: Final[Schema] = {"anyOf": [{"required": ["if"]}, {"required": ["on"]}]}
_ONCE: Final[Schema] = {"not": {"required": ["if", "on"]}}


def schema_of(family: Family, kind: str = "") -> Schema:
    """Of one condition or action, or a list of them; all of one kind, if that is given."""
    if kind:
        one = _kind(family, kind, known=True)
        return _or_many({"anyOf": [{"type": "string", "minLength": 1}, one]} if kind in SHORT else one)
    return _or_many({"anyOf": [*(_kind(family, name) for name in _loadable(family)), *_groups(family), DOTTED]})


def _or_many(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _loadable(family: Family) -> list[str]:
    """A package that cannot be loaded costs its own kinds only."""
    found = []
    for name in names(family):
        try:
            find(family, name)
        except ValueError:
            continue
        found.append(name)
    return found


def _kind(family: Family, name: str, *, known: bool = False) -> Schema:
    made: Schema = {**COMMON[family].schema(), "required": []}
    (own,), defs = msgspec.json.schema_components([find(family, name)], ref_template="#/$defs/{name}")
    whole = _resolved(own, defs)
    made["properties"] = {**whole["properties"], **made["properties"]}
    made["required"] = list(whole.get("required", []))
    if known:
        del made["properties"]["type"]
    else:
        made["properties"]["type"] = {"const": name}
        made["required"].append("type")
    if family == "action":
        made["allOf"] = [_ONCE] if known or name in USUAL else [_ONCE, _WHEN]
    return made


def _groups(family: Family) -> list[Schema]:
    """`{any: [...]}`."""
    if family != "condition":
        return []
    found = []
    for name in sorted(SHORT_GROUPS):
        made = _kind(family, name, known=True)
        made["properties"][name] = made["properties"].pop("of")
        found.append({**made, "required": [name]})
    return found


def _resolved(schema: Any, defs: dict[str, Any]) -> Any:
    """A schema without references, widened to what may be written."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        there = {
            name: value for name, value in defs[schema["$ref"].rpartition("/")[2]].items() if name != "description"
        }
        return _resolved({**there, **{name: value for name, value in schema.items() if name != "$ref"}}, defs)
    made: Schema = {}
    for name, value in schema.items():
        if name == "properties":
            made[name] = {key: _resolved(each, defs) for key, each in value.items()}
        elif name in ("anyOf", "oneOf", "prefixItems"):
            made[name] = [_resolved(each, defs) for each in value if each != _NULL]
        elif name in ("items", "additionalProperties"):
            made[name] = _resolved(value, defs)
        elif name not in ("title", "default"):
            made[name] = value
    return _widened(made)


def _widened(schema: Schema) -> Schema:
    told = {"description": schema["description"]} if "description" in schema else {}
    bare = {name: value for name, value in schema.items() if name != "description"}
    kind = schema.get("type")
    if "anyOf" in bare:  # beside which a type would say too much
        return {**told, "anyOf": bare["anyOf"]}
    if kind == "string" and len(bare) == 1:
        return {**told, "type": SCALAR}
    if kind == "array":
        # What may be anything, the parts of a group, is a mapping: an empty list would be anything, too.
        return {**told, "anyOf": [bare, bare.get("items") or {"type": "object"}]}
    if kind == "string" and "enum" not in bare:
        return {**told, "anyOf": [bare, {"type": SCALAR[1:]}, TEMPLATE]}  # an editor sees 2024 as a number
    if kind in ("integer", "number", "boolean") or "enum" in bare:
        return {**told, "anyOf": [bare, *_as_text(bare), TEMPLATE]}
    return schema


def _as_text(schema: Schema) -> list[Schema]:
    """Values in quotes mean the same."""
    if schema.get("type") == "boolean":
        return [{"enum": ["true", "false"]}]
    return [{"type": "string", "pattern": r"^-?[0-9.]+$"}] if schema.get("type") in ("integer", "number") else []
