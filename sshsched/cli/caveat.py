"""What to say where live states are shown but nobody keeps them true."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sshsched.cli.streams import note

if TYPE_CHECKING:
    from sshsched.cli.app import App

DATABASE = ("store.db-wal", "store.db")


def caveat(app: App) -> None:
    """To be called when runs that have not ended are shown."""
    if not app.scheduler_runs() and (as_of := _as_of(app)):
        note(f"no scheduler runs: states are as of {as_of}; `sshsched serve` continues them")


def _as_of(app: App) -> str:
    """The last write to the database; a checkpoint may have removed the log beside it. Empty before the first one."""
    from sshsched.cli.times import ago, moment

    written = []
    for name in DATABASE:
        try:
            written.append((app.state_dir / name).stat().st_mtime)
        except FileNotFoundError:
            continue
    if not written:
        return ""
    last = max(written)
    return f"{moment(last)} ({ago(last, time.time())})"
