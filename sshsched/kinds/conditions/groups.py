"""Conditions made of others: all of them, any of them, or so many of them.

Rule: a part is asked as if it stood alone. Parts that can never hold make an end only where too few others are left.

::

    condition: {any: [{type: dependency, job: load/eu}, {type: dependency, job: load/us}]}
    condition: {type: n_of, n: 2, of: [{type: host_up, host: a}, {type: host_up, host: b}, {type: host_up, host: c}]}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import force_setattr

from sshsched.domain.model import Run
from sshsched.domain.view import Answer, Never, Probe, Ready, View, Wait
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.registry import find
from sshsched.kinds.written import OptionError, make

Parts = Annotated[tuple[Any, ...], Meta(min_length=1, description="conditions, each with its type and options")]


def split(written: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind and the options of a condition as it is written; `{any: [...]}` is short for `type: any`.

    Raises ValueError.
    """
    options = dict(written)
    if isinstance(kind := options.pop("type", None), str):
        return kind, options
    if len(options) == 1 and (short := next(iter(options))) in ("all", "any"):
        return short, {"of": options[short]}
    raise ValueError("the key 'type' is missing: which kind of condition it is")


class _Group(Condition, frozen=True, kw_only=True):
    of: Parts

    def __post_init__(self) -> None:
        force_setattr(self, "of", tuple(_part(index, part) for index, part in enumerate(self.of)))

    def targets(self, run_args: Mapping[str, str]) -> Iterable[tuple[str, Mapping[str, str]]]:
        return (target for part in self.of for target in part.targets(run_args))

    def remembers(self) -> Iterable[tuple[str, float]]:
        return (each for part in self.of for each in part.remembers())

    def _least(self, needed: int, run: Run, view: View, at: float) -> Answer:
        return at_least(needed, [part.ask(run, view, at) for part in self.of], view)


class AllOf(_Group, frozen=True, kw_only=True):
    """Every one of them holds."""

    def ask(self, run: Run, view: View, at: float) -> Answer:
        return self._least(len(self.of), run, view, at)


class AnyOf(_Group, frozen=True, kw_only=True):
    """One of them holds."""

    def ask(self, run: Run, view: View, at: float) -> Answer:
        return self._least(1, run, view, at)


class NOf(_Group, frozen=True, kw_only=True):
    """So many of them hold."""

    n: Annotated[int, Meta(ge=1, description="how many of them have to hold")]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n > len(self.of):
            raise ValueError(f"n: {self.n} of {len(self.of)} can never hold; name more of them, or fewer under 'n'")

    def ask(self, run: Run, view: View, at: float) -> Answer:
        return self._least(self.n, run, view, at)


def at_least(needed: int, answers: Sequence[Answer], view: View) -> Answer:
    """What so many answers make if at least so many of them have to be yes."""
    waits = [answer for answer in answers if isinstance(answer, Wait)]
    nevers = [answer for answer in answers if isinstance(answer, Never)]
    missing = needed - (len(answers) - len(waits) - len(nevers))
    if missing <= 0:
        return Ready()
    if missing > len(waits):
        return Never("; ".join(never.why for never in nevers), nevers[0].state)
    return Wait(
        _why(missing, waits),
        tuple(dict.fromkeys(key for wait in waits for key in wait.on)),
        min((wait.until for wait in waits if wait.until is not None), default=None),
        _first([wait.probe for wait in waits if wait.probe is not None], view),
    )


def _why(missing: int, waits: list[Wait]) -> str:
    if missing == len(waits):
        return waits[0].why if missing == 1 else f"{waits[0].why} (and {missing - 1} more)"
    listed = "; or ".join(wait.why for wait in waits)
    return listed if missing == 1 else f"{missing} of these: {listed}"


def _first(probes: Iterable[Probe], view: View) -> Probe | None:
    """One is asked at a time: a host that answers goes before one that has to be waited for."""
    return min(probes, key=lambda probe: not _up(probe.host, view), default=None)


def _up(host: str, view: View) -> bool:
    return (known := view.hosts.get(host)) is not None and known.up


def _part(index: int, part: Any) -> Condition:
    if isinstance(part, Condition):
        return part
    if not isinstance(part, Mapping):
        raise ValueError(f"of[{index}]: {part!r} is no condition; write its type and options")
    try:
        kind, options = split(part)
        made: Condition = make(find("condition", kind), options)
    except OptionError as error:
        raise ValueError(f"of[{index}]{'.' if error.path else ': '}{error}") from None
    except ValueError as error:
        raise ValueError(f"of[{index}]: {error}") from None
    return made
