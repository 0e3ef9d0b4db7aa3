"""Programs as users see them, over a real sshd: exit codes, signals, output, times."""

from __future__ import annotations

from tests.e2e.kit import Lab


def test_an_exit_code(box: Lab) -> None:
    """A program's exit code and output arrive as they are, and nothing is left on its host."""
    (name,) = box.submit(f"{box.mark()}; echo out; echo err >&2; exit 3")
    run = box.finished(name)
    box.settled()

    assert ("failure", "exited", 3) == (run["state"], run["reason"], run["exit_code"])
    assert (b"out\n", b"err\n") == (box.output(name), box.output(name, "stderr"))
    assert [name] == box.marked()
