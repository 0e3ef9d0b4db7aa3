from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sshsched.tui.layout import Head, fitted, shown

GAP = 2
heads = st.lists(
    st.builds(
        Head,
        st.uuids().map(lambda each: str(each)[:8]),
        st.integers(0, 9),
        st.booleans(),
        st.booleans(),
        st.integers(0, 12),
    ),
    min_size=1,
    max_size=10,
)


@given(heads, st.integers(20, 250), st.lists(st.integers(0, 80), min_size=10, max_size=10))
def test_columns_never_take_more_than_there_is(columns: list[Head], width: int, wide: list[int]) -> None:
    """Whatever the cells want, a line has room on the screen."""
    widest = {head.title: wide[index] for index, head in enumerate(columns)}
    kept = shown(columns, widest, width, GAP)
    widths = fitted(columns, kept, widest, width, GAP)

    assert width >= sum(widths.values()) + GAP * (len(widths) - 1)
    assert set(kept) == set(widths)
    assert kept == sorted(kept)
    assert all(each >= 0 for each in widths.values())


def test_the_highest_rank_goes_first() -> None:
    """What matters least goes where there is no room for all."""
    columns = [Head("RUN", 0), Head("HOST", 2), Head("STATE", 1, least=10)]

    assert [0, 1, 2] == shown(columns, {"HOST": 20}, 80, GAP)
    assert [0, 2] == shown(columns, {"HOST": 20}, 30, GAP)
    assert [0] == shown(columns, {}, 5, GAP)
