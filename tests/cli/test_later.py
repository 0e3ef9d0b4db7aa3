"""What stands in for a module until it is needed is that module to everybody."""

from __future__ import annotations

import inspect
import subprocess
import sys

from hypothesis import example, given
from hypothesis import strategies as st

from sshsched.cli.later import Later


def _python(text: str) -> str:
    return subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout.strip()


def test_whoever_asks_gets_it() -> None:
    """Before and after it is loaded, by whatever name and from wherever."""
    told = _python(
        "import sshsched.cli.main, inspect as before\n"
        "signature = before.signature(lambda one, two: 0)\n"
        "import inspect as after, dataclasses\n"
        "from inspect import Parameter\n"
        "print(len(signature.parameters), Parameter is before.Parameter, before.cleandoc is after.cleandoc)\n"
        "print(after.__file__ == before.__file__, hasattr(before, 'nothing'), hasattr(after, 'nothing'))"
    )

    assert "2 True True\nTrue False False" == told


@given(st.text(st.sampled_from(" \t\nab\x0c\u00a0"), max_size=30))
@example("one line")
@example("several\n    lines")
def test_help_reads_the_same(text: str) -> None:
    """It cleans texts as the module itself does."""
    assert inspect.cleandoc(text) == Later("inspect").cleandoc(text)
