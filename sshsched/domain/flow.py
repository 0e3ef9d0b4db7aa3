"""Which steps of a workflow begin, and how its root ends."""

from __future__ import annotations

from collections.abc import Iterator

from sshsched.domain.events import Advanced
from sshsched.domain.instructions import Instruction
from sshsched.domain.model import Reason, Run, StopAsked
from sshsched.domain.saves import end
from sshsched.domain.states import State
from sshsched.domain.view import View


def advanced(view: View, event: Advanced) -> Iterator[Instruction]:
    yield from ()


def stop_root(view: View, root: Run, asked: StopAsked) -> Iterator[Instruction]:
    yield from end(root, State.FAILURE, asked.at, Reason.STOPPED, f"stopped by {asked.by}", cleaned=True)


def release_root(view: View, root: Run, at: float) -> Iterator[Instruction]:
    yield from end(root, State.FAILURE, at, Reason.STEPS, root.message, cleaned=True)
