"""What TAB does, in the real shells, on a terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import sys
import time
from collections.abc import Iterator

import pytest

from tests.cli.driver import Place
from tests.support import ROOT

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
TO_BEGIN = "\x01"  # Ctrl-A
READY = {"bash": "", "zsh": "autoload -Uz compinit; compinit -u -D; bindkey -e; ", "fish": ""}


class Typing:
    """A shell on a terminal that knows our completion, and somebody who types."""

    def __init__(self, shell: str, place: Place) -> None:
        script = place.home / f"completion.{shell}"
        script.write_bytes(place("completion", shell).out)
        command = place.home / "bin" / "sshsched"
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m sshsched "$@"\n')
        command.chmod(0o700)
        env = {**place.env, "PATH": f"{command.parent}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(place.home)
            os.execvpe(SHELLS[shell][0], SHELLS[shell], env)
        self.type(f"{READY[shell]}source {script}; echo rea''dy\n")
        self.see("ready\r")

    def type(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def see(self, text: str, within: float = 30.0) -> None:
        """Wait until the terminal shows this after what was seen before."""
        end, new = time.monotonic() + within, ""
        while text not in new:
            assert time.monotonic() < end, f"no {text!r} in {new!r} after {self.seen!r}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                new += os.read(self.terminal, 65536).decode(errors="replace")
        self.seen += new

    def close(self) -> None:
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


ETL = """# all
jobs:

  # first
  load: {host: local, command: 'a: b'}
  'clean':
    host: local
    command: c
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two hosts, a job in a folder, and a run with an argument."""
    place = Place(tmp_path_factory.mktemp("completion"))
    jobs = place.config / "jobs" / "reports"
    jobs.mkdir(parents=True)
    (jobs / "build.yaml").write_text("host: local\nparams: [region]\ncommand: echo {{ region }}\n")
    (jobs / "etl.yaml").write_text(ETL)
    (jobs / "_defaults.yaml").write_text("timeout: 5m\n")
    (place.home.parent / "ssh_config").write_text("Host nas\nHost web1\n")
    assert 0 == place("run", "reports/build", "region=north", "--wait").code
    yield place
    place.close()


@pytest.fixture(params=SHELLS)
def typing(request: pytest.FixtureRequest, filled: Place) -> Iterator[Typing]:
    assert shutil.which(request.param), f"{request.param} is not installed; tests/needs.sh says what is needed"
    found = Typing(request.param, filled)
    yield found
    found.close()


def test_ids_of_jobs(filled: Place) -> None:
    """Whole ids, also of the jobs in a file with several, and no _defaults.yaml."""
    typed = {"_SSHSCHED_COMPLETE": "bash_complete", "COMP_WORDS": "sshsched run ", "COMP_CWORD": "2"}

    assert ["plain,reports/build", "plain,reports/etl/load", "plain,reports/etl/clean"] == (
        filled(env=typed).text.splitlines()
    )


def test_tab_completes_a_filter(typing: Typing) -> None:
    """Names of terms without a blank after them, then values; after a comma, more values."""
    for keys, line in (
        ("ho\tna\t", "host:nas"),
        ("state:running,fai\t", "state:running,failure"),
        ("arg.reg\tno\t", "arg.region=north"),
        ("job:reports/b\t", "job:reports/build"),
    ):
        typing.type(f"sshsched runs {keys}{TO_BEGIN}echo \n")  # the shell says what the line has become
        typing.see(f"\nsshsched runs {line}")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["host", ":", "na"], ["nas"]),
        (["host", ":"], ["local", "nas", "web1"]),
        (["host:na"], ["host:nas"]),
        (["state", ":", "running,fai"], ["running,failure"]),
        (["arg.region", "=", "n"], ["north"]),
        (["is", ":", "live", "ho"], ["host:"]),
        (["job", ":", "rep"], ["reports/*", "reports/etl/*", "reports/build", "reports/etl/load", "reports/etl/clean"]),
        (["!ho"], ["!host:"]),
        (["hots", ":", "x"], []),
    ],
)
def test_words_as_bash_cuts_them(filled: Place, words: list[str], offered: list[str]) -> None:
    """`:` and `=` are words of their own there, and only what follows is put in."""
    env = {
        "_SSHSCHED_COMPLETE": "bash_complete",
        "COMP_WORDS": "\n".join(["sshsched", "runs", *words]),
        "COMP_CWORD": str(len(words) + 1),
    }

    assert offered == [line.partition(",")[2] for line in filled(env=env).text.splitlines() if line]
