"""Texts that a person hands over: a file, or our own standard input for `-`."""

from __future__ import annotations

import sys

from sshsched.errors import UsageError

LONGEST = 1 << 20  # bytes


def read_text(source: str, what: str, too_long: str) -> str:
    """The text. `what` names it in messages, `too_long` is the remedy. Raises UsageError."""
    try:
        if source == "-":
            data = sys.stdin.buffer.read(LONGEST + 1)
        else:
            from pathlib import Path

            with Path(source).open("rb") as file:
                data = file.read(LONGEST + 1)
    except OSError as error:
        raise UsageError(f"{what}: {source}: {error.strerror}") from None
    if len(data) > LONGEST:
        raise UsageError(f"{what}: {source}: more than {LONGEST >> 20} MiB; {too_long}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{what}: {source}: no UTF-8 at byte {error.start}; {too_long}") from None
