"""Where secrets are kept: names and places, never a secret itself."""

from __future__ import annotations

from dataclasses import dataclass

NAME = r"[\w.@+/-]+"
WANTED = "name of a secret; use letters, digits and . _ @ + / -"


@dataclass(frozen=True, slots=True)
class Source:
    """Where one secret is kept.

    `kind` is env (`words` is the variable), file (the path, ~ allowed), command (program and arguments; one word alone
    is for `sh -c`) or keyring (service and user).
    """

    kind: str
    words: tuple[str, ...]
