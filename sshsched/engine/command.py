"""A command on the scheduler's own machine: for `exec`, and for secrets that a program knows.

Rule: it is a session of its own, and ends whole: whoever stops waiting kills the group.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import Mapping
from contextlib import suppress
from tempfile import TemporaryFile

from sshsched.kinds.actions.base import Command, DeliveryError

SEEN = 300  # characters of what it printed that are told
MOST = 1 << 16  # bytes that are kept of it
REST = 1.0  # seconds in which the last of its output comes after its end


async def execute(command: Command) -> None:
    """Run it to its end. Any exit code but 0, and taking too long, is a DeliveryError."""
    code, printed = await run(command.text, command.stdin, command.timeout, command.env, errors=STDOUT)
    if code is None:
        raise DeliveryError(f"the command took longer than {command.timeout:g} s and was ended")
    if code:
        words = " ".join(printed.decode(errors="backslashreplace").split())[-SEEN:]
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise DeliveryError(f"the command ended with {how}: {words}".rstrip(": "))


async def run(
    text: str, stdin: bytes, within: float, env: Mapping[str, str], *, errors: int = DEVNULL
) -> tuple[int | None, bytes]:
    """The exit code of a text for `sh -c`, None if it had to be ended, and what it printed first.

    What it leaves in the background, with its output open, is not waited for. Raises DeliveryError.
    """
    # A file and a pipe of our own: asyncio's wait() waits until its pipes are closed, in some versions.
    with TemporaryFile() as told:
        told.write(stdin)
        told.seek(0)
        ours, theirs = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", text),
                stdin=told,
                stdout=theirs,
                stderr=errors,
                env={**os.environ, **env},
                start_new_session=True,
            )
        except OSError as error:
            os.close(ours)
            raise DeliveryError(f"the command cannot be started: {error}") from None
        finally:
            os.close(theirs)
    printed = bytearray()
    reading = asyncio.create_task(_read(ours, printed))
    try:
        async with asyncio.timeout(within):
            await process.wait()
        await asyncio.wait([reading], timeout=REST)
    except TimeoutError:
        return None, bytes(printed)
    finally:
        reading.cancel()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode, bytes(printed)


async def _read(pipe: int, into: bytearray) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0)
    )
    try:
        while data := await reader.read(MOST):
            into += data[: max(0, MOST - len(into))]
    finally:
        transport.close()
