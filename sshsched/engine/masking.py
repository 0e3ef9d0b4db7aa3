"""Secrets in what programs print: each is replaced by as many stars, so that sizes and offsets stay those of the host.

Rule: what may be the beginning of a secret is not taken before it is known whether it is one; so a secret that comes in
two pieces is masked like one in a single piece, and never stored, not even for a moment. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


class Mask:
    """For some secrets. Where two begin at the same place the longer one counts; they do not overlap."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted(
            {each.encode(errors="surrogateescape") for each in secrets if each}, key=len, reverse=True
        )
        self._any = re.compile(b"|".join(map(re.escape, self._secrets)))

    def data(self, data: bytes, *, final: bool) -> bytes:
        """What may be stored of these bytes: all, if they are the last; else up to where a secret may have begun."""
        if not self._secrets:
            return data
        begun = [] if final else self._begun(data)
        made, at = bytearray(), 0
        while True:
            match = self._any.search(data, at)
            held = next((place for place in begun if place >= at), None)
            if held is not None and (match is None or held <= match.start()):
                return bytes(made + data[at:held])
            if match is None:
                return bytes(made + data[at:])
            made += data[at : match.start()] + b"*" * (match.end() - match.start())
            at = match.end()

    def text(self, text: str) -> str:
        """A message without secrets."""
        return self.data(text.encode(errors="surrogateescape"), final=True).decode(errors="surrogateescape")

    def _begun(self, data: bytes) -> list[int]:
        """The places, in order, from which on all bytes are the beginning of a secret, and not the whole of it."""
        ends = {
            len(data) - size
            for secret in self._secrets
            for size in range(1, min(len(secret), len(data) + 1))
            if data.endswith(secret[:size])
        }
        return sorted(ends)


NO_MASK = Mask(())
