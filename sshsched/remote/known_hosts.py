"""Which keys of a host are known, and where it says so. See SSH_KNOWN_HOSTS FILE FORMAT in sshd(8).

Rule: only reads and compares. asyncssh does the cryptography and gets its trusted keys from here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sshsched.remote.patterns import matches_any

SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a known_hosts file. `marker` is "", "cert-authority" or "revoked"."""

    marker: str
    names: str
    kind: str
    blob: bytes
    file: Path
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.blob)

    @property
    def public_line(self) -> str:
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    def covers(self, name: str) -> bool:
        """Whether this line speaks of a host that goes by `name`."""
        if self.names.startswith("|1|"):
            return _hash_matches(self.names, name)
        return matches_any(self.names.lower().split(","), name)


@dataclass(frozen=True, slots=True)
class Known:
    """All that the files say about one host."""

    keys: tuple[Entry, ...] = ()
    authorities: tuple[Entry, ...] = ()
    revoked: tuple[Entry, ...] = ()

    def has(self, blob: bytes) -> bool:
        return any(entry.blob == blob for entry in self.keys)

    def revoked_entry(self, blob: bytes) -> Entry | None:
        return next((entry for entry in self.revoked if entry.blob == blob), None)


def fingerprint(blob: bytes) -> str:
    """SHA256:..., as ssh and ssh-keygen show it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def known_name(host: str, port: int) -> str:
    """How known_hosts calls a host: `host`, or `[host]:port` for another port than 22."""
    host = host.lower()
    return host if port == SSH_PORT else f"[{host}]:{port}"


def find(files: Iterable[Path], name: str) -> Known:
    """What the files say about `name`, as given by `known_name` or by HostKeyAlias. Missing files say nothing.

    A host on another port than 22 may also be known by its bare name, as with ssh, if `[host]:port` is in no file.
    """
    entries = [entry for file in files for entry in read(file)]
    known = _select(entries, name)
    if name.startswith("[") and not (known.keys or known.authorities):
        bare = _select(entries, name[1 : name.rindex("]")])
        return replace(bare, revoked=known.revoked + bare.revoked)
    return known


def _select(entries: Iterable[Entry], name: str) -> Known:
    found: dict[str, list[Entry]] = {"": [], "cert-authority": [], "revoked": []}
    for entry in entries:
        if entry.covers(name.lower()):
            found[entry.marker].append(entry)
    return Known(tuple(found[""]), tuple(found["cert-authority"]), tuple(found["revoked"]))


def read(file: Path) -> Iterator[Entry]:
    """The lines of one file; lines that make no sense are passed over, as ssh does."""
    try:
        text = file.read_text(errors="replace")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if entry := _entry(line, file, number):
            yield entry


def _entry(line: str, file: Path, number: int) -> Entry | None:
    words = line.split()
    marker = words.pop(0)[1:] if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#") or marker not in ("", "cert-authority", "revoked"):
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    return Entry(marker, words[0], words[1], blob, file, number)


def _hash_matches(hashed: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in hashed[3:].split("|"))
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(digest, hmac.new(salt, name.encode(), hashlib.sha1).digest())
