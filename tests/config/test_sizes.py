"""Sizes are read as people write them, or refused with how to write them."""

from __future__ import annotations

import re

import pytest

from sshsched.config.sizes import PATTERN, size

GOOD = {
    "1": 1,
    "500": 500,
    "10B": 10,
    "500MB": 500_000_000,
    "10 GB": 10_000_000_000,
    "10gib": 10 << 30,
    "1.5KiB": 1536,
    " 2TB ": 2 * 10**12,
}
BAD = ["", "big", "0", "-1GB", "10 G B", "10Gb/s", "1e9", "2000 PB", "0.1B", "1,5GB", "GB", "٣GB"]


@pytest.mark.parametrize("text", GOOD)
def test_a_size_is_understood(text: str) -> None:
    """All usual ways to write a size mean their bytes."""
    assert GOOD[text] == size(text)
    assert re.search(PATTERN, text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_size_is_refused(text: str) -> None:
    """What could mean something else is not guessed."""
    with pytest.raises(ValueError, match=r"^'.*' (is no size; write 500MB|must be at least a byte)"):
        size(text)
