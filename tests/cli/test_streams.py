"""Where a program's output goes."""

from __future__ import annotations

import os

import pytest

from sshsched.cli.streams import Sink


def test_lines_of_several_runs_keep_their_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, a colour ends with its line, and the end of a coloured stream is no line of its own."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, terminal = os.openpty()
    sink = Sink(terminal, prefix="r1 nas")
    for data in (b"\x1b[31mred\npl", b"ain\n\x1b[32mgreen\x1b[0m\n"):
        sink.write(data)
    sink.close()
    os.close(terminal)
    seen = os.read(ours, 1000)
    os.close(ours)

    assert b"r1 nas: \x1b[31mred\x1b[0m\nr1 nas: plain\nr1 nas: \x1b[32mgreen\x1b[0m\x1b[0m\n" == seen.replace(
        b"\r\n", b"\n"
    )
