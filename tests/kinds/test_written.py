"""Options as they are written become a kind's instance, or one line that says which one is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from sshsched.kinds.written import Bytes, OptionError, Seconds, make, size


class Kind(Struct, frozen=True, kw_only=True):
    """One field of each sort."""

    job: str
    count: Annotated[int, Meta(ge=1)] = 1
    margin: Annotated[Seconds, Meta(description="how long before")] = 60.0
    within: Annotated[Seconds | None, Meta(description="how old at most")] = None
    least: Bytes | None = None
    states: tuple[str, ...] = ()
    args: Mapping[str, str] | Literal["any"] = "any"
    exists: bool = True


@dataclass(frozen=True)
class Plain:
    """A kind of schedule is a dataclass."""

    every: Seconds = 60.0


class Bare(Struct, frozen=True):
    """Nothing can be said of it."""


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ({"count": "3"}, "count", 3),
        ({"margin": "10m"}, "margin", 600.0),
        ({"margin": "1.5"}, "margin", 1.5),
        ({"margin": 5}, "margin", 5.0),
        ({"within": "1h30m"}, "within", 5400.0),
        ({"within": None}, "within", None),
        ({"least": "10kB"}, "least", 10_000),
        ({"least": 7}, "least", 7),
        ({"states": "success"}, "states", ("success",)),
        ({"states": ["success", "failure"]}, "states", ("success", "failure")),
        ({"args": {"date": "2026-01-01"}}, "args", {"date": "2026-01-01"}),
        ({"exists": "false"}, "exists", False),
        ({"job": "012"}, "job", "012"),
    ],
)
def test_texts_become_what_their_field_is(written: dict[str, Any], field: str, value: object) -> None:
    """A text is read as what its field is declared to be, and what has its type already stays as it is."""
    made = make(Kind, {"job": "load", **written})

    assert value == getattr(made, field)


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ({"cuont": "1"}, "", "unknown 'cuont'; did you mean 'count'?"),
        ({"count": "many"}, "count", "expected a whole number, got a text"),
        ({"count": "0"}, "count", "expected a whole number >= 1"),
        ({"margin": "5 parsecs"}, "margin", "'5 parsecs' is no duration; write 90s, 15m, 2h or 1d"),
        ({"within": "soon"}, "within", "'soon' is no duration; write 90s, 15m, 2h or 1d"),
        ({"least": "big"}, "least", "'big' is no size; write 4096, 10kB or 1.5MiB"),
        ({"exists": "maybe"}, "exists", "expected true or false, got a text"),
    ],
)
def test_what_is_wrong_is_named(written: dict[str, Any], path: str, message: str) -> None:
    """A wrong option is named with its key, and with the remedy where there is one."""
    with pytest.raises(OptionError) as caught:
        make(Kind, {"job": "load", **written})

    assert (path, message) == (caught.value.path, caught.value.message)


def test_a_key_that_must_be_there() -> None:
    """A field without a default must be given."""
    with pytest.raises(OptionError, match=r"^the key 'job' is missing$"):
        make(Kind, {})


def test_a_kind_without_options() -> None:
    """Where nothing can be said, nothing is suggested."""
    with pytest.raises(OptionError, match=r"^unknown 'x'; it has no options$"):
        make(Bare, {"x": "1"})


def test_dataclasses_are_read_alike() -> None:
    """A third party's schedule, which is a dataclass, is read as strictly as a Struct."""
    with pytest.raises(OptionError, match=r"^unknown 'evry'; did you mean 'every'\?$"):
        make(Plain, {"evry": "1h"})

    assert Plain(3600.0) == make(Plain, {"every": "1h"})


class Broken(Struct, frozen=True):
    """Its constructor has a mistake."""

    port: str = ""

    def __post_init__(self) -> None:
        raise KeyError(self.port)


class Undeclared(Struct, frozen=True):
    """Its fields make no sense."""

    port: Annotated[str, Meta(ge=3)] = ""


class Odd:
    """Neither a Struct nor a dataclass."""


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Broken, "Broken: KeyError: 'x'"),
        (Undeclared, "Undeclared is not declared as a kind should be: Can only set `ge`"),
        (Odd, "Odd is neither a Struct nor a dataclass"),
    ],
)
def test_a_kind_with_a_mistake(kind: type, message: str) -> None:
    """A mistake in a kind is one line about that kind, whatever it is."""
    with pytest.raises(OptionError, match=f"^{message}"):
        make(kind, {"port": "x"})


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("4096", 4096), ("1kB", 1000), ("1 KiB", 1024), ("1.5MiB", 1_572_864), ("2g", 2 * 10**9)],
)
def test_sizes(text: str, count: int) -> None:
    """Sizes are powers of 1000, and of 1024 with an i."""
    assert count == size(text)
