"""The demo's script: hosts, a scheduler, a handful of jobs, and everything that may befall them, within half a minute.

Rule: each act waits for what it announces, and at the end every run must have ended as `CAST` says, or the demo fails.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sshsched.demo.board import Board, details
from sshsched.demo.hosts import DemoHosts
from sshsched.demo.stage import Stage
from sshsched.domain.shape import Shape
from sshsched.errors import SshschedError

FAILED = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A job of `jobs/`, and how its run must end. What is None does not matter."""

    job: str
    state: str
    args: tuple[str, ...] = ()
    exit_code: int | None = None
    signal: int | None = None
    stdout_size: int | None = None

    def played_by(self, run: Shape) -> bool:
        """Whether a run has ended so, with all of its output here."""
        wanted = {name: getattr(self, name) for name in ("state", "exit_code", "signal", "stdout_size")}
        return bool(run["output_complete"]) and all(value in (None, run[name]) for name, value in wanted.items())


SLOW = Part("slow", "success", exit_code=0, stdout_size=271)  # every step, as if nothing had happened
HELLO = Part("hello", "success", exit_code=0)
GREET = Part("greet", "success", ("name=Ada", "language=fr"), stdout_size=13)
FAILS = Part("fails", "failure", exit_code=3)
CHATTY = Part("chatty", "success", stdout_size=6_888_896)  # seq 1000000
ENDLESS = Part("endless", "failure", signal=15)
CAST = (HELLO, GREET, FAILS, CHATTY, ENDLESS, SLOW)


def main() -> int:
    """Play it. 0 if every run has ended as it must, otherwise 1."""
    console = Console(highlight=False, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="sshsched-demo-"))
    board = Board(console, folder / "state")
    try:
        with DemoHosts(folder) as hosts, Stage(hosts) as stage:
            runs = _play(hosts, stage, board)
    except SshschedError as error:
        console.print(f"the demo failed: {error}\nIts folder is {folder}", markup=False, style="red")
        return FAILED
    console.print(board.table())
    wrong = [part.job for part in CAST if not part.played_by(board.run(runs[part]))]
    if wrong:
        console.print(f"\nnot as it should be: {', '.join(wrong)}\nThe demo's folder is {folder}", style="red")
        return FAILED
    _say_goodbye(console, folder, runs)
    return 0


def _play(hosts: DemoHosts, stage: Stage, board: Board) -> dict[Part, str]:
    """All acts, in order. Returns the run of each part."""
    where = ", ".join(f"{name} on port {hosts.port(name)}" for name in hosts.names)
    board.say(f"Three ssh hosts, with real shells behind them: {where}.")
    board.wait("the scheduler answers", stage.answers)
    board.say(f"A scheduler, and jobs from its jobs folder: {', '.join(part.job for part in CAST)}.")
    runs = {part: str(stage.command("run", part.job, *part.args)[0]["run"]) for part in CAST}
    with board.watching(list(runs.values())):
        _cut(hosts, board, runs[SLOW])
        _stop(stage, board, runs[ENDLESS])
        _kill(stage, board, runs[SLOW])
        _find_it_again(hosts, stage, board, runs[SLOW])
        board.wait("all runs have ended", lambda: all(map(board.finished, runs.values())))
        board.wait("all output is here", lambda: all(board.run(name)["output_complete"] for name in runs.values()))
    board.say("That is how they ended:")
    return runs


def _cut(hosts: DemoHosts, board: Board, slow: str) -> None:
    board.wait(f"{slow} runs", lambda: board.run(slow).get("state") == "running")
    said = board.first_words(slow)
    host = str(board.run(slow)["host"])
    board.say(f"{slow} has just said '{said}' on {host}. Now the link to {host} is cut, and it takes no new one.")
    hosts.away(host)
    board.wait(f"{slow} is known to be out of sight", lambda: board.run(slow)["unreachable_since"])
    board.say(f"{slow} is {details(board.run(slow))}, which is no failure.")


def _stop(stage: Stage, board: Board, endless: str) -> None:
    board.wait(f"{endless} runs", lambda: board.run(endless).get("state") == "running")
    board.say(f"Meanwhile, `sshsched stop {endless}`: it would run for ever, and so would its child.")
    stage.command("stop", endless)
    board.wait(f"{endless} has ended", lambda: board.finished(endless))


def _kill(stage: Stage, board: Board, slow: str) -> None:
    """With the link gone and the scheduler too, the program comes to its end, and nobody of us sees it."""
    board.say("Now the scheduler goes as well: kill -9.")
    stage.kill()
    ended = Path(board.run(slow)["spool"]) / "status"
    board.wait(f"{slow} has ended on {board.run(slow)['host']}", ended.exists)


def _find_it_again(hosts: DemoHosts, stage: Stage, board: Board, slow: str) -> None:
    host = str(board.run(slow)["host"])
    board.say(f"{slow} has ended on {host} by itself, unseen. A new scheduler, and the link is back:")
    stage.start()
    board.wait("the new scheduler answers", stage.answers)
    hosts.back(host)
    board.wait(f"{slow} is found again", lambda: board.finished(slow))


def _say_goodbye(console: Console, folder: Path, runs: dict[Part, str]) -> None:
    """What was stored can be read without a scheduler and without hosts."""
    beside = Path(sys.executable).with_name("sshsched")
    command = (
        "sshsched" if shutil.which("sshsched") else str(beside) if beside.exists() else f"{sys.executable} -m sshsched"
    )
    look = f"{command} --state-dir {folder / 'state'}"
    console.print(
        f"\nAs it should be. All of it is stored; look for yourself:\n"
        f"  {look} runs\n"
        f"  {look} show {runs[SLOW]}\n"
        f"  {look} output {runs[FAILS]}\n"
        f"  rm -r {folder}",
        markup=False,
    )
