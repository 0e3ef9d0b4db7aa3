"""Runs as rows."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from sshsched.domain.model import Run
from sshsched.errors import StoreDamagedError
from sshsched.store import rows
from sshsched.store.reader import Reader
from sshsched.store.store import open_store
from tests.store.samples import any_run, new


def test_columns() -> None:
    """Every field of a run is stored, and each once."""
    names = sorted(field.name for field in fields(Run))

    assert names == sorted((*rows.COLUMNS, "program", "plan"))


@given(any_run)
@settings(deadline=None, max_examples=150)
async def test_round_trip(run: Run) -> None:
    """Any run comes back from the database as it was, to the bit."""
    with TemporaryDirectory() as folder:
        async with open_store(Path(folder)) as store:
            await store.commit(new(run))
            with Reader(Path(folder)) as reader:
                found = reader.run(run.id)

    assert run == found
    assert repr(run) == repr(found)


def test_broken_row() -> None:
    """A row that makes no run is named, with the remedy."""
    with pytest.raises(StoreDamagedError, match=r"run r5 in the database cannot be understood: .*; restore a backup"):
        rows.run_of([5, *["nonsense"] * len(rows.COLUMNS)])
