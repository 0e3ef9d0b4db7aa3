"""Long output on a terminal: through the user's pager, as git does it.

Rule: only where it does not fit the screen, so that nobody pays for a pager that has nothing to do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from sshsched.cli.streams import STDOUT, is_terminal, say

USUAL = "less"


def page(lines: Sequence[str]) -> None:
    """Print lines, by `$SSHSCHED_PAGER`, `$PAGER` or less where they are more than the terminal has; `cat` is none."""
    text = "\n".join(lines)
    command = _pager() if is_terminal(STDOUT) and _long(lines) else ""
    if not command or not _shown(command, text):
        say(text)


def _long(lines: Sequence[str]) -> bool:
    import shutil

    return len(lines) >= shutil.get_terminal_size().lines


def _pager() -> str:
    """The command, for a shell; empty for none."""
    import shutil

    command = os.environ.get("SSHSCHED_PAGER", os.environ.get("PAGER"))
    if command is None:
        command = USUAL if shutil.which(USUAL) else ""
    return "" if command.strip() == "cat" or os.environ.get("TERM") == "dumb" else command


def _shown(command: str, text: str) -> bool:
    """Whether the pager has shown it. One that cannot be started shows nothing."""
    import signal
    import subprocess

    env = {"LESS": "FRX", "LV": "-c", **os.environ}
    # Ctrl-C is for the pager: less only ends a search with it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command], input=f"{text}\n".encode(errors="backslashreplace"), env=env, check=False
        )
    finally:
        signal.signal(signal.SIGINT, before)
    return done.returncode not in (126, 127)
