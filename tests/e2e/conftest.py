"""What end-to-end tests stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import Lab, Wire, lab
from tests.sshd import Sshd, make_sshd, sshd

__all__ = ["make_sshd", "sshd"]


@pytest.fixture
def box(tmp_path: Path, sshd: Sshd) -> Iterator[Lab]:
    """A lab with one stock host, `box`; its scheduler runs."""
    with lab(tmp_path, sshd) as made:
        yield made.start()


@pytest.fixture
def wire(sshd: Sshd) -> Iterator[Wire]:
    """A wire to `box`."""
    with Wire(sshd.port) as made:
        yield made


@pytest.fixture
def wired(tmp_path: Path, sshd: Sshd, wire: Wire) -> Iterator[Lab]:
    """A lab whose host `box` is behind the wire; its scheduler runs."""
    with lab(tmp_path, sshd) as made:
        made.reach({"box": wire.port})
        yield made.start()
