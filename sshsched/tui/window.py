"""A stretch of what a program printed, as lines: all of the output that is ever held.

Rule: pure. However long the output and its lines, at most WINDOW bytes are held; every line knows its place in bytes,
so a stretch can be left and found again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from sshsched.cli.safe import safe_coloured

WINDOW = 256 * 1024
LONGEST = 2048  # bytes; a longer line is shown in pieces
_ENDS = re.compile(rb"\r\n|\n|\r(?!\Z)")
_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_RESET = re.compile(r"\x1b\[0*m")
MOST_COLOURS = 16


class Line(NamedTuple):
    """A line, harmless, with its colours in it; `begin` is its first byte, `colours` what was on before it."""

    begin: int
    text: str
    colours: str = ""


class Window:
    """The bytes from `begin` up to `end` as lines."""

    def __init__(self, begin: int = 0) -> None:
        self.begin = self.end = begin
        self.lines: list[Line] = []
        self._rest = b""
        """The bytes of the last line, if that may go on."""

    def append(self, data: bytes) -> int:
        """Add what follows; from how many lines on things are new. Lines in front go where there are too many."""
        if len(data) > WINDOW:
            self.__init__(self.end + len(data) - WINDOW)  # type: ignore[misc]
            data = data[-WINDOW:]
        first = len(self.lines)
        if self._rest:
            first -= 1
            del self.lines[first:]
        place, whole = self.end - len(self._rest), self._rest + data
        self.end += len(data)
        for piece, size in self._pieces(whole):
            self.lines.append(Line(place, _text(piece), self._colours()))
            place += size
        self._rest = whole[len(whole) - (self.end - place) :] if place < self.end else b""
        if self._rest:
            self.lines.append(Line(place, _text(self._rest), self._colours()))
        return first - self._trim()

    def at(self, offset: int) -> int:
        """The line that holds a byte."""
        return max(0, bisect_right(self.lines, offset, key=lambda line: line.begin) - 1)

    def _pieces(self, data: bytes) -> list[tuple[bytes, int]]:
        """Finished lines without their ends, and how many bytes each takes with it."""
        found, place = [], 0
        for match in _ENDS.finditer(data):
            for begin in range(place, max(match.start(), place + 1), LONGEST):
                piece = data[begin : min(begin + LONGEST, match.start())]
                last = begin + LONGEST >= match.start()
                found.append((piece, (match.end() if last else begin + LONGEST) - begin))
            place = match.end()
        while len(data) - place > LONGEST:
            found.append((data[place : place + LONGEST], LONGEST))
            place += LONGEST
        return found

    def _colours(self) -> str:
        """What is switched on at the end of the last line."""
        if not self.lines:
            return ""
        _, text, colours = self.lines[-1]
        if "\x1b" not in text:
            return colours
        on: list[str] = _SGR.findall(colours + text)
        for place in range(len(on) - 1, -1, -1):
            if _RESET.fullmatch(on[place]):
                on = on[place + 1 :]
                break
        return "".join(on[-MOST_COLOURS:])

    def _trim(self) -> int:
        """Let go of lines in front; how many."""
        if self.end - self.begin <= WINDOW:
            return 0
        gone = min(self.at(self.end - WINDOW) + 1, len(self.lines) - 1)
        del self.lines[:gone]
        self.begin = self.lines[0].begin if self.lines else self.end
        return gone


def bare(text: str) -> str:
    """A line without its colours."""
    return _SGR.sub("", text) if "\x1b" in text else text


def _text(data: bytes) -> str:
    return safe_coloured(data.decode(errors="backslashreplace").rstrip("\r")).expandtabs(8)
