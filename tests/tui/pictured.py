"""A board that is the same each time, and what the screen makes of it: the golden files, and how they are made.

`make pictures` writes the files in `tests/tui/golden/` and the pictures in `docs/pictures/` anew; look at what has
changed before it is kept.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sshsched.domain.instructions import Save
from sshsched.domain.model import LogEntry, Outcome, Output, Reason, Run, Spool
from sshsched.domain.plan import Flow, Plan, Step
from sshsched.domain.program import Program
from sshsched.domain.shape import Shape
from sshsched.domain.states import State
from sshsched.store.output import OutputFiles
from sshsched.store.store import open_store
from tests.service.scheduler import NOW, Scheduler
from tests.support import ROOT, until
from tests.tui.kit import Seen, svg_text, watching

GOLDEN = Path(__file__).parent / "golden"
PICTURES = ROOT / "docs" / "pictures"
SIZES = {"wide": (110, 26), "usual": (80, 24), "narrow": (40, 12)}
SHOWN = ("runs", "output", "jobs", "hosts", "graph")
"""The screens that documents show, without the fonts that a browser would fetch from elsewhere."""
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
THEMES = ("textual-dark", "textual-light", "nord")
SCREENS = {
    "runs": (),
    "summary": ("down", "enter"),
    "output": ("down", "enter", "tab", "tab"),
    "jobs": ("2",),
    "hosts": ("3",),
    "stop": ("s",),
    "filtered": ("right", "right", "f"),
    "graph": ("down", "enter", "z", "tab"),
}
"""The keys that lead to each."""
JOBS = {
    "backup": 'host: nas\nschedule: "30 3 * * *"\ncommand: restic backup\nmetadata: {description: All photos}\n',
    "reports/build": "host: web1\nparams: [date, region]\nargv: [build, '{{ date }}']\n",
    "reports/publish": "host: web2\nschedule: every 1h\ncommand: publish\n",
}


def made(id: int, state: str, host: str, before: float, took: float | None = None, **fields: Any) -> Run:
    """A run that began so many seconds before now."""
    ended = state in ("success", "failure", "error", "skipped")
    run = Run(
        id=id,
        host=host,
        program=fields.pop("program", Program(command="true")),
        created_at=NOW - before,
        state=State(state),
        by="ann",
        started_at=None if state in ("waiting", "scheduled") else NOW - before + 0.5,
        finished_at=NOW - before + (took or 0) if ended else None,
        cleaned=ended,
        output=Output(complete=ended),
    )
    return replace(run, **fields)


def runs() -> list[Run]:
    report = Program(argv=("build", "2026-11-22"))
    args = {"date": "2026-11-22", "region": "eu"}
    failed = Outcome(exit_code=3, cpu_user=1.25, cpu_system=0.5, max_rss=52_000_000)
    return [
        made(1, "success", "nas", 7000, 3000, job_id="backup", outcome=Outcome(exit_code=0)),
        made(2, "failure", "web1", 5000, 9, job_id="reports/build", args=args, program=report, outcome=failed),
        made(3, "error", "web3", 4000, 60, reason=Reason.NOT_STARTED, message="web3 was not reached within 1 m"),
        made(4, "success", "web2", 3000, 45, job_id="reports/publish", schedule_time=NOW - 3012),
        made(5, "running", "nas", 600, job_id="backup", unreachable_since=NOW - 80, message="the link is lost"),
        made(6, "running", "web1", 90, job_id="reports/build", args=args, program=report, rerun_of=2,
             spool=Spool("/spool/r6", "b"), pid=4711, labels=("nightly",), output=Output(24, 0)),
        made(7, "waiting", "web2", 30, schedule_time=NOW - 30, message="waits for web2: 2 of 2 places are taken"),
        made(8, "scheduled", "local", 5, schedule_time=NOW + 3600, program=Program(command="echo later")),
    ]  # fmt: skip


def workflow() -> list[Run]:
    """A workflow in the middle: the root, and the steps that have begun."""
    needs = {
        "checkout": (),
        "test[os=alpine]": ("checkout",),
        "test[os=debian]": ("checkout",),
        "docs": ("checkout",),
        "image": ("test[os=alpine]", "test[os=debian]"),
        "deploy": ("image", "docs"),
    }
    program = Program(command="true")
    steps = [Step(name, "web1", program, needs=each) for name, each in needs.items()]
    steps.append(Step("tell", "local", program, needs=("deploy",), when="failure"))
    plan = Plan(flow=Flow(tuple(steps)))
    waits = "2 running, 3 of 7 steps done"

    def step(id: int, name: str, state: str, before: float, took: float = 0) -> Run:
        return made(id, state, "web1", before, took, job_id="shop", root=1, step=name)

    return [
        made(1, "running", "", 400, job_id="shop", plan=plan, message=waits),
        step(2, "checkout", "success", 400, 4),
        step(3, "test[os=alpine]", "success", 395, 60),
        step(4, "test[os=debian]", "running", 395),
        step(5, "docs", "failure", 395, 20),
        step(6, "docs", "success", 300, 30),
        step(7, "image", "waiting", 10),
    ]


def host(name: str, state: str, **more: Any) -> Shape:
    usual = {"since": "2026-11-21T23:30:00.000Z", "problem": None, "slots": None, "running": 0, "waiting": 0}
    return {"host": name, "state": state, **usual, **more}


class Board(Scheduler):
    """A scheduler that holds what lives of these runs, and at which nothing changes."""

    board: Sequence[Run] = ()

    def live(self) -> list[Run]:
        return [run for run in self.board if not run.finished]

    def hosts(self) -> list[Shape]:
        return [
            host("nas", "unreachable", problem="the link is lost: connection reset by peer"),
            host("web1", "up", slots=4, running=1),
            host("web2", "up", slots=2, running=2, waiting=1),
            host("local", "idle", since=None),
        ]


@asynccontextmanager
async def board(folder: Path, size: tuple[int, int], screen: str = "runs") -> AsyncIterator[Seen]:
    """The screen on that board."""
    known = workflow() if screen == "graph" else runs()
    place = SimpleNamespace(state=folder / "state", config=folder / "config")
    for name, text in JOBS.items():
        file = place.config / "jobs" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    async with open_store(place.state) as store:
        rows = [LogEntry(6, NOW - 90, None, State.WAITING, Reason.CREATED, "asked for by ann")]
        await store.commit([Save(run, None, tuple(rows) if run.id == 6 else ()) for run in known])
    OutputFiles(place.state).write(6, "stdout", 0, b"one\n\x1b[32mtwo\x1b[0m\nthree")
    holder = Board(now=NOW)
    holder.board = known
    async with holder.served(place.state) as scheduler:
        scheduler.outputs.held[6, "stdout"] = b"one\n\x1b[32mtwo\x1b[0m\nthree"
        async with watching(place, size=size, now=lambda: NOW) as seen:  # type: ignore[arg-type]
            await seen.until("r7" if size[1] > 10 else "waiting")
            yield seen


async def picture(seen: Seen, keys: Sequence[str]) -> str:
    """The screen as SVG, once it has come to rest after these keys."""
    await at_rest(seen)
    # Columns are as wide as what has been seen since the last change of size, which so far was a matter of luck.
    width, height = seen.app.size
    for lines in (height + 1, height):
        await seen.pilot.resize_terminal(width, lines)
        await until(lambda lines=lines: lines == sum(each.size.height for each in seen.app.screen.children))
    await at_rest(seen)
    await seen.press(*keys)
    return await at_rest(seen)


async def at_rest(seen: Seen) -> str:
    """The screen as SVG when nothing changes any more."""
    last, live = "", seen.app.live
    for _ in range(100):
        await seen.pilot.pause(0.3)
        svg = seen.app.export_screenshot(simplify=True)
        if svg == last and live.jobs.jobs and live.serves and not live._tasks:
            return svg
        last = svg
    raise AssertionError("the screen never came to rest")


async def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    for name, size in SIZES.items():
        for screen, keys in SCREENS.items():
            with tempfile.TemporaryDirectory() as folder:
                async with board(Path(folder), size, screen) as seen:
                    svg = await picture(seen, keys)
            (GOLDEN / f"{screen}-{name}.txt").write_text("\n".join(svg_text(svg)) + "\n")
            if name == "wide" and screen in SHOWN:
                (PICTURES / f"{screen}.svg").write_text(FONTS.sub("", svg))


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(main())
