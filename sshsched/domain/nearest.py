"""Advice for words that are not known.

Rule: whoever refuses a word says which known one is nearest.
"""

from __future__ import annotations

from collections.abc import Iterable


def unknown(word: str, known: Iterable[str]) -> str:
    """`unknown 'comand'; did you mean 'command'?`, or all that is known where nothing is near."""
    from difflib import get_close_matches  # only needed when something is wrong

    names = sorted(map(str, known))
    near = get_close_matches(word, names, n=1)
    return f"unknown {word!r}; " + (f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}")
