"""The screen as tests drive it: keys in, text out, on a real store and a real scheduler."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from sshsched.cli.app import App
from sshsched.cli.commands.watch import outside
from sshsched.domain.model import Run
from sshsched.domain.shape import run_shape
from sshsched.domain.states import State
from sshsched.tui.app import Watch
from sshsched.tui.filters import parse
from sshsched.tui.live import Live
from sshsched.tui.model import Row, row
from sshsched.tui.past import Past
from tests.cli.driver import Place
from tests.store.samples import run as a_run
from tests.support import until

WIDE = (110, 26)
CELL = 12.2  # the width of a cell in Rich's pictures


def a_row(id: int, state: str = "running", **changes: Any) -> Row:
    """A run as the screen has it."""
    return row(shape(id, state, **changes))


def shape(id: int, state: str = "running", **changes: Any) -> dict[str, Any]:
    return run_shape(a_run(id, state=State(state), **changes))


def run(id: int, state: str = "running", **changes: Any) -> Run:
    return a_run(id, state=State(state), **changes)


@dataclass
class Seen:
    """What stands on the screen, and the hands at its keyboard."""

    app: Watch
    pilot: Pilot[None]

    @property
    def lines(self) -> list[str]:
        """The text of the screen, line by line."""
        return drawn(self.app.screen)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*(NAMES.get(each, each) for each in text))

    async def on(self, run: str) -> None:
        """Put the cursor on a run."""
        await self.until(run)
        self.app.go_to_run(int(run[1:]))
        await until(lambda: self.app.table.key == int(run[1:]))

    async def until(self, *texts: str, within: float = 15.0) -> str:
        """Wait until all these can be read."""
        try:
            await until(lambda: all(each in self.text for each in texts), within=within)
        except AssertionError:
            raise AssertionError(f"not all of {texts} can be read on:\n{self.text}") from None
        return self.text

    async def gone(self, *texts: str, within: float = 15.0) -> str:
        """Wait until none of these can be read."""
        await until(lambda: not any(each in self.text for each in texts), within=within)
        return self.text


NAMES = {" ": "space", "/": "slash", ":": "colon", "*": "asterisk", "=": "equals_sign", "!": "exclamation_mark"}


def drawn(screen: Screen[Any]) -> list[str]:
    """What a screen draws, without its colours."""
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


@asynccontextmanager
async def watching(
    place: Place,
    filter: str = "",
    *,
    size: tuple[int, int] = WIDE,
    run: int | None = None,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[Seen]:
    """The screen on a place's scheduler and store."""
    app = App(str(place.config), str(place.state))
    past, narrowed = Past(app.state_dir), parse(filter, now())
    watch = Watch(Live(outside(app), past, narrowed, past.page(narrowed.where), now), run)
    async with watch.run_test(size=size, notifications=True) as pilot:
        yield Seen(watch, pilot)


def svg_text(svg: str) -> list[str]:
    """The lines of text of a picture, each in its column, and nothing of how they look."""
    rows: dict[float, str] = {}
    for x, y, text in re.findall(r'<text[^>]*? x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        before = rows.get(float(y), "")
        rows[float(y)] = before.ljust(round(float(x) / CELL)) + unescape(text).replace("\xa0", " ")
    return [line.rstrip() for _, line in sorted(rows.items())]
