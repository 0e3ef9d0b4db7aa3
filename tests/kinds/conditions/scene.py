"""What conditions look at, made by hand: runs, hosts, facts and a past, at an instant that the test chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.states import FINISHED, State
from sshsched.domain.view import Answer, Fact, HostView, Never, Ready, View, Wait
from sshsched.engine.board import Board
from sshsched.kinds.registry import find
from sshsched.kinds.written import make
from sshsched.store.memory import MemoryStore

NOW = 1_800_000_000.0


def run(id: int = 1, state: State = State.WAITING, job: str | None = "load", **more: Any) -> Run:
    """A run of a job; a finished one ended just now."""
    ended = {"finished_at": NOW} if state in FINISHED else {}
    return Run(
        id, "", Program("true"), NOW, state, **{"asked": "nas", "job_id": job, "key": f"{id:08x}", **ended, **more}
    )


@dataclass
class Scene:
    """`live` are on the board, `past` is only in the store."""

    live: tuple[Run, ...] = ()
    past: tuple[Run, ...] = ()
    hosts: tuple[HostView, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def view(self) -> View:
        board = Board(self.live, past=MemoryStore(runs=self.past))
        for host in self.hosts:
            board.set_host(host)
        for key, fact in self.facts.items():
            board.learn(key, fact)
        return board.view


def ask(kind: str, options: Mapping[str, Any], run: Run, scene: Scene | None = None, at: float = NOW) -> Answer:
    """What a condition that is written so answers."""
    made: Any = make(find("condition", kind), options)
    answer: Answer = made.ask(run, (scene or Scene()).view, at)
    return answer


def told(answer: Answer) -> str:
    """An answer in a few words."""
    if isinstance(answer, Ready):
        return "ready"
    if isinstance(answer, Never):
        return f"never ({answer.state}): {answer.why}"
    assert isinstance(answer, Wait)
    return f"waits for {answer.why}"
