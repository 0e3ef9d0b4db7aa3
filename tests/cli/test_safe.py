"""Whatever goes in, nothing dangerous comes out; what is harmless stays as it is."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.cli.safe import SafeStream, safe_line, safe_text

COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
BIDI_AND_INVISIBLE = frozenset(
    "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)

nasty = st.lists(
    st.sampled_from(
        [
            *(b"\x1b", b"[", b"31", b";", b"m", b"]0;title\x07", b"P", b"\\", b"\x9b", b"\xc2\x9b", b"\xc2\x9d"),
            *(b"\r", b"\n", b"\t", b"\x00", b"\x08", b"\x7f", b"a", "é".encode(), b"\xff", b"\xed\xa0\x80"),
            *(b"\xe2\x80\xae", b"\xe2\x80", b"\xae"),
        ]
    )
    | st.binary(max_size=4)
)


def dangerous(text: str, *, also: str = "") -> list[str]:
    """By Unicode's own word on each character, not by our pattern."""
    return [
        char
        for char in text
        if (unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") and char not in also) or char in BIDI_AND_INVISIBLE
    ]


def feed_all(chunks: list[bytes], *, colours: bool) -> str:
    stream = SafeStream(colours=colours)
    return "".join([*map(stream.feed, chunks), stream.close()])


@given(st.text())
def test_nothing_dangerous_leaves_a_line(text: str) -> None:
    """A cell has no control character, no newline and nothing that turns or hides text."""
    assert [] == dangerous(safe_line(text))


@given(st.text())
def test_nothing_dangerous_leaves_a_text(text: str) -> None:
    """A text keeps only newline and tab."""
    assert [] == dangerous(safe_text(text), also="\n\t")


@given(nasty)
def test_nothing_dangerous_leaves_a_stream(chunks: list[bytes]) -> None:
    """Output on a terminal without colours keeps only newline and tab, however it is cut."""
    assert [] == dangerous(feed_all(chunks, colours=False), also="\n\t")


@given(nasty)
def test_only_colours_leave_a_coloured_stream(chunks: list[bytes]) -> None:
    """With colours, ESC appears only as the begin of a complete SGR sequence."""
    assert [] == dangerous(COLOUR.sub("", feed_all(chunks, colours=True)), also="\n\t")


@given(nasty, st.booleans())
def test_cuts_do_not_matter(chunks: list[bytes], colours: bool) -> None:
    """A sequence split over chunks is the sequence."""
    whole = b"".join(chunks)
    single = [whole[i : i + 1] for i in range(len(whole))]

    assert feed_all([whole], colours=colours) == feed_all(chunks, colours=colours)
    assert feed_all([whole], colours=colours) == feed_all(single, colours=colours)


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"))))
def test_harmless_text_is_unchanged(text: str) -> None:
    """Text without control characters stays as it is, in every way out."""
    assert text == safe_line(text)
    assert text == safe_text(text)
    assert text == feed_all([text.encode()], colours=True)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1b[2J", r"\x1b[2J"),
        (b"\x9b2J", r"\x9b2J"),
        (b"\xc2\x9b2J", r"\x9b2J"),
        (b"\x1b]0;gotcha\x07", r"\x1b]0;gotcha\x07"),
        ("\u202egnp.exe".encode(), r"\u202egnp.exe"),
        ("\U000e0041".encode(), r"\U000e0041"),
        (b"10%\r20%\r\ndone", "10%\n20%\ndone"),
        (b"a\tb\nc", "a\tb\nc"),
        (b"\x1b[31", r"\x1b[31"),
        (b"caf\xc3", "caf\\xc3"),
    ],
)
def test_what_is_dangerous_is_shown(data: bytes, shown: str) -> None:
    """Nothing is dropped in silence: the reader sees that it was there."""
    assert shown == feed_all([data], colours=True)


def test_colours_end_with_the_stream() -> None:
    """A program that leaves its colour on does not colour the prompt."""
    assert "\x1b[31mred\x1b[0m" == feed_all([b"\x1b[3", b"1mred"], colours=True)
    assert "\\x1b[31mred" == feed_all([b"\x1b[3", b"1mred"], colours=False)
