"""What follows when there is something to tell, and when it was told: the saves, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from sshsched.domain.events import Delivered, Told
from sshsched.domain.instructions import Instruction, SaveNotice
from sshsched.domain.view import View


def told(view: View, event: Told) -> Iterator[Instruction]:
    """Up to when something has been looked at moves together with what is told of it, or neither does."""
    yield from event.cursors
    for notice in event.notices:
        yield SaveNotice(notice)


def delivered(view: View, event: Delivered) -> Iterator[Instruction]:
    """How a delivery went is kept with the notice, and news of it in the log."""
    yield SaveNotice(event.notice, event.at, event.note)
