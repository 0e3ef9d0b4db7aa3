"""Reads our documents for what can be proved about them, and is the reader who types their commands.

The convention, which `tests/test_docs.py` enforces:

- a block of kind `sh` is typed: a line that begins with `$ ` is a command, `> ` goes on with it, what follows is what
  it prints. `...` stands for any text in a line, and alone on a line for any lines. A command without lines after it
  may print anything. A command ends with 0, unless the next one is `echo $?`. One document is one shell session, with
  hosts `nas`, `web1`, `web2` and `local`.
- a block of kind `yaml` begins with a comment that names its file in the config folder, where it lies for the commands.
- a block of kind `python` begins with a comment that names its file in the folder `kinds/` of the config folder, where
  it lies for the commands.
- a block of kind `console` is only shown: it is about installing, or a make target.
- a block of kind `text` is no command. If it begins with a comment that names a `.cal` file, it lies there, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from sshsched.demo.hosts import DemoHosts
from tests.support import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?P<kind>\S*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
FILES = {
    "yaml": re.compile(r"# ([\w./-]+\.yaml)\b"),
    "python": re.compile(r"# (kinds/\w+\.py)\b"),
    "text": re.compile(r"# ([\w./-]+\.cal)\b"),
}
SESSION_WITHIN = 100.0  # seconds


@dataclass(frozen=True)
class Block:
    """A fenced block and the line it begins on."""

    kind: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that it is, under the config folder."""
        pattern = FILES.get(self.kind)
        match = pattern.match(self.text) if pattern else None
        return match[1] if match else None


@dataclass
class Step:
    """A command and what the document says it prints; None if it does not say."""

    command: str
    line: int
    prints: str | None = None
    may_fail: bool = False


def blocks(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    return [Block(m["kind"], m["text"], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]


def steps(block: Block) -> Iterator[Step]:
    """The commands of a block."""
    step: Step | None = None
    for line, text in enumerate(block.text.splitlines(), block.line + 1):
        if text.startswith("$ "):
            following = Step(text[2:], line)
            if step:
                step.may_fail = following.command == "echo $?"
                yield step
            step = following
        elif step is None:
            raise ValueError(f"line {line}: output without a command: {text}")
        elif text.startswith("> ") and step.prints is None:
            step.command += "\n" + text[2:]
        else:
            step.prints = (step.prints or "") + text + "\n"
    if step:
        yield step


def matches(expected: str, printed: str) -> bool:
    """Whether something was printed as a document says."""
    pattern = ""
    for line in expected.splitlines():
        pattern += r"(?:.*\n)*?" if line.strip() == "..." else _line_pattern(line) + r"[ ]*\n"
    return re.fullmatch(pattern, printed) is not None


def _line_pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.rstrip().split("..."))


def type_all(wanted: list[Step], hosts: DemoHosts, home: Path) -> list[tuple[int, str]]:
    """Type the commands into one shell; the exit code of each and what it printed, in both outputs."""
    mark = token_hex(8)
    script = "".join(f"{step.command}\n(code=$?; echo; echo {mark} $code; exit $code) 2>&1\n" for step in wanted)
    (home / "bin").mkdir(parents=True)
    command = home / "bin" / "sshsched"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sshsched "$@"\n')
    command.chmod(0o700)
    path = f"{command.parent}:{os.environ['PATH']}"
    result = subprocess.run(
        ["/bin/sh"],
        input=script,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=home,
        env={"HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **hosts.env},
        timeout=SESSION_WITHIN,
    )
    parts = re.split(rf"\n?^{mark} (\d+)\n", result.stdout, flags=re.MULTILINE)
    return [(int(code), printed) for printed, code in zip(parts[::2], parts[1::2], strict=False)]
