"""Secrets in output: masked byte for byte, in however many pieces they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.engine.masking import NO_MASK, Mask

_letters = st.text("ab", min_size=1, max_size=4)


def in_pieces(mask: Mask, data: bytes, cuts: list[int]) -> bytes:
    """What is stored when a host's file grows to these sizes one after the other, and each time all new is fetched."""
    stored = b""
    for end in sorted(cut % (len(data) + 1) for cut in cuts):
        stored += mask.data(data[len(stored) : end], final=False)
        assert end >= len(stored)
    return stored + mask.data(data[len(stored) :], final=True)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"the pa55word is here", b"the ******** is here"),
        (b"no secret", b"no secret"),
        (b"pa55wordpa55word", b"*" * 16),
        (b"now pa55", b"now "),
        (b"now pa55 ", b"now pa55 "),
        (b"now pa55word", b"now ********"),
        (b"pa55pa55", b"pa55"),
        (b"", b""),
    ],
)
def test_masked(data: bytes, kept: bytes) -> None:
    """A secret becomes as many stars; what may be the beginning of one is left for later."""
    assert kept == Mask(["pa55word"]).data(data, final=False)


def test_the_last_bytes() -> None:
    """When nothing more comes, the beginning of a secret is none."""
    assert b"now pa55" == Mask(["pa55word"]).data(b"now pa55", final=True)


def test_the_longer_one() -> None:
    """Of two secrets that begin alike the longer one is masked whole, also if it comes in pieces."""
    mask = Mask(["abc", "abcdef"])

    assert b"" == mask.data(b"abc", final=False)
    assert b"******" == mask.data(b"abcdef", final=False)
    assert b"***x" == mask.data(b"abcx", final=False)


def test_not_ascii() -> None:
    """A secret of several bytes a letter is masked with a star for each byte."""
    assert b"*****!" == Mask(["pä55"]).data("pä55!".encode(), final=False)


@given(st.lists(_letters, max_size=3), st.text("abc", max_size=30), st.lists(st.integers(0, 40), max_size=6))
def test_pieces_are_as_the_whole(secrets: list[str], text: str, cuts: list[int]) -> None:
    """However the bytes come, what is stored is the same, as long as before, and holds no secret."""
    mask, data = Mask(secrets), text.encode()
    whole = mask.data(data, final=True)

    assert whole == in_pieces(mask, data, cuts)
    assert len(data) == len(whole)
    assert not any(secret.encode() in whole for secret in secrets)


def test_nothing_to_mask() -> None:
    """Without secrets nothing changes, and nothing waits."""
    assert b"anything" == NO_MASK.data(b"anything", final=False)
    assert "any\udcffthing" == Mask(["x"]).text("any\udcffthing")
