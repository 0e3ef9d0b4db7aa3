"""Schedules of other people's kinds: what all schedules can be told, and the options of their own.

Rule: a kind whose options have a `tz` is given that of the schedule, or of the job's folder, as ours are.
"""

from __future__ import annotations

from typing import Final

from sshsched.config.kinded import at_path, plain
from sshsched.config.late import TZ, Where, made
from sshsched.config.nodes import Mapping, Node
from sshsched.config.options import COMMON, STOP, take_options
from sshsched.config.reading import Key, Record, present, reader
from sshsched.config.values import TEXT
from sshsched.kinds.jobs import Scheduled
from sshsched.kinds.registry import find
from sshsched.kinds.written import OptionError, fields_of, make

TYPE: Final = Key("type", TEXT, "the type of schedule", "")
_ALL: Final = Record((TYPE, TZ, *COMMON, STOP), "a schedule")


def read_kinded(kind: str, node: Mapping, where: Where) -> Scheduled:
    """A schedule of this kind, which there is. Raises UnreadableError after what is wrong has been noted."""
    problems, found = where.problems, find("schedule", kind)
    common = {name: entry for name, entry in node.entries.items() if name in _ALL.names}
    with reader(Mapping(node.line, node.column, node.path, common), _ALL, problems) as take:
        take(TYPE)
        there, options = where.within(take(TZ)), take_options(take, STOP)
    own = {name: entry.value for name, entry in node.entries.items() if name not in common}
    values = {name: plain(present(value, problems), problems) for name, value in own.items()}
    try:
        schedule = make(found, {**({"tz": there.tz} if "tz" in fields_of(found) else {}), **values})
    except OptionError as error:
        place: Node = at_path(node, error.path)
        raise problems.refuse(place, error.message) from None
    return Scheduled(schedule, made(node, problems, lambda: options(there)), node.line)
