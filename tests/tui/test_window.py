from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sshsched.tui.window import LONGEST, WINDOW, Window, bare

HOSTILE = b"a\x1b]52;c;AAAA\x07b\x1b]8;;http://x\x1b\\c\x1b[2Jd\x9b31me\xc2\x9b31mf\x1b[31mg\x1b[0mh\xe2\x80\xaei\xe2\x80\x8bj[/x]\x00\x7f\xff"
DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
pieces = st.lists(st.binary(max_size=40) | st.sampled_from([HOSTILE, b"\r", b"\n", b"\r\n", b"\x1b[1m", b"x" * 3000]))


@given(pieces)
@example([b"\r", b"\n"])
@example([b"\xe2\x80", b"\xae\n"])
def test_it_does_not_matter_where_output_is_cut(parts: list[bytes]) -> None:
    """Lines are the same however the bytes come."""
    whole, bitwise = Window(), Window()
    whole.append(b"".join(parts))
    for part in parts:
        bitwise.append(part)

    assert whole.lines == bitwise.lines
    assert whole.end == bitwise.end == len(b"".join(parts))


@given(pieces)
def test_nothing_dangerous_is_left(parts: list[bytes]) -> None:
    """Of all that a terminal would obey, only colours stay."""
    window = Window()
    window.append(b"".join(parts))

    assert not any(DANGEROUS.search(bare(line.text)) for line in window.lines)


def test_what_only_moves_the_cursor_is_dropped() -> None:
    """Titles, links, clipboards and moves vanish; the text around them stays, and markup is text."""
    window = Window()
    window.append(HOSTILE)

    assert r"abcd\x9b31me\x9b31mfgh\u202ei\u200bj[/x]\x00\x7f\xff" == bare(window.lines[0].text)
    assert "\x1b[31m" in window.lines[0].text


def test_colours_go_on_in_the_next_line() -> None:
    """A colour that is not switched off holds for the lines after it, also when its own line has gone."""
    window = Window()
    window.append(b"\x1b[1m\x1b[31mred\nstill\n\x1b[0moff\nplain\n")

    assert ["", "\x1b[1m\x1b[31m", "\x1b[1m\x1b[31m", ""] == [line.colours for line in window.lines]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 3 * WINDOW), max_size=6), st.booleans())
def test_only_a_window_is_held(sizes: list[int], newlines: bool) -> None:
    """However much comes, in whatever pieces, with lines or without, the bytes held are bounded and the newest."""
    window = Window()
    for size in sizes:
        window.append((b"0123456\n" if newlines else b"01234567") * (size // 8 + 1))

    assert window.end - window.begin <= WINDOW + LONGEST
    assert window.end == sum(8 * (size // 8 + 1) for size in sizes)
    assert all(len(line.text) <= LONGEST for line in window.lines)
    assert not window.lines or window.begin == window.lines[0].begin


def test_a_line_is_found_by_its_bytes() -> None:
    """The line that holds a byte, begin and end included."""
    window = Window(100)
    window.append(b"one\ntwo\nthree")

    assert [0, 0, 1, 1, 2, 2] == [window.at(place) for place in (100, 103, 104, 107, 108, 112)]
