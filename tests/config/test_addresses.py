"""Where to listen is understood, or refused; a port alone stays on this machine."""

from __future__ import annotations

import re

import pytest

from sshsched.config.addresses import PATTERN, listen_at

GOOD = {
    "9464": ("127.0.0.1:9464", True),
    " 80 ": ("127.0.0.1:80", True),
    "127.0.0.1:9464": ("127.0.0.1:9464", True),
    "localhost:1": ("localhost:1", True),
    "[::1]:9464": ("[::1]:9464", True),
    "0.0.0.0:9464": ("0.0.0.0:9464", False),
    "192.0.2.7:65535": ("192.0.2.7:65535", False),
    "nas.example.org:9464": ("nas.example.org:9464", False),
}
BAD = ["", "nine", "0", "65536", "127.0.0.1", "::1:9464", ":9464", "a b:1", "1:2:3", "http://x:1", "x:-1", "٣"]


@pytest.mark.parametrize("text", GOOD)
def test_an_address_is_understood(text: str) -> None:
    """Whether only this machine gets there is known."""
    found = listen_at(text)

    assert GOOD[text] == (str(found), found.private)
    assert re.search(PATTERN, text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_none_is_refused(text: str) -> None:
    """Nothing is opened that nobody wrote."""
    with pytest.raises(ValueError, match=r"^'.*' is no address; write 9464, or 127.0.0.1:9464$"):
        listen_at(text)
