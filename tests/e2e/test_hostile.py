"""Hostile words from whoever asks to the program and back, over a real sshd: identical, or refused by name."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from sshsched.errors import UsageError
from tests.e2e.kit import Lab

HOSTILE = (
    'it\'s "q"',
    "$(touch /tmp/pwned) `id` ${HOME}",
    "two\nlines\n",
    "; rm -rf / &",
    "-rf",
    "--",
    "\\n %s * ~ , =",
    "é🐎\u202e\x1b[31m",
)
SHOW = f"""
import json, os, sys
told = lambda name: [os.environ[f"{{name}}{{at}}"] for at in range({len(HOSTILE)})]
job, stdin = os.environ["SSHSCHED_JOB_ID"], sys.stdin.read()
json.dump([sys.argv[1:], told("V"), told("SSHSCHED_ARG_A"), job, stdin], sys.stdout)
"""


def draft(words: tuple[str, ...], *, argv: tuple[str, ...] = (), job: str = "a") -> dict[str, Any]:
    return {
        "host": "box",
        "program": {
            "argv": [sys.executable, "-c", SHOW, *words, *argv],
            "env": {f"V{at}": word for at, word in enumerate(words)},
            "stdin": "".join(words),
        },
        "args": {f"a{at}": word for at, word in enumerate(words)},
        "labels": list(words),
        "job": job,
    }


def test_all_arrives(box: Lab) -> None:
    """Arguments, variables, args, input, labels and a job's id are what they were, there and here."""
    whole = "".join(HOSTILE)
    (made,) = box.client.submit([draft(HOSTILE, argv=("x" * 100_000,), job=whole)])
    name = made["run"]
    run = box.finished(name)
    box.settled()

    assert ("success", whole, list(HOSTILE)) == (run["state"], run["job"], run["labels"])
    assert [
        [*HOSTILE, "x" * 100_000],
        list(HOSTILE),
        list(HOSTILE),
        whole,
        whole,
    ] == json.loads(box.output(name))
    assert {word: [name] for word in HOSTILE} == {
        word: [each["run"] for each in box.client.runs(label=word)] for word in HOSTILE
    }


def test_a_nul_is_refused(box: Lab) -> None:
    """A NUL is refused wherever it stands, with all its places, and there is no run."""
    with pytest.raises(UsageError) as refused:
        box.client.submit([draft(("a\0b",), job="j\0")])

    for place in ("program.argv[3]", "program.env.V0", "program.stdin", "args.a0", "labels", "job"):
        assert f"runs[0].{place}: holds a NUL byte" in str(refused.value)
    assert [] == box.stored()
