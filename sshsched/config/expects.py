"""`expect:` of a job: by when its runs must have succeeded, on which dates, and who is told if none has.

::

    expect: {success_by: "08:00", tz: Europe/Berlin, calendar: workdays, notify: me@example.com}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sshsched.config.decisions import Actions, PlacedDeed
from sshsched.config.late import DAYTIME, TZ, LateText, Placed, Where
from sshsched.config.nodes import Listing, Node, UnreadableError
from sshsched.config.reading import Key, Record, Schema, present, reader
from sshsched.kinds.jobs import Expect

ABSENT: Final = ("absent",)

SUCCESS_BY: Final = Key("success_by", DAYTIME, "the time of day by which a run must have succeeded")
CALENDAR: Final = Key[Placed | None]("calendar", LateText(), "the dates: Mon-Fri, a calendar; else every day", None)
NOTIFY: Final = Key[tuple[PlacedDeed, ...]](
    "notify", Actions("notify", ABSENT), "who is told; else as in config.yaml", ()
)
EXPECT: Final = Record(
    (SUCCESS_BY, TZ, CALENDAR, NOTIFY),
    "by when a run must have succeeded",
    {
        **dict.fromkeys(("by", "before", "daytime"), "here it is called 'success_by'"),
        "timezone": "here it is called 'tz'",
    },
)


def read_expects(node: Node, where: Where) -> Iterator[Expect]:
    """Each good one; what is wrong with the others is noted."""
    nodes = node.items if isinstance(node, Listing) else [node]
    if not nodes:
        where.problems.add(node, "is an empty list; take the key out, or write at least one item")
    for each in nodes:
        try:
            yield _read(present(each, where.problems), where)
        except UnreadableError:
            continue


def _read(node: Node, where: Where) -> Expect:
    with reader(node, EXPECT, where.problems) as take:
        at, tz, dates, told = take(SUCCESS_BY), take(TZ), take(CALENDAR), take(NOTIFY)
    there = where.within(tz)
    return Expect(at, there.tz, there.calendar(dates), tuple(deed for deed, _ in told), node.line)


def expects_schema() -> Schema:
    """The JSON Schema of `expect:`."""
    one = EXPECT.schema()
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
