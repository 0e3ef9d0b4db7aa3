"""The patterns of ssh_config and known_hosts: `*`, `?` and a leading `!` (ssh_config(5), PATTERNS)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(char) or re.escape(char) for char in pattern), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether one pattern, without `!`, covers the whole text."""
    return _regex(pattern).fullmatch(text) is not None


def matches_any(patterns: Iterable[str], text: str) -> bool:
    """Whether a list covers the text: some pattern matches, and none of those with `!`."""
    found = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if matches(pattern[1:], text):
                return False
        else:
            found = found or matches(pattern, text)
    return found
