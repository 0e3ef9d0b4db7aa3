"""Fixtures of these tests: an installed package with kinds of its own."""

from __future__ import annotations

from tests.kinds.conftest import tides as tides
