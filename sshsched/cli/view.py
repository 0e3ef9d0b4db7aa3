"""What a waiting person sees: on a terminal a live line, and how far several runs are; elsewhere moves worth saying.

Rule: everything here goes to the standard error, for the standard output belongs to results.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Protocol

from sshsched.cli.streams import STDERR, in_utf8, is_terminal, note, paint, write
from sshsched.cli.times import span
from sshsched.cli.verdict import FINISHED, Shape, finished, last_word, standing, title

QUIET_START = 0.3  # a run that is over before that shows no live line, only its end
REDRAW = 0.1
MOST_LINES = 8  # runs with a line of their own
BAR = 20  # columns
PASSING = 1.0  # what is over sooner is not worth a line in a log


class View(Protocol):
    """Learns of every change, is asked to draw from time to time, and leaves the terminal as it was."""

    def update(self, run: Shape) -> None: ...
    def say(self, text: str) -> None: ...
    def draw(self) -> None: ...
    def close(self) -> None: ...


def view_for(*, quiet: bool, live: bool) -> View:
    """The fitting one; `live` is False where a program's own output takes the terminal."""
    if quiet:
        return Silent()
    return Live() if live and is_terminal(STDERR) else Plain()


class Silent:
    """For --quiet."""

    def update(self, run: Shape) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def draw(self) -> None:
        pass

    def close(self) -> None:
        pass


class Plain:
    """One line for each thing that a reader of a log wants to know: held up, out of sight, back again, ended."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._news: dict[str, tuple[float, str]] = {}
        """By run's title: what to say unless it passes soon, and from when on."""

    def update(self, run: Shape) -> None:
        name = title(run)
        if finished(run):
            self._news.pop(name, None)
            note(last_word([run]))
            return
        text = _worth_saying(run)
        if text == self._said.get(name, ""):
            self._news.pop(name, None)
        elif self._news.get(name, (0.0, ""))[1] != text:
            self._news[name] = (time.monotonic() + PASSING, text)

    def say(self, text: str) -> None:
        note(text)

    def draw(self) -> None:
        ripe = [name for name, (at, _) in self._news.items() if at <= time.monotonic()]
        for name in ripe:
            _, text = self._news.pop(name)
            self._said[name] = text
            note(f"{name}: {text or 'goes on'}")

    def close(self) -> None:
        pass


def _worth_saying(run: Shape) -> str:
    """What holds a run, without elapsed times, which would make news of every look at it; empty if nothing does."""
    held = run["unreachable_since"] or run["survivors"] or (run["state"] == "waiting" and run["message"])
    return standing(run, None) if held else ""


class Live:
    """A line per unfinished run, redrawn in place, under how far all of them are; what did not succeed stays above."""

    def __init__(self) -> None:
        self._runs: dict[str, Shape] = {}
        self._drawn = 0
        self._begun = time.monotonic()
        self._next = self._begun + QUIET_START

    def update(self, run: Shape) -> None:
        self._runs[run["run"]] = run
        if finished(run) and (len(self._runs) == 1 or run["state"] != "success"):
            self.say(paint(last_word([run]), run["state"], STDERR))

    def say(self, text: str) -> None:
        self._erase()
        note(text)

    def draw(self) -> None:
        if time.monotonic() < self._next:
            return
        import shutil  # it brings compression along, and most runs end before they are drawn

        from sshsched.cli.table import cut

        self._next = time.monotonic() + REDRAW
        width, height = shutil.get_terminal_size()
        lines = self._lines(max(1, min(MOST_LINES, height - 3)))
        # The last column stays free: writing there would scroll on some terminals.
        text = "".join(f"{cut(line, width - 1)}\n" for line in lines)
        write(STDERR, f"{self._eraser()}{text}".encode())
        self._drawn = len(lines)

    def _lines(self, room: int) -> list[str]:
        live = [run for run in self._runs.values() if not finished(run)]
        lines = [f"{title(run)}: {standing(run, time.time())}" for run in live[:room]]
        if len(live) > room:
            lines.append(f"and {len(live) - room} more")
        return lines if len(self._runs) == 1 else [self._progress(), *lines]

    def _progress(self) -> str:
        """`[#####-----] 3 of 6 ended, 1 without success; 2 running, 1 waiting; 12 s`"""
        states = Counter(str(run["state"]) for run in self._runs.values())
        ended = sum(states[state] for state in FINISHED)
        bad = ended - states["success"]
        filled = BAR * ended // len(self._runs)
        full, empty = ("█", "░") if in_utf8() else ("#", "-")
        parts = [
            f"{ended} of {len(self._runs)} ended" + (f", {bad} without success" if bad else ""),
            ", ".join(f"{count} {state}" for state, count in states.items() if state not in FINISHED),
            span(time.monotonic() - self._begun),
        ]
        return f"{full * filled}{empty * (BAR - filled)} {'; '.join(filter(None, parts))}"

    def close(self) -> None:
        self._erase()

    def _erase(self) -> None:
        write(STDERR, self._eraser().encode())
        self._drawn = 0

    def _eraser(self) -> str:
        return f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""
