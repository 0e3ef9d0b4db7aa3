"""`retention:` of a job and of config.yaml: how long runs are kept."""

from __future__ import annotations

from typing import Final

from sshsched.config.nodes import Node, Problems
from sshsched.config.reading import Key, Record, Schema, reader
from sshsched.config.values import Duration, Integer, OneOf, Size
from sshsched.domain.retention import Retention, Then

MOST_RUNS: Final = 1_000_000_000

AGE: Final = Key[float | None]("age", Duration(), "runs that ended longer ago than this go", None)
COUNT: Final = Key[int | None]("count", Integer(1, MOST_RUNS), "so many of the newest runs stay", None)
SIZE: Final = Key[int | None]("size", Size(), "so much output of the newest runs stays", None)
THEN: Final = Key("then", OneOf(tuple(Then), "end of a run; write archive or delete"), "archive or delete", "archive")
LIMITS: Final = Record((AGE, COUNT, SIZE, THEN), "how long runs are kept: a run goes once it is beyond any of these")


class Limits:
    """`{age: 90d, count: 1000, size: 10GB, then: archive}`, of which one limit is enough."""

    def read(self, node: Node, problems: Problems) -> Retention:
        with reader(node, LIMITS, problems) as take:
            age, count, size, then = take(AGE), take(COUNT), take(SIZE), take(THEN)
        found = Retention(age, count, size, Then(then))
        if found.unlimited:
            raise problems.refuse(node, "needs at least one of age, count and size, as in {age: 90d}")
        return found

    def schema(self) -> Schema:
        return {**LIMITS.schema(), "anyOf": [{"required": [name]} for name in ("age", "count", "size")]}


RETENTION: Final = Key[Retention | None]("retention", Limits(), "how long runs are kept, as in {age: 90d}", None)
