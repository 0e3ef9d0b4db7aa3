"""The two stores, which keep the same promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sshsched.store.memory import MemoryStore
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.store.samples import Pair


@pytest.fixture(params=["memory", "sqlite"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    """A store and what reads it."""
    if request.param == "memory":
        memory = MemoryStore()
        yield Pair(memory, memory)
        return
    async with open_store(tmp_path / "state") as store:
        with Reader(tmp_path / "state") as reader:
            yield Pair(store, reader)
