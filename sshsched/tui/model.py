"""What the screen knows: a row per run, and the hosts, folded from snapshots, changes and pages of the past.

Rule: pure. Updates are keyed by run, so hearing something twice, or late, changes nothing; time is an argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

Shape = dict[str, Any]

COMING = "scheduled"
ON_HOST = frozenset({"starting", "running", "stopping"})
ENDED = frozenset({"success", "failure", "error", "skipped"})


class Command(NamedTuple):
    """What runs, as far as lists and filters ask."""

    command: str | None = None
    argv: Sequence[str] = ()

    @property
    def line(self) -> str:
        """As one would type it."""
        if self.command is not None:
            return self.command
        import shlex

        return shlex.join(self.argv)


NOTHING = Command()


@dataclass(slots=True, eq=False)
class Row:
    """A run as lists show it, or a planned one, whose id is negative. Times are seconds since 1970, None is unknown.

    Fields are called as those of `domain.model.Run`, so that one filter matches both.
    """

    id: int
    state: str
    host: str
    created_at: float
    program: Command = NOTHING
    job_id: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""
    message: str = ""
    schedule_time: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    unreachable_since: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    cause: str | None = None
    rerun_of: int | None = None
    root: int | None = None
    step: str = ""
    held: str = ""
    survivors: tuple[int, ...] = ()
    output_lost: bool = False
    stdout: int = 0
    stderr: int = 0

    @property
    def planned(self) -> bool:
        """Whether it is no run yet, but a time of a schedule that is still to come."""
        return self.id < 0

    @property
    def name(self) -> str:
        """r12; empty for what is only planned."""
        return "" if self.planned else f"r{self.id}"

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def due_at(self) -> float:
        return self.created_at if self.schedule_time is None else self.schedule_time

    @property
    def when(self) -> float:
        """The time that it stands at: begun, due, or made."""
        return self.started_at or self.due_at

    def took(self, now: float) -> float | None:
        """Seconds from its start to its end, or to `now`; None before the start, or where it is unknown."""
        if self.started_at is None or (self.ended and self.finished_at is None):
            return None
        return max(0.0, (self.finished_at or now) - self.started_at)

    def late(self, now: float) -> float | None:
        """Seconds between the time it was due and its start, or `now` while it has not begun; None if never due."""
        if self.schedule_time is None or (self.started_at is None and self.ended):
            return None
        return (self.started_at or now) - self.schedule_time


def row(shape: Shape) -> Row:
    """A run's shape as a row."""
    program = shape["program"]
    return Row(
        int(shape["run"][1:]),
        shape["state"],
        shape["host"] or shape["asked"] or "",
        instant(shape["created_at"]) or 0.0,
        Command(program.get("command"), program.get("argv", ())),
        shape["job"],
        shape["args"],
        tuple(shape["labels"]),
        shape["by"],
        shape["reason"],
        shape["message"],
        instant(shape["schedule_time"]),
        instant(shape["started_at"]),
        instant(shape["finished_at"]),
        instant(shape["unreachable_since"]),
        shape["exit_code"],
        shape["signal"],
        shape["cause"],
        number(shape["rerun_of"]),
        number(shape["root"]),
        shape["step"] or "",
        shape["held"] or "",
        tuple(shape["survivors"]),
        shape["output_lost"],
        shape["stdout_size"],
        shape["stderr_size"],
    )


def number(name: str | None) -> int | None:
    """12 for r12."""
    return None if name is None else int(name[1:])


def instant(text: str | None) -> float | None:
    """Seconds since 1970 of a time in a shape."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


class Board:
    """All rows by id, and all hosts by name."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.hosts: dict[str, Shape] = {}
        self.moves: Counter[int] = Counter()
        """How often anything is known to have changed in a workflow, by its root."""

    def begin(self, snapshot: Shape) -> tuple[list[Row], set[int]]:
        """Take a snapshot in: the rows that it brings, and the ids that were live here and are over since."""
        rows = [row(shape) for shape in snapshot["runs"]]
        self.put(rows)
        self.hosts = {shape["host"]: shape for shape in snapshot["hosts"]}
        told = {each.id for each in rows}
        return rows, {each.id for each in self.rows.values() if not (each.ended or each.planned or each.id in told)}

    def put(self, rows: Iterable[Row]) -> None:
        """Rows as they are now."""
        for each in rows:
            self.rows[each.id] = each
            if each.root is not None:
                self.moves[each.root] += 1

    def add(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of the past, where nothing newer is known of them; those that were new."""
        new = [each for each in rows if each.id not in self.rows]
        self.put(new)
        return new

    def printed(self, sizes: Shape) -> Row | None:
        """How much output there is now; the row, if it is known."""
        found = self.rows.get(int(sizes["run"][1:]))
        if found is not None:
            found.stdout, found.stderr = sizes["stdout_size"], sizes["stderr_size"]
        return found
