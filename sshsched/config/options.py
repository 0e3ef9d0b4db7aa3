"""What every schedule can be told besides its times, as job files say it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Final

from sshsched.config.late import DAYTIME, TZ, LateText, Placed, Where, made
from sshsched.config.nodes import Node, Problems, Text
from sshsched.config.params import NAME, WANTED
from sshsched.config.reading import Key, Record, Schema, Take, reader
from sshsched.config.values import TEXT, Duration, OneOf, Pairs, Truth
from sshsched.kinds.options import CATCH_UP, CatchUp, Options, Policy, StopAfter, StopAt, Valid

StopRule = StopAfter | tuple[time, str | None]
"""After a duration; or at a time of day, whose zone is the schedule's if none is given."""

FOR: Final = Key[float | None]("duration", Duration(), "so long after the scheduled time", None)
UNTIL_DAYTIME: Final = Key[time | None]("daytime", DAYTIME, "when clocks next show this", None)
STOP_RECORD: Final = Record((FOR, UNTIL_DAYTIME, TZ), "when a run's program is stopped")


class _Stop:
    """`30m`, `{duration: 30m}` or `{daytime: "17:00", tz: Europe/Berlin}`."""

    def read(self, node: Node, problems: Problems) -> StopRule:
        if isinstance(node, Text):
            return made(node, problems, lambda: StopAfter(Duration().read(node, problems)))
        with reader(node, STOP_RECORD, problems) as take:
            duration, at, tz = take(FOR), take(UNTIL_DAYTIME), take(TZ)
        if at is not None and duration is None:
            return at, tz
        if at is not None or duration is None:
            raise problems.refuse(node, 'needs one of duration and daytime: {duration: 30m} or {daytime: "17:00"}')
        if tz is not None:
            raise problems.refuse(node, "a duration needs no 'tz'; take it out")
        return made(node, problems, lambda: StopAfter(duration))

    def schema(self) -> Schema:
        either = {"oneOf": [{"required": ["duration"]}, {"required": ["daytime"]}]}
        dependent = {"dependentRequired": {"tz": ["daytime"]}}
        return {"anyOf": [Duration().schema(), {**STOP_RECORD.schema(), **either, **dependent}]}


class _WholeSeconds:
    """A duration without fractions."""

    def read(self, node: Node, problems: Problems) -> int:
        seconds = Duration(zero=True).read(node, problems)
        if seconds != int(seconds):
            raise problems.refuse(node, f"{seconds:g} s is no whole number of seconds; leave the fraction out")
        return int(seconds)

    def schema(self) -> Schema:
        return Duration(zero=True).schema()


FROM: Final = Key[Placed | None]("from", LateText(), "nothing before this time", None)
UNTIL: Final = Key[Placed | None]("until", LateText(), "nothing from this time on", None)
VALID_RECORD: Final = Record((FROM, UNTIL), "the time within which the schedule counts")


class _Valid:
    """`{from: 2026-01-01, until: 2027-01-01}`, of which one is enough."""

    def read(self, node: Node, problems: Problems) -> tuple[Placed | None, Placed | None]:
        with reader(node, VALID_RECORD, problems) as take:
            begin, until = take(FROM), take(UNTIL)
        return begin, until

    def schema(self) -> Schema:
        return VALID_RECORD.schema()


_STOP_HELP: Final = "when a run's program is stopped: so long after the scheduled time, or at a time of day"
ARGS: Final = Key("args", Pairs(NAME, WANTED, TEXT), "args of its runs", {})
ENABLED: Final = Key("enabled", Truth(), "false: it makes no runs", True)
JITTER: Final = Key("jitter", _WholeSeconds(), "each run is up to so much later, always by the same", 0)
CATCH: Final = Key(
    "catch_up", OneOf(tuple(Policy), "policy"), "which runs are made up for that no scheduler was there for", "latest"
)
MAX_AGE: Final = Key[float | None]("max_age", Duration(), "what is later than this is never made up for", None)
VALID: Final = Key[tuple[Placed | None, Placed | None]](
    "valid", _Valid(), "the time within which the schedule counts", (None, None)
)
STOP: Final = Key[StopRule | None]("stop", _Stop(), _STOP_HELP, None)
STOP_RUN: Final = Key[StopRule | None]("stop_run", _Stop(), _STOP_HELP, None)
"""In a daily_interval, whose `stop` is the end of its part of the day."""
COMMON: Final = (ARGS, ENABLED, JITTER, CATCH, MAX_AGE, VALID)


def take_options(take: Take, stop: Key[StopRule | None]) -> Callable[[Where], Options]:
    """Takes the keys; what comes back makes the options, and raises ValueError for what does not fit together."""
    args, enabled, jitter, valid = take(ARGS), take(ENABLED), take(JITTER), take(VALID)
    policy, max_age, rule = take(CATCH), take(MAX_AGE), take(stop)

    def make(where: Where) -> Options:
        begin, until = (None if placed is None else where.moment(placed) for placed in valid)
        late = CatchUp(Policy(policy), max_age)
        return Options(
            args=args,
            enabled=enabled,
            jitter=jitter,
            valid=Valid(begin, until),
            stop=StopAt(rule[0], rule[1] or where.tz) if isinstance(rule, tuple) else rule,
            catch_up=CATCH_UP if late == CATCH_UP else late,
        )

    return make
