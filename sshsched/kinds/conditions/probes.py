"""What conditions that ask a host have in common: which host, how often, and what an answer is worth.

Rule: an answer counts for as long as the time from one question to the next. Before there is one, and when it has grown
old, the condition waits and has it asked again.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sshsched.domain import keys
from sshsched.domain.draft import host_flaw
from sshsched.domain.model import Run
from sshsched.domain.view import Answer, Fact, Probe, Ready, View, Wait
from sshsched.kinds.written import Seconds

Host = Annotated[str, Meta(description="the host that is asked; the run's own if none is given")]
Every = Annotated[Seconds, Meta(description="the time from one question to the next")]

LEAST = 0.1
WORDS = 200


def host_of(named: str, run: Run) -> str:
    """The host that is meant. Raises ValueError where the run has none of its own yet."""
    host = named or run.host or run.asked
    if not host or host.startswith(("@", "tags:")):
        asked = f"the run asks for {host}, which is no single host" if host else "the run has none of its own"
        raise ValueError(f"it does not say which host to ask, and {asked}; name one under 'host'")
    if flaw := host_flaw(host):
        raise ValueError(f"host: {flaw}")
    return host


def asked(probe: Probe, why: str, view: View, at: float) -> Answer:
    """Ready if the host has just said yes; else a wait for what it says next."""
    fact = view.facts.get(probe.key)
    on = (probe.key, keys.host(probe.host))
    if fact is None or abs(at - fact.at) >= probe.every:
        return Wait(why + problem(probe.host, view) + _said(fact), on, at + probe.every, probe)
    return Ready() if fact.ok else Wait(why + _said(fact), on, fact.at + probe.every)


def check_every(every: float) -> None:
    """Raises ValueError for a time that would have a host asked without a pause."""
    if every < LEAST:
        raise ValueError(f"every: {every:g} s is too often; write {LEAST:g} s or more")


def problem(host: str, view: View) -> str:
    """Why a host cannot be reached, to be put behind what is waited for; empty if nothing is known of that."""
    known = view.hosts.get(host)
    return f"; {host} cannot be reached: {known.problem}" if known and not known.up and known.problem else ""


def _said(fact: Fact | None) -> str:
    return f"; it said: {fact.words[:WORDS]}" if fact and fact.words and not fact.ok else ""
