"""Fixtures for talking to hosts."""

from __future__ import annotations

from tests.sshd import make_sshd, sshd

__all__ = ["make_sshd", "sshd"]
