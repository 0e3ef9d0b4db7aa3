"""The client is quick to import and may be interrupted anywhere."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from sshsched.domain.shape import Shape
from sshsched.service.client import Client
from tests.service.scheduler import Scheduler
from tests.support import ROOT


async def test_ctrl_c(scheduler: Scheduler, client: Client, tmp_path: Path) -> None:
    """Ctrl-C within a call spoils no later call."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def slow(name: str) -> Shape:
        asked.set()
        await release.wait()
        return {"host": name}

    scheduler.check_host = slow  # type: ignore[method-assign]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CTRL_C, tmp_path, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout is not None
    await asyncio.wait_for(asked.wait(), 10)
    child.send_signal(signal.SIGINT)
    said = await asyncio.wait_for(child.stdout.readline(), 5)
    release.set()

    code = await child.wait()

    assert b"serve\n" == said
    assert 0 == code


CTRL_C = """
import pathlib, sys
from sshsched.service.client import Client
client = Client(pathlib.Path(sys.argv[1]))
try:
    client.status()
    client.check_host("nas")
except KeyboardInterrupt:
    print(client.status()["mode"])
"""


def test_quick_to_import() -> None:
    """The client brings none of the heavy modules along."""
    heavy = ["asyncio", "asyncssh", "msgspec", "starlette", "uvicorn", "http.client", "ssl", "email", "rich", "sqlite3"]
    code = f"import sys, sshsched.service.client; print([name for name in {heavy} if name in sys.modules])"

    assert "[]\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
