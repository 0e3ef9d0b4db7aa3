"""Fixtures for talking to hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.remote.hostkit import Control, FakeHost, make_shell
from tests.sshd import make_sshd, sshd

__all__ = ["make_sshd", "sshd"]


@pytest.fixture
async def make_host(tmp_path: Path) -> AsyncIterator[Callable[..., FakeHost]]:
    """Makes hosts of a given shell; all that runs on them is gone afterwards."""
    made: list[FakeHost] = []

    def make(shell: str = "dash", **how: object) -> FakeHost:
        folder = tmp_path / f"host{len(made)}"
        folder.mkdir()
        made.append(host := FakeHost(folder, make_shell(shell, folder / "bin"), **how))  # type: ignore[arg-type]
        return host

    yield make
    for host in made:
        await host.end()


@pytest.fixture
async def control(make_host: Callable[..., FakeHost]) -> AsyncIterator[Control]:
    """A control shell on a host whose /bin/sh is dash."""
    control = await make_host().control()
    yield control
    control.close()
