"""From options as they are written, in YAML or in a stored run, to a kind's instance.

Rule: a text becomes what its field is declared to be: a number, true or false, a duration (`Seconds`: 90s, 15m), a size
(`Bytes`: 10MB), or a list of that one text. Every key is known or an error with the nearest one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_type_hints

import msgspec
from msgspec import Meta, inspect

from sshsched.domain.nearest import unknown
from sshsched.kinds.durations import PATTERN, duration

T = TypeVar("T")

_SECONDS: Final = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": PATTERN}]}
_TYPES: Final = re.compile(r"`([a-z| ]+)`")
_PLAIN: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a mapping",
    "array": "a list",
}
_SIZE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) *(?:([kmgt]?)(i?)b?)", re.IGNORECASE | re.ASCII)
_BYTES: Final = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]"}]}

Seconds = Annotated[float, Meta(ge=0, extra={"unit": "s"}, extra_json_schema=_SECONDS)]
"""A duration: a number of seconds, written `90`, `90s`, `15m` or `1h30m`."""

Bytes = Annotated[int, Meta(ge=0, extra={"unit": "B"}, extra_json_schema=_BYTES)]
"""A size, written `4096`, `10kB`, `1.5MiB`."""


class OptionError(ValueError):
    """An option is missing, unknown or wrong. `path` is the key that is meant; empty if it is the whole."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


def make(kind: type[T], options: Mapping[str, Any]) -> T:
    """An instance of a kind (a msgspec Struct or a dataclass). Raises OptionError, and nothing else."""
    fields = fields_of(kind)
    for name in options:
        if name not in fields:
            raise OptionError("", unknown(name[:60], fields) if fields else f"unknown {name[:60]!r}; it has no options")
    for name, field in fields.items():
        if field.required and name not in options:
            raise OptionError("", f"the key '{name}' is missing")
    values = {name: _value(name, fields[name].type, value) for name, value in options.items()}
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(error) from None
    except Exception as error:  # a constructor is of others' making, too
        raise OptionError("", f"{kind.__qualname__}: {type(error).__name__}: {error}") from error


def option(kind: type[Any], name: str, value: Any) -> Any:
    """One option by itself, as its field is declared. Raises OptionError."""
    field = fields_of(kind)[name]
    value = _value(name, field.type, value)
    try:
        return msgspec.convert(value, _hints(kind)[field.name], strict=False)
    except msgspec.ValidationError as error:
        raise _refused(error, name) from None


def _refused(error: msgspec.ValidationError, above: str = "") -> OptionError:
    message, _, path = str(error).partition(" - at `$")
    plain = _TYPES.sub(lambda types: " or ".join(_PLAIN.get(each, each) for each in types[1].split(" | ")), message)
    return OptionError((above + path.rstrip("`")).lstrip("."), f"{plain[:1].lower()}{plain[1:]}")


def size(text: str) -> int:
    """Bytes; k, M, G and T are powers of 1000, and with an i of 1024. Raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text[:60]}' is no size; write 4096, 10kB or 1.5MiB")
    power = " kmgt".index(match[2].lower() or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def fields_of(kind: Any) -> dict[str, inspect.Field]:
    """The options of a kind, by name."""
    return _fields(kind)


@cache
def _fields(kind: Any) -> dict[str, inspect.Field]:
    try:
        info = inspect.type_info(kind)
        if isinstance(info, inspect.StructType | inspect.DataclassType):
            return {field.encode_name: field for field in info.fields}
    except Exception as error:
        raise OptionError("", f"{kind.__qualname__} is not declared as a kind should be: {error}") from error
    raise OptionError("", f"{kind.__qualname__} is neither a Struct nor a dataclass, so no options can be read for it")


def _hints(kind: Any) -> dict[str, Any]:
    return _all_hints(kind)


@cache
def _all_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _value(name: str, declared: inspect.Type, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    unit, bare = _meaning(declared)
    try:
        if unit == "s":
            return duration(value)
        if unit == "B":
            return size(value)
    except ValueError as error:
        raise OptionError(name, str(error)) from None
    return (value,) if isinstance(bare, inspect.VarTupleType | inspect.ListType) else value


def _meaning(declared: inspect.Type) -> tuple[str, inspect.Type]:
    """The unit of a field, if it has one, and its type without notes and without None."""
    if isinstance(declared, inspect.Metadata):
        unit, bare = _meaning(declared.type)
        return (declared.extra or {}).get("unit", unit), bare
    if isinstance(declared, inspect.UnionType):
        others = [each for each in declared.types if not isinstance(each, inspect.NoneType)]
        if len(others) == 1:
            return _meaning(others[0])
    return "", declared
