"""Fixtures for all tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sshsched.demo.hosts import DemoHosts


def pytest_configure() -> None:
    """Ignore no signal: what is run in the background may ignore INT, QUIT and HUP, and so would all its children."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture
def demo_hosts(tmp_path: Path) -> Iterator[DemoHosts]:
    """Three embedded ssh hosts, `nas`, `web1` and `web2`: fresh for each test, and gone with all programs."""
    with DemoHosts(tmp_path / "demo") as hosts:
        yield hosts
