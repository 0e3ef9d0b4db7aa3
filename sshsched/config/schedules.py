"""`schedule:` of a job: when its runs are due, in the short and in the long forms.

Rule: what each type can be told is declared once, as a Record beside the function that takes its keys.

::

    schedule: "30 3 * * *"                                  # also @daily, @reboot, every 15m
    schedule: {cron: "30 3 * * *", tz: Europe/Berlin, jitter: 10m}
    schedule:
      - {type: daily, daytime: "09:30", calendar: Mon-Fri}
      - {type: once, at: 2026-12-24T18:00}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sshsched.config.kinded_schedules import TYPE, read_kinded
from sshsched.config.late import DAYTIME, TZ, LateText, Placed, Where, made
from sshsched.config.nodes import Listing, Mapping, Node, Problems, Text, UnreadableError, shown
from sshsched.config.options import COMMON, STOP, STOP_RUN, take_options
from sshsched.config.reading import Key, Record, Schema, Take, present, read_text, reader
from sshsched.config.values import Duration, Integer, Many
from sshsched.domain.nearest import suggest
from sshsched.kinds.durations import duration
from sshsched.kinds.jobs import Param, Scheduled
from sshsched.kinds.options import Options
from sshsched.kinds.registry import KindError, NoKindError, find, names
from sshsched.kinds.schedules.base import Schedule
from sshsched.kinds.schedules.cron import NAMED, cron
from sshsched.kinds.schedules.daily import MOST_DATES, MOST_DAYS, Daily, Shift
from sshsched.kinds.schedules.daily_interval import Bound, DailyInterval
from sshsched.kinds.schedules.every import Every
from sshsched.kinds.schedules.once import Once

Maker = Callable[[Where], Schedule]

CRON: Final = Key("cron", LateText(), "five fields, @daily and the like, or @reboot")
EVERY: Final = Key("every", Duration(), "the interval, counted from 1970-01-01T00:00Z")
PHASE: Final = Key("phase", Duration(zero=True), "how much later than the full intervals", 0.0)
AT: Final = Key[tuple[Placed, ...]]("at", Many(LateText()), "the times, like 2026-12-24T18:00")
DAYTIMES: Final = Key("daytime", Many(DAYTIME), "times of day, like 09:30")
CALENDAR: Final = Key[Placed | None]("calendar", LateText(), "the dates: Mon-Fri, a calendar, a except b", None)
CAL_SHIFT: Final = Key("cal_shift", Integer(-MOST_DATES, MOST_DATES), "so many dates of the calendar later", 0)
DATE_SHIFT: Final = Key("date_shift", Integer(-MOST_DAYS, MOST_DAYS), "and then so many days later", 0)
BOUND_AT: Final = Key("daytime", DAYTIME, "the time of day")
BOUND: Final = Record((BOUND_AT, CAL_SHIFT, DATE_SHIFT), "a time of day, on the date or near it")


class Edge:
    """A bound of a daily interval: a time of day, or one with shifts."""

    def read(self, node: Node, problems: Problems) -> Bound:
        if isinstance(node, Text):
            return Bound(DAYTIME.read(node, problems))
        with reader(node, BOUND, problems) as take:
            at, cal_shift, date_shift = take(BOUND_AT), take(CAL_SHIFT), take(DATE_SHIFT)
        return Bound(at, Shift(cal_shift, date_shift))

    def schema(self) -> Schema:
        return {"anyOf": [DAYTIME.schema(), BOUND.schema()]}


START_AT: Final = Key("start", Edge(), "the time of day of the first run")
STOP_AT: Final = Key("stop", Edge(), "the time of day before which the last run is")
STEP: Final = Key("interval", Duration(), "the time from one run to the next")


def _cron(take: Take) -> Maker:
    expression = take(CRON)

    def make(where: Where) -> Schedule:
        zoned = expression.text.lstrip().startswith(("CRON_TZ=", "TZ="))
        if zoned and not where.usual:
            raise where.problems.refuse(expression.node, "the time zone stands here and under 'tz'; keep one")
        return made(expression.node, where.problems, lambda: cron(expression.text, where.tz))

    return make


def _every(take: Take) -> Maker:
    interval, phase = take(EVERY), take(PHASE)
    return lambda _: Every(interval, phase)


def _once(take: Take) -> Maker:
    times = take(AT)
    return lambda where: Once(tuple(where.moment(placed) for placed in times), where.tz)


def _daily(take: Take) -> Maker:
    daytimes, dates, cal_shift, date_shift = take(DAYTIMES), take(CALENDAR), take(CAL_SHIFT), take(DATE_SHIFT)
    return lambda where: Daily(where.tz, daytimes, where.calendar(dates), Shift(cal_shift, date_shift))


def _daily_interval(take: Take) -> Maker:
    start, stop, step, dates = take(START_AT), take(STOP_AT), take(STEP), take(CALENDAR)
    return lambda where: DailyInterval(where.tz, start, stop, step, where.calendar(dates))


def _record(help: str, *keys: Key[Any], stop: Key[Any] = STOP, **elsewhere: str) -> Record:
    words = {"timezone": "tz", "time_zone": "tz", **elsewhere}
    answers = {word: f"here it is called '{name}'" for word, name in words.items()}
    return Record((TYPE, TZ, *keys, *COMMON, stop), help, answers)


TAKERS: Final = {"cron": _cron, "every": _every, "daily": _daily, "daily_interval": _daily_interval, "once": _once}
RECORDS: Final = {
    "cron": _record("a cron expression", CRON, expression="cron"),
    "every": _record("a fixed interval", EVERY, PHASE, interval="every"),
    "daily": _record(
        "times of day on dates of a calendar",
        DAYTIMES,
        CALENDAR,
        CAL_SHIFT,
        DATE_SHIFT,
        daytimes="daytime",
        at="daytime",
    ),
    "daily_interval": _record(
        "every so often during a part of the day", START_AT, STOP_AT, STEP, CALENDAR, stop=STOP_RUN, every="interval"
    ),
    "once": _record("times that are written down", AT, times="at", time="at"),
}
SHORT: Final = ("cron", "every")
"""Types that their main key tells, so that `type` can be left out."""
ALIASES: Final = {
    "crontab": "cron",
    "interval": "every",
    "daily-interval": "daily_interval",
    "explicit": "once",
}
"""Names that Apsis has for the same."""

Read = tuple[Scheduled, Node]


def read_schedules(node: Node, where: Where) -> Iterator[Read]:
    """Each good schedule of a job with its place; what is wrong with the others is noted."""
    nodes = node.items if isinstance(node, Listing) else [node]
    if not nodes:
        where.problems.add(node, "is an empty list; take the key out, or write at least one schedule")
    for each in nodes:
        try:
            yield _read(present(each, where.problems), where), each
        except UnreadableError:
            continue


def _read(node: Node, where: Where) -> Scheduled:
    problems = where.problems
    if isinstance(node, Text):
        return Scheduled(made(node, problems, lambda: _short(node.text, where.tz)), Options(), node.line)
    if not isinstance(node, Mapping):
        raise problems.refuse(node, f"{node.what} stands where a schedule should be, like @daily or every 15m")
    kind = _type(node, problems)
    if kind not in RECORDS:
        return read_kinded(kind, node, where)
    with reader(node, RECORDS[kind], problems) as take:
        take(TYPE)
        there = where.within(take(TZ))
        schedule, options = TAKERS[kind](take), take_options(take, STOP_RUN if kind == "daily_interval" else STOP)
    return Scheduled(
        made(node, problems, lambda: schedule(there)), made(node, problems, lambda: options(there)), node.line
    )


def _short(text: str, tz: str) -> Schedule:
    """`every 15m`, or what cron knows. Raises ValueError."""
    text = text.strip()
    first, _, rest = text.partition(" ")
    if first in ("every", "@every"):
        return Every(duration(rest))
    if f"@{text}" in NAMED:
        raise ValueError(f"{text!r} is no schedule; write @{text}")
    return cron(text, tz)


def _type(node: Mapping, problems: Problems) -> str:
    """The type that is written there, or that follows from a key `cron` or `every`."""
    entry = node.entries.get("type")
    if entry is None:
        if found := [name for name in SHORT if name in node.entries]:
            return found[0]
        raise problems.refuse(node, f"the key 'type' is missing; known: {', '.join(RECORDS)}")
    text = read_text(present(entry.value, problems), problems, "a type of schedule")
    kind = ALIASES.get(text, text)
    if kind not in RECORDS:
        _check_kind(text, entry.value, problems)
    return kind


def _check_kind(name: str, node: Node, problems: Problems) -> None:
    """Whether somebody else has such a kind: an installed package, or the user."""
    try:
        find("schedule", name)
    except NoKindError as error:
        known = f": {error}" if "." in name else suggest(name, [*RECORDS, *names("schedule")], ALIASES)
        raise problems.refuse(node, f"unknown type {shown(name)}{known}") from None
    except KindError as error:
        raise problems.refuse(node, str(error)) from None


def check_args(found: list[Read], params: tuple[Param, ...], problems: Problems) -> None:
    """Note what a job's params and the args of its schedules do not agree on."""
    known = {param.name: param for param in params}
    for scheduled, node in found:
        given = scheduled.options.args
        entries = node.entries["args"].value if isinstance(node, Mapping) and given else None
        for name, entry in entries.entries.items() if isinstance(entries, Mapping) else ():
            if name not in known:
                problems.add(entry.key, f"the job has no such param{suggest(name, list(known))}")
            elif known[name].choices and given[name] not in known[name].choices:
                problems.add(entry.value, f"{shown(given[name])} is not among {', '.join(known[name].choices)}")
        for param in params:
            if param.default is None and param.name not in given and param.name not in scheduled.schedule.gives:
                message = f"gives no value to the param '{param.name}', which has no default; add it under 'args'"
                problems.add(node, message)


def schedules_schema() -> Schema:
    """The JSON Schema of `schedule:`."""
    short: Schema = {"type": "string", "pattern": r"\S"}
    others: Schema = {
        "type": "object",
        "properties": {"type": {"not": {"enum": [*RECORDS, *ALIASES]}}},
        "required": ["type"],
    }
    one: Schema = {"anyOf": [short, *map(_schema, RECORDS), others]}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _schema(kind: str) -> Schema:
    made = RECORDS[kind].schema()
    made["properties"]["type"] = {"enum": [kind, *(alias for alias, name in ALIASES.items() if name == kind)]}
    if kind not in SHORT:
        made["required"].append("type")
    return made
