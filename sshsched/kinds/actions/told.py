"""What people read when they are told of something: a subject and a text, from facts alone. Pure.

Rule: the subject alone says job, run, host and outcome; the text says how to look closer. Nothing here is longer than
it has to be on a phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sshsched.domain.instructions import Notice
from sshsched.kinds.actions.base import DIGEST
from sshsched.kinds.actions.digest import digest_body, digest_subject

LONGEST_SUBJECT = 200
Facts = Mapping[str, Any]

_SAID = {
    "success": "succeeded",
    "failure": "failed",
    "error": "ended as an error",
    "skipped": "was skipped",
    "retry": "did not succeed, and is tried again",
    "held": "waits for your decision",
    "late": "has not started in time",
    "long": "is still running",
}
_LINES = (
    ("job", "job"),
    ("run", "run"),
    ("host", "host"),
    ("asked", "asked for"),
    ("step", "step"),
    ("attempt", "attempt"),
    ("schedule_time", "due"),
    ("started_at", "started"),
    ("finished_at", "ended"),
    ("elapsed", "seconds"),
)


def subject_of(notice: Notice) -> str:
    """One line that can stand for all of it."""
    facts = notice.facts
    if notice.occasion == DIGEST:
        return one_line(digest_subject(facts))
    if notice.occasion == "absent":
        return one_line(f"{facts['job']} has not succeeded by {facts['by']}")
    why = f": {facts['message']}" if facts.get("message") and notice.occasion not in ("success", "held") else ""
    host = f" on {facts['host']}" if facts.get("host") else ""
    said = _SAID.get(notice.occasion, f"is {notice.occasion}")
    return one_line(f"{name_of(facts)}{host} {said}{why} ({facts['run']})")


def body_of(notice: Notice, tail: str) -> str:
    """The whole text."""
    if notice.occasion == DIGEST:
        return digest_body(notice.facts)
    parts = _absent(notice.facts) if notice.occasion == "absent" else _of_run(notice, tail)
    return "\n\n".join(parts) + "\n"


def name_of(facts: Facts) -> str:
    """The job, or the words of an ad hoc command."""
    if facts.get("job"):
        return str(facts["job"])
    program = facts.get("program") or {}
    return one_line(str(program.get("command") or " ".join(program.get("argv") or ("a command",))))[:60]


def one_line(text: str) -> str:
    """The text as the header of a message can hold it."""
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text).strip()
    return plain if len(plain) <= LONGEST_SUBJECT else f"{plain[: LONGEST_SUBJECT - 3]}..."


def harmless(line: str) -> str:
    """A line of a program as a letter may hold it: colours are gone, what else is no character is shown."""
    plain = re.sub(r"\x1b\[[0-9;:?]{0,60}[A-Za-z]", "", line)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", _shown, plain)


def _shown(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _of_run(notice: Notice, tail: str) -> Iterator[str]:
    facts = notice.facts
    yield f"{subject_of(notice)}."
    yield "\n".join(_table(facts))
    if tail:
        quoted = "\n".join(f"    {line}" for line in tail.splitlines())
        yield f"The last lines of its output:\n\n{quoted}"
    look = [f"sshsched show {facts['run']}", f"sshsched output {facts['run']}"]
    if notice.occasion in ("failure", "error", "held"):
        look.append(f"sshsched rerun {facts['run']}")
    yield "\n".join(["Look closer:", *(f"    {line}" for line in look)])


def _table(facts: Facts) -> Iterator[str]:
    for key, word in _LINES:
        value = facts.get(key)
        same = key == "asked" and value == facts.get("host")
        if value and not same and not (key == "attempt" and value == 1):
            yield f"{word:<10}{value}"
    for name, value in (facts.get("args") or {}).items():
        yield f"{'arg':<10}{one_line(f'{name}={value}')}"
    how = ", ".join(str(facts[key]) for key in ("state", "reason") if facts.get(key))
    yield f"{'state':<10}{how}"
    if facts.get("message"):
        yield f"{'because':<10}{facts['message']}"


def _absent(facts: Facts) -> Iterator[str]:
    unseen = f" {facts['missed']} earlier times passed unseen: no scheduler ran." if facts["missed"] else ""
    yield f"{facts['job']} has not succeeded between {facts['since']} and {facts['by']}.{unseen}"
    if facts.get("live"):
        yield "\n".join(["These runs of it are not finished:", *(f"    {line}" for line in facts["live"])])
    else:
        yield "No run of it is under way."
    look = (f"sshsched runs job:{facts['job']}", f"sshsched job {facts['job']}", f"sshsched run {facts['job']}")
    yield "\n".join(["Look closer:", *(f"    {line}" for line in look)])
