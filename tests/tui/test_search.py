from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.tui import search
from sshsched.tui.search import find


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> object:
    """A match that lies in two blocks is the usual case here."""
    patch = pytest.MonkeyPatch()
    patch.setattr(search, "BLOCK", 5)
    yield
    patch.undo()


@given(st.text("abAB", min_size=1, max_size=4), st.text("abAB", max_size=40), st.data())
def test_a_match_is_found_wherever_it_lies(needle: str, text: str, data: st.DataObject) -> None:
    """The next one after a place, or the last one before it, as looking at the whole text would find it."""
    whole, wish = text.encode(), needle.lower()
    place = data.draw(st.integers(-1, len(text)))

    def look(back: bool) -> int:
        found = find(lambda at, size: whole[at : at + size], len(whole), needle, place, back=back, wanted=lambda: True)
        return -1 if found is None else found

    assert text.lower().find(wish, place + 1) == look(back=False)
    assert (text.lower().rfind(wish, 0, place + len(wish) - 1) if place >= 0 else -1) == look(back=True)


def test_nobody_waits_for_a_search_that_is_not_wanted() -> None:
    """It ends at the next block."""
    assert find(lambda at, size: b"x" * size, 1 << 40, "y", -1, back=False, wanted=lambda: False) is None
