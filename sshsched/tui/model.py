"""What the screen knows: a row per run, and the hosts, folded from snapshots, changes and pages of the past.

Rule: pure. Updates are keyed by run, so hearing something twice, or late, changes nothing; time is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Shape = dict[str, Any]

PLANNED = "planned"
"""The state of a row that is no run yet: a time of a schedule that is still to come."""
COMING = frozenset({PLANNED, "scheduled"})
ON_HOST = frozenset({"starting", "running", "stopping"})
ENDED = frozenset({"success", "failure", "error", "skipped"})


@dataclass(slots=True, eq=False)
class Row:
    """A run as lists show it, or a planned one. Times are seconds since 1970, what is None is unknown."""

    id: int
    state: str
    host: str
    job: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    by: str = ""
    command: str = ""
    reason: str = ""
    message: str = ""
    created: float = 0.0
    due: float | None = None
    started: float | None = None
    finished: float | None = None
    unreachable: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    cause: str | None = None
    rerun_of: int | None = None
    attempt: int = 1
    survivors: tuple[int, ...] = ()
    output_lost: bool = False
    stdout: int = 0
    stderr: int = 0

    @property
    def name(self) -> str:
        """r12; empty for what is only planned."""
        return "" if self.state == PLANNED else f"r{self.id}"

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def when(self) -> float:
        """The time that it stands at: begun, due, or made."""
        return self.started or self.due or self.created

    def took(self, now: float) -> float | None:
        """Seconds from its start to its end, or to `now`; None before the start, or where it is unknown."""
        if self.started is None or (self.ended and self.finished is None):
            return None
        return max(0.0, (self.finished or now) - self.started)

    def late(self, now: float) -> float | None:
        """Seconds between the time it was due and its start, or `now` while it has not begun; None if never due."""
        if self.due is None or (self.started is None and self.ended):
            return None
        return (self.started or now) - self.due


def row(shape: Shape) -> Row:
    """A run's shape as a row."""
    program = shape["program"]
    return Row(
        int(shape["run"][1:]),
        shape["state"],
        shape["host"],
        shape["job"],
        shape["args"],
        tuple(shape["labels"]),
        shape["by"],
        program.get("command") or " ".join(program.get("argv", ())),
        shape["reason"],
        shape["message"],
        instant(shape["created_at"]) or 0.0,
        instant(shape["schedule_time"]),
        instant(shape["started_at"]),
        instant(shape["finished_at"]),
        instant(shape["unreachable_since"]),
        shape["exit_code"],
        shape["signal"],
        shape["cause"],
        int(shape["rerun_of"][1:]) if shape["rerun_of"] else None,
        shape["attempt"],
        tuple(shape["survivors"]),
        shape["output_lost"],
        shape["stdout_size"],
        shape["stderr_size"],
    )


def instant(text: str | None) -> float | None:
    """Seconds since 1970 of a time in a shape."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


class Board:
    """All rows by id, and all hosts by name."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.hosts: dict[str, Shape] = {}

    def begin(self, snapshot: Shape) -> tuple[list[Row], set[int]]:
        """Take a snapshot in: the rows that it brings, and the ids that were live here and are over since."""
        rows = [row(shape) for shape in snapshot["runs"]]
        self.put(rows)
        self.hosts = {shape["host"]: shape for shape in snapshot["hosts"]}
        told = {each.id for each in rows}
        return rows, {each.id for each in self.rows.values() if not each.ended and each.id not in told and each.id > 0}

    def put(self, rows: Iterable[Row]) -> None:
        """Rows as they are now."""
        for each in rows:
            self.rows[each.id] = each

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
