"""Secrets reach a program, and nothing of them is left on its host: no file, no argument, on every shell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sshsched.remote import script
from tests.remote.hostkit import SHELLS, Control, FakeHost, a_run
from tests.remote.test_program import arguments_of_all, here, other
from tests.support import until

__all__ = ["here", "other"]
TRICKY = 'it\'s a\n$(secret) `with` "all" \\n of ☃'
SECRETS = {"TOKEN": TRICKY, "HUSH": "hush-hush"}
PRINT = 'printf "%s|%s|" "$TOKEN" "$HUSH"; cat'


def files(folder: Path) -> Iterator[Path]:
    """The files of a spool that are no output."""
    return (path for path in folder.rglob("*") if path.is_file() and path.name not in ("stdout", "stderr"))


def left(control: Control) -> list[str]:
    return [str(path) for path in files(control.spool) if b"hush-hush" in path.read_bytes()]


@pytest.mark.parametrize("shell", SHELLS)
async def test_handed_over(make_host: Callable[..., FakeHost], shell: str) -> None:
    """A program finds its secrets in its environment, and its standard input as ever."""
    control = await make_host(shell, env={"LC_ALL": "C.UTF-8"}).control()
    runs = [a_run(f"{PRINT}; sleep 0.5", stdin=stdin) for stdin in (None, "in\nput")]
    for run in runs:
        await control.start(run, secrets=SECRETS)
    await asyncio.gather(*(control.claimed(run) for run in runs))
    await until(lambda: not left(control))
    for run in runs:
        await control.ended(run)

    assert f"{TRICKY}|hush-hush|".encode() == await control.output(runs[0])
    assert f"{TRICKY}|hush-hush|in\nput".encode() == await control.output(runs[1])
    assert [] == left(control)
    control.close()


async def test_for_another_user(here: Control, other: str) -> None:
    """A program of another user gets them too, and they lie in no file while it runs."""
    run = a_run(f"id -un; {PRINT}; sleep 30", user=other, stdin="in")
    await here.start(run, secrets=SECRETS)
    await until(lambda: here.output(run), within=20)
    await here.claimed(run)

    assert [] == left(here)
    assert b"hush-hush" not in arguments_of_all()
    assert f"{other}\n{TRICKY}|hush-hush|in".encode() == await here.output(run)
    await here.stop(run, grace=0)
    await here.stopped(run)


async def test_in_no_argument(control: Control) -> None:
    """No process has a secret among its arguments, neither the program nor any that starts it."""
    run = a_run("sleep 61")
    await control.start(run, secrets=SECRETS)
    await control.claimed(run)
    await until(lambda: b"sleep\x0061" in arguments_of_all(), within=20)

    assert b"hush-hush" not in arguments_of_all()
    assert [] == left(control)
    await control.stop(run, grace=0)
    await control.stopped(run)


async def test_sent_twice(control: Control) -> None:
    """A start that is sent again, at once or later, leaves no secret behind, and starts nothing twice."""
    run = a_run("echo ran; sleep 0.3")
    await asyncio.gather(*(control.start(run, secrets=SECRETS) for _ in range(3)))
    await control.claimed(run)
    await control.start(run, secrets=SECRETS)
    await control.ended(run)
    await until(lambda: not left(control))

    assert b"ran\n" == await control.output(run)


async def test_sealed(control: Control) -> None:
    """What is sealed before it began has its secrets removed."""
    run = a_run("echo ran")
    folder = control.folder(run)
    folder.mkdir()
    (folder / "secret").write_text("export HUSH=hush-hush")
    await control.report(script.settle(script.spool_name(run)), run)

    assert [] == left(control)


async def test_not_without(control: Control) -> None:
    """A program does not begin without its secrets: where the file is gone, the start is refused."""
    run = a_run("echo ran")
    placed, name = control.placed(run), script.spool_name(run)
    put = script.put(placed, name, {}, SECRETS)
    await control.shell.ask_all([put[: put.rindex(" secret ")], script.launch([(placed, name, None)])])
    report = await control.ended(run)

    assert "secret" in str(report.refused)
    assert b"" == await control.output(run)


async def test_private(make_host: Callable[..., FakeHost]) -> None:
    """While it is there, the file is its owner's alone."""
    control = await make_host("dash").control()
    run = a_run("true", cwd="/nowhere-at-all")  # refused after its secrets were read, so that the file stays
    await control.start(run, secrets=SECRETS)
    await control.ended(run)
    modes = [path.stat().st_mode & 0o777 for path in files(control.folder(run)) if b"hush" in path.read_bytes()]

    assert [0o600] == modes
    control.close()
