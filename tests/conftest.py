"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sshsched.demo.hosts import DemoHosts


@pytest.fixture
def demo_hosts(tmp_path: Path) -> Iterator[DemoHosts]:
    """Three embedded ssh hosts, `nas`, `web1` and `web2`: fresh for each test, and gone with all programs."""
    with DemoHosts(tmp_path / "demo") as hosts:
        yield hosts
