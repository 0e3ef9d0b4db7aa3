"""The tree of jobs, as a table asks for it: next and last run, and what the last runs took and came to.

Rule: past runs of a job are asked for when its line is first seen, and kept up by what is heard afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from sshsched.cli.safe import safe_line
from sshsched.cli.times import ago, span
from sshsched.store.filter_text import quoted
from sshsched.tui.columns import MARKS, MUTED, STRONG, Cell
from sshsched.tui.layout import Head
from sshsched.tui.model import ENDED, Row
from sshsched.tui.outside import Job

SHOWN = 20  # past runs
BARS = "▁▂▃▄▅▆▇█"
HEADS = (
    Head("JOB"),
    Head("NEXT", rank=2, right=True),
    Head("LAST", rank=1, least=10),
    Head("LAST RUNS", rank=3, least=SHOWN),
    Head("TAKES", rank=4, right=True),
    Head("HOST", rank=6),
    Head("SCHEDULE", rank=5, stretch=True, least=8),
    Head("ABOUT", rank=7, stretch=True, least=8),
)


class Jobs:
    """Folders and jobs by their ids; a folder's id ends with a slash. `need` is told of jobs whose runs are wanted."""

    def __init__(self, need: Callable[[str], None]) -> None:
        self.jobs: dict[str, Job] = {}
        self.closed: set[str] = set()
        self._need = need
        self._runs: dict[str, dict[int, Row]] = {}
        self._asked: set[str] = set()
        self._wanted = ""
        self._lines: list[str] = []
        self._places: dict[str, int] = {}

    def take(self, jobs: Iterable[Job]) -> None:
        """The jobs that there are now."""
        self.jobs = {job.id: job for job in sorted(jobs, key=lambda job: job.id.split("/"))}
        self._lay()

    def narrow(self, text: str) -> None:
        """Only jobs whose id, host, labels or description hold this text."""
        self._wanted = text.casefold()
        self._lay()

    def past(self, job: str, rows: Iterable[Row]) -> None:
        """What the store knows of a job's runs."""
        known = self._runs.setdefault(job, {})
        self._runs[job] = {row.id: row for row in rows} | known

    def hear(self, rows: Iterable[Row]) -> None:
        """Runs that have changed."""
        for row in rows:
            if row.job_id is not None:
                known = self._runs.setdefault(row.job_id, {})
                known[row.id] = row
                if len(known) > 2 * SHOWN:
                    for old in sorted(known)[:-SHOWN]:
                        del known[old]

    def fold(self, key: Hashable) -> bool:
        """Open or close a folder; False if it is none."""
        if not (isinstance(key, str) and key.endswith("/")):
            return False
        self.closed ^= {key}
        self._lay()
        return True

    def _lay(self) -> None:
        lines: dict[str, None] = {}
        for job in self.jobs.values():
            if not self._is_wanted(job):
                continue
            *folders, _ = job.id.split("/")
            paths = ["/".join(folders[: depth + 1]) + "/" for depth in range(len(folders))]
            hidden = False
            for path in paths:
                if not hidden:
                    lines[path] = None
                hidden = hidden or path in self.closed
            if not hidden:
                lines[job.id] = None
        self._lines = list(lines)
        self._places = {key: place for place, key in enumerate(self._lines)}

    def _is_wanted(self, job: Job) -> bool:
        texts = (job.id, job.host, job.description, *job.labels)
        return not self._wanted or any(self._wanted in text.casefold() for text in texts)

    # What a table asks

    def __len__(self) -> int:
        return len(self._lines)

    def heads(self) -> Sequence[Head]:
        return HEADS

    def key(self, line: int) -> Hashable:
        return self._lines[line]

    def line(self, key: Hashable) -> int | None:
        return self._places.get(key) if isinstance(key, str) else None

    def cells(self, line: int, now: float) -> Sequence[Cell]:
        key = self._lines[line]
        *folders, name = key.removesuffix("/").split("/")
        indent = "  " * len(folders)
        if key.endswith("/"):
            mark = "▸" if key in self.closed else "▾"
            return [Cell(f"{indent}{mark} {safe_line(name)}/", MUTED), *[Cell("")] * (len(HEADS) - 1)]
        job = self.jobs[key]
        if key not in self._asked:
            self._asked.add(key)
            self._need(key)
        runs = [row for _, row in sorted(self._runs.get(key, {}).items())][-SHOWN:]
        return [
            Cell(f"{indent}{safe_line(name)}", STRONG),
            Cell("" if job.next is None else ago(job.next, now)),
            _last(runs, now),
            sparkline(runs),
            Cell(_usual(runs), MUTED),
            Cell(safe_line(job.host)),
            Cell(safe_line(job.schedule), MUTED),
            Cell(safe_line(job.description), MUTED),
        ]

    def ticks(self, line: int) -> bool:
        return not self._lines[line].endswith("/")

    def chosen(self, key: Hashable) -> bool:
        return False

    def anchor(self) -> int | None:
        return None

    def rest(self) -> int:
        return 0

    def term(self, line: int, column: int) -> str:
        key = self._lines[line]
        if key.endswith("/"):
            return f"job:{quoted(f'{key}*')}"
        return f"host:{quoted(self.jobs[key].host)}" if HEADS[column].title == "HOST" else f"job:{quoted(key)}"


def _last(runs: Sequence[Row], now: float) -> Cell:
    if not runs:
        return Cell("")
    last = runs[-1]
    return Cell(f"{MARKS.get(last.state, ' ')} {ago(last.finished_at or last.when, now)}", last.state)


def _usual(runs: Sequence[Row]) -> str:
    """The median of what successes took."""
    took = sorted(each for row in runs if row.state == "success" and (each := row.took(0.0)) is not None)
    return span(took[len(took) // 2]) if took else ""


def sparkline(runs: Sequence[Row]) -> Cell:
    """A bar for what each success took, the longest being full, and the mark of the state for all others."""
    took = [row.took(0.0) or 0.0 for row in runs if row.ended]
    most = max(took, default=0.0) or 1.0
    text = ""
    for row in runs:
        share = min(1.0, (row.took(0.0) or 0.0) / most)
        bar = BARS[int(share * (len(BARS) - 1))]
        text += bar if row.state == "success" or row.state not in ENDED | {"running"} else MARKS[row.state]
    return Cell(text, tones=tuple(row.state for row in runs))
