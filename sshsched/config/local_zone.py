"""The name of this machine's time zone.

Rule: TZ, then what /etc says, then UTC. A name that is no zone is passed over: a machine with an odd /etc still runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sshsched.kinds.zones import zone


def local_zone(etc: Path = Path("/etc")) -> str:
    """Such as Europe/Berlin."""
    for name in _candidates(etc):
        try:
            zone(name)
        except ValueError:
            continue
        return name
    return "UTC"


def _candidates(etc: Path) -> Iterator[str]:
    # A TZ of ":Europe/Berlin" means the same as one without the colon.
    yield os.environ.get("TZ", "").removeprefix(":")
    with suppress(OSError):
        yield str((etc / "localtime").readlink()).rpartition("zoneinfo/")[2]
    with suppress(OSError, UnicodeDecodeError):
        yield (etc / "timezone").read_text(encoding="utf-8").strip()
