"""Writing to the terminal, to pipes and to files.

Rule: a pipe or a file gets a program's bytes exactly; a terminal gets them harmless, unless somebody said --raw.
"""

from __future__ import annotations

import os
import threading

from sshsched.cli.safe import SafeStream, safe_line

STDIN, STDOUT, STDERR = 0, 1, 2
LONGEST_LINE = 64 * 1024
NO_COLOUR = "\x1b[0m"

COLOURS = {
    "success": "32",
    "failure": "31",
    "error": "1;31",
    "running": "36",
    "starting": "36",
    "stopping": "33",
    "waiting": "33",
    "scheduled": "2",
    "skipped": "2",
}
GLYPHS = {
    "success": "✔",
    "failure": "✘",
    "error": "✘",
    "running": "●",
    "starting": "◐",
    "stopping": "◑",
    "waiting": "○",
    "scheduled": "·",
    "skipped": "»",
}

_turn = threading.Lock()


def is_terminal(fd: int) -> bool:
    return os.isatty(fd)


def in_colour(fd: int) -> bool:
    """https://no-color.org"""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and is_terminal(fd)


def sgr(text: str, code: str, fd: int) -> str:
    """Text in a colour or another look (1 bold, 2 faint, 4 underlined), where there are colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if code and text and in_colour(fd) else text


def paint(text: str, state: str, fd: int) -> str:
    """Text in the colour of a run's state, where there are colours."""
    return sgr(text, COLOURS.get(state, ""), fd)


def marked(state: str, fd: int = STDOUT) -> str:
    """`✔ success` on a terminal that can show it, so that a state is seen before it is read; else the word alone."""
    return f"{GLYPHS[state]} {state}" if state in GLYPHS and is_terminal(fd) and in_utf8() else state


def in_utf8() -> bool:
    """Whether the user's locale has more than ASCII."""
    name = next((os.environ[each] for each in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(each)), "")
    return "utf" in name.casefold()


def write(fd: int, data: bytes) -> None:
    """All of it, past Python's buffers. Raises BrokenPipeError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def say(text: str, fd: int = STDOUT) -> None:
    """One line of our own; what is foreign in it has been made harmless already."""
    write(fd, f"{text}\n".encode(errors="backslashreplace"))


def note(text: str) -> None:
    """One line beside the result: to the standard error."""
    say(text, STDERR)


class Sink:
    """Where one stream of one run goes.

    With a `prefix`, each line begins with it, lines never mix, and no line gives its colour to the next one.
    """

    def __init__(self, fd: int, *, raw: bool = False, prefix: str = "") -> None:
        self._fd = fd
        self._terminal = is_terminal(fd)
        self._safe = SafeStream(colours=in_colour(fd)) if self._terminal and not raw else None
        self._prefix = f"{safe_line(prefix)}: ".encode() if prefix else b""
        self._line = b""
        self._last = b"\n"

    def write(self, data: bytes) -> None:
        """Raises BrokenPipeError."""
        self._put(data if self._safe is None else self._safe.feed(data).encode())

    def close(self) -> None:
        """Nothing comes any more."""
        if self._safe is not None:
            rest = self._safe.close()
            self._put((rest.removesuffix(NO_COLOUR) if self._prefix else rest).encode())
        if self._line or (self._terminal and self._last != b"\n"):
            self._put(b"\n")  # so that the prompt, or our own last word, has its own line

    def _put(self, data: bytes) -> None:
        if self._prefix:
            data = self._whole_lines(data)
        if data:
            self._last = data[-1:]
            with _turn:
                write(self._fd, data)

    def _whole_lines(self, data: bytes) -> bytes:
        *lines, self._line = (self._line + data).split(b"\n")
        if len(self._line) > LONGEST_LINE:
            lines, self._line = [*lines, self._line], b""
        return b"".join(self._prefix + line + self._end(line) for line in lines)

    def _end(self, line: bytes) -> bytes:
        return f"{NO_COLOUR}\n".encode() if self._safe is not None and b"\x1b" in line else b"\n"
