"""A file is there, or is not: by name or pattern, age and size.

Rule: the question is sh text that changes nothing. It is asked in the home folder, so a path may begin there; names are
quoted, whatever is in them. Sizes are compared by `find`, which counts further than the sh of some hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from sshsched.domain.model import Run
from sshsched.domain.view import Answer, Probe, View
from sshsched.kinds.conditions.base import Condition
from sshsched.kinds.conditions.probes import Every, Host, asked, check_every, host_of
from sshsched.kinds.written import Bytes, Seconds

_SPECIAL = re.compile(r"([*?\[\]!-]+)")

# `stat -c` is that of GNU and busybox, `stat -f` that of the BSDs.
_AGE = 'born=$(stat -L -c %Y "$file" 2>/dev/null || stat -L -f %m "$file") || exit 3\nage=$(($(date +%s) - born))\n'


class File(Condition, frozen=True, kw_only=True):
    """A file of this name, or one that a pattern finds, is on a host; `exists: false` waits until there is none."""

    path: Annotated[str, Meta(description="the file or folder; from the home folder, unless it begins with /")] = ""
    glob: Annotated[str, Meta(description="a pattern with * ? and [...], instead: one file that fits is enough")] = ""
    host: Host = ""
    exists: Annotated[bool, Meta(description="false: there has to be none")] = True
    older_than: Annotated[Seconds | None, Meta(description="only files that were last changed so long ago")] = None
    newer_than: Annotated[Seconds | None, Meta(description="only files that were changed since")] = None
    min_size: Annotated[Bytes | None, Meta(description="only files of so many bytes or more, like 10kB")] = None
    max_size: Annotated[Bytes | None, Meta(description="only files of so many bytes or less")] = None
    every: Every = 10.0

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.glob):
            raise ValueError("give exactly one of 'path' (a name) and 'glob' (a pattern)")
        if "\0" in self.path + self.glob:
            raise ValueError("a file's name cannot hold a NUL character")
        check_every(self.every)

    def ask(self, run: Run, view: View, at: float) -> Answer:
        host = host_of(self.host, run)
        name = f"{self.path or self.glob}{self._limits()} on {host}"
        return asked(Probe(host, self.script(), self.every), name if self.exists else f"{name} to go", view, at)

    def script(self) -> str:
        """The question: exit code 0 is yes, and names the file; 3 is a host that cannot tell."""
        tests = "".join(f"{line}\n" for line in self._tests())
        found = "printf '%s\\n' \"$file\"\nexit 0" if self.exists else "exit 1"
        return (
            'cd "${HOME:-/}" || exit 3\n'
            f"for file in {self._words()}; do\n"
            '[ -e "$file" ] || continue\n'
            f"{tests}{found}\ndone\nexit {1 if self.exists else 0}"
        )

    def _tests(self) -> Iterator[str]:
        sizes = []
        if self.min_size:
            sizes.append(f"-size +{self.min_size - 1}c")
        if self.max_size is not None:
            sizes.append(f"! -size +{self.max_size}c")
        if sizes:
            yield f'[ -n "$(find -L "$file" -prune {" ".join(sizes)})" ] || continue'
        if self.older_than is not None or self.newer_than is not None:
            yield _AGE.rstrip("\n")
        if self.older_than is not None:
            yield f"[ $age -ge {round(self.older_than)} ] || continue"
        if self.newer_than is not None:
            yield f"[ $age -lt {round(self.newer_than)} ] || continue"

    def _words(self) -> str:
        """The name or pattern as the shell is to read it; never one that could be an option."""
        text = self.path or self.glob
        home = text.startswith("~/")
        if home:
            text = text[2:]
        pieces = [text] if self.path else _SPECIAL.split(text)
        quoted = "".join(piece if self.glob and _SPECIAL.fullmatch(piece) else _quoted(piece) for piece in pieces)
        return quoted if text.startswith("/") and not home else f"./{quoted}"

    def _limits(self) -> str:
        told = {"older than": self.older_than, "newer than": self.newer_than}
        ages = [f"{words} {seconds:g} s" for words, seconds in told.items() if seconds is not None]
        sizes = {"at least": self.min_size, "at most": self.max_size}
        limits = [*ages, *(f"{words} {count} bytes" for words, count in sizes.items() if count is not None)]
        return f" ({', '.join(limits)})" if limits else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'" if text else ""
