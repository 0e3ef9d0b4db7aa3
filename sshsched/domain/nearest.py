"""Advice for words that are not known.

Rule: whoever refuses a word says which known one is nearest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

LONGEST = 60  # characters: nobody meant a known word with more


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like it, large or small; None if none does."""
    from difflib import get_close_matches  # only needed when something is wrong

    words = {str(each).lower(): str(each) for each in known}
    word = word[:LONGEST].lower()
    folder, slash, last = word.rpartition("/")
    for near in get_close_matches(word, words):
        # Ids of one folder begin alike, which means nothing.
        if not slash or not near.startswith(folder + slash) or get_close_matches(last, [near.rpartition("/")[2]]):
            return words[near]
    return None


def suggest(word: str, known: Iterable[str], also: Collection[str] = ()) -> str:
    """`; did you mean 'timeout'?`, or which words there are. `also` holds words to suggest but not to list."""
    names = sorted(map(str, known))
    if near := nearest(word, (*names, *also)):
        return f"; did you mean {near!r}?"
    return f"; known: {', '.join(names)}" if names else ""


def unknown(word: str, known: Iterable[str]) -> str:
    """`unknown 'comand'; did you mean 'command'?`, or all that is known where nothing is near."""
    return f"unknown {word!r}{suggest(word, known)}"
