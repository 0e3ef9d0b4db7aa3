"""The kinds that there are, by family and name: ours, those of installed packages, and a user's own.

Rule: a kind is imported when it is asked for, and not before. Our names come first; then the entry points of installed
packages, in the groups `sshsched.conditions`, `sshsched.actions`, `sshsched.schedules` and `sshsched.programs`; and a
name with dots, `my_kinds.Tide`, is a class in a module, which may lie in the `kinds/` folder of the config folder.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from sshsched.domain.nearest import unknown

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Family = Literal["condition", "action", "schedule", "program"]

FAMILIES: Final[tuple[Family, ...]] = ("condition", "action", "schedule", "program")
_HERE: Final = "sshsched.kinds"
_BASES: Final[dict[Family, str]] = {
    "condition": f"{_HERE}.conditions.base:Condition",
    "action": f"{_HERE}.actions.base:Action",
    "schedule": f"{_HERE}.schedules.base:Schedule",
    "program": f"{_HERE}.programs.base:ProgramKind",
}
_OURS: Final[dict[Family, dict[str, str]]] = {
    "condition": {
        "all": f"{_HERE}.conditions.groups:AllOf",
        "any": f"{_HERE}.conditions.groups:AnyOf",
        "command": f"{_HERE}.conditions.command:Command",
        "const": f"{_HERE}.conditions.simple:Const",
        "dependency": f"{_HERE}.conditions.dependency:Dependency",
        "file": f"{_HERE}.conditions.file:File",
        "host_up": f"{_HERE}.conditions.simple:HostUp",
        "manual": f"{_HERE}.conditions.simple:Manual",
        "max_running": f"{_HERE}.conditions.running:MaxRunning",
        "n_of": f"{_HERE}.conditions.groups:NOf",
        "skip_duplicate": f"{_HERE}.conditions.running:SkipDuplicate",
        "time_window": f"{_HERE}.conditions.window:TimeWindow",
    },
    "action": {
        "exec": f"{_HERE}.actions.exec:Exec",
        "notify": f"{_HERE}.actions.notify:Notify",
        "schedule": f"{_HERE}.actions.schedule:Schedule",
    },
    "schedule": {
        "cron": f"{_HERE}.schedules.cron:Cron",
        "daily": f"{_HERE}.schedules.daily:Daily",
        "daily_interval": f"{_HERE}.schedules.daily_interval:DailyInterval",
        "every": f"{_HERE}.schedules.every:Every",
        "once": f"{_HERE}.schedules.once:Once",
    },
    "program": {},
}


class KindError(ValueError):
    """A kind cannot be loaded; the text names it and the reason."""


class NoKindError(KindError):
    """There is no such kind here; the text names the nearest that there is."""


class _Own:
    """The folder of a user's own kinds: one for the process, as the modules in it are."""

    folder: str | None = None


def look_in(folder: str | None) -> None:
    """Where a user's own modules lie: the `kinds/` folder of the config folder. Not touched before one is named."""
    if folder != _Own.folder and _Own.folder in sys.path:
        sys.path.remove(_Own.folder)
    _Own.folder = folder
    find.cache_clear()


def names(family: Family) -> list[str]:
    """All short names of a family, those of installed packages too."""
    return sorted({*_OURS[family], *(point.name for point in _points(family))})


@cache
def find(family: Family, name: str) -> type[Any]:
    """The class of a kind. Raises KindError, with the nearest name, if there is none or it cannot be loaded."""
    if place := _OURS[family].get(name):
        return _loaded(family, name, place)
    points = [point for point in _points(family) if point.name == name]
    if len({point.value for point in points}) > 1:
        owners = " and ".join(sorted(point.dist.name if point.dist else point.value for point in points))
        raise KindError(f"{name!r} is a {family} of {owners}; remove one, or write its place: package.module.Class")
    if points:
        return _loaded(family, name, points[0].value)
    module, dot, attribute = name.rpartition(".")
    if dot:
        if _Own.folder is not None and _Own.folder not in sys.path:
            sys.path.append(_Own.folder)
        return _loaded(family, name, f"{module}:{attribute}")
    raise NoKindError(unknown(name[:60], names(family)))


def _points(family: Family) -> list[EntryPoint]:
    from importlib.metadata import entry_points  # slow to import, and most folders have our kinds only

    return list(entry_points(group=f"sshsched.{family}s"))


def _loaded(family: Family, name: str, place: str) -> type[Any]:
    base = _at(_BASES[family])
    try:
        found = _at(place)
    except ModuleNotFoundError as error:
        missing = error.name is not None and f"{place.partition(':')[0]}.".startswith(f"{error.name}.")
        kind = NoKindError if missing else KindError
        raise kind(f"{name!r} cannot be loaded from {place}: {error}") from error
    except Exception as error:  # an import runs code of others, which may raise anything
        raise KindError(f"{name!r} cannot be loaded from {place}: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise KindError(f"{name!r} is no {family}: {place} is not a subclass of {base.__module__}.{base.__name__}")
    return found


def _at(place: str) -> Any:
    module, _, attribute = place.partition(":")
    found: Any = import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found
