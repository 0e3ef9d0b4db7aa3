"""Where the socket is.

Rule: a state folder may be called anything. The kernel takes 107 bytes for a socket's address, so a long path is
reached through the number of its opened folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "socket"
LONGEST = 100
Folder = str | os.PathLike[str]
"""pathlib alone takes a tenth of the time that a command may take to start."""


@contextmanager
def address(folder: Folder, name: str = NAME) -> Iterator[str]:
    """A path to `folder/name` that is short enough to bind or connect to, while entered. Raises OSError."""
    path = f"{os.fspath(folder)}/{name}"
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}/{name}"
    finally:
        os.close(opened)
