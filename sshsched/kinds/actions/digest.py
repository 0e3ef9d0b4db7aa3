"""The daily digest as people read it: its subject and its text, from facts alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]
BAD = ("failure", "error")
_WORTH = (
    ("late", "Late to start"),
    ("long", "Running for long"),
    ("held", "Held"),
    ("unreachable", "Unreachable"),
    ("untold", "Could not be delivered"),
    ("next", "Next"),
)


def digest_subject(facts: Facts) -> str:
    """12 runs ended: 2 failure, 10 success (since 2027-06-10 07:30)"""
    return f"{_ended(facts)} (since {facts['since']})"


def totals(facts: Facts) -> dict[str, int]:
    """How many runs ended in each state, the bad ones first."""
    found: dict[str, int] = {}
    for counts in facts["jobs"].values():
        for state, number in counts.items():
            found[state] = found.get(state, 0) + number
    return dict(sorted(found.items(), key=lambda item: (item[0] not in BAD, item[0])))


def _ended(facts: Facts) -> str:
    total = totals(facts)
    if not total:
        return "no run ended"
    count = sum(total.values())
    words = ", ".join(f"{number} {state}" for state, number in total.items())
    return f"{count} run{'s' if count > 1 else ''} ended: {words}"


def digest_body(facts: Facts) -> str:
    """The whole text."""
    return "\n\n".join(_parts(facts)) + "\n"


def _parts(facts: Facts) -> Iterator[str]:
    yield f"From {facts['since']} to {facts['until']}, {_ended(facts)}."
    if facts["jobs"]:
        ranked = sorted(facts["jobs"].items(), key=lambda item: (not any(map(item[1].get, BAD)), item[0]))
        width = max(len(name) for name, _ in ranked)
        yield _listed(
            "By job",
            [
                f"{name:<{width}}  {', '.join(f'{number} {state}' for state, number in sorted(counts.items()))}"
                for name, counts in ranked
            ],
        )
    for key, title in _WORTH:
        if facts.get(key):
            yield _listed(title, facts[key])


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"    {line}" for line in lines)])
