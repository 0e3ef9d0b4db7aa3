"""What the details of a run say: summary, log and program as lines of a word and a text.

Rule: pure, and of harmless text only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sshsched.cli.safe import safe_line, safe_text
from sshsched.cli.times import moment, span
from sshsched.cli.verdict import ending, finished, standing, work
from sshsched.domain.model import LogEntry
from sshsched.domain.shape import iso
from sshsched.tui.columns import MUTED, PLAIN, WARNING
from sshsched.tui.model import Shape, instant


class Fact(NamedTuple):
    """A line; `word` is empty where it goes on with the one above."""

    word: str
    text: str
    tone: str = PLAIN


def summary(run: Shape, now: float) -> Iterator[Fact]:
    """How a run stands and what came of it."""
    state = ending(run) if finished(run) else standing(run, now)
    yield Fact("state", state, WARNING if run["unreachable_since"] else run["state"])
    yield Fact("what", work(run))
    yield Fact("host", safe_line(run["host"] or ""))
    yield from _maybe("labels", ", ".join(run["labels"]))
    yield from _maybe("by", run["by"])
    yield from _maybe("asked for", run["asked"] if run["asked"] != run["host"] else "")
    yield from _maybe("held", run["held"] or "")
    yield from _maybe("workflow", f"{run['root']}, step {run['step']}" if run["root"] else "")
    yield from _maybe("hands on", ", ".join(f"{name}={value}" for name, value in run["values"].items()))
    yield from _maybe("repeats", f"{run['rerun_of']}, attempt {run['attempt']}" if run["rerun_of"] else "")
    yield from _maybe("repeated", f"by {run['retried_by']}" if run["retried_by"] else "")
    for word, field in (
        ("made", "created_at"),
        ("due", "schedule_time"),
        ("started", "started_at"),
        ("not before", "not_before"),
        ("ends at", "stop_at"),
        ("ended", "finished_at"),
        ("cut since", "unreachable_since"),
    ):
        if at := instant(run[field]):
            yield Fact(word, f"{moment(at)}   {iso(at)}")
    started, due = instant(run["started_at"]), instant(run["schedule_time"])
    if started and due and started - due >= 1:
        yield Fact("late by", span(started - due), WARNING)
    if (took := _took(run, now)) is not None:
        yield Fact("took", span(took))
    yield from _used(run)
    yield Fact("output", _output(run))
    yield from _maybe("pid", "" if run["pid"] is None else str(run["pid"]))
    yield from _maybe("spool", run["spool"] or "")
    if run["survivors"]:
        yield Fact("survivors", ", ".join(map(str, run["survivors"])), WARNING)
    if run["stop_asked"]:
        asked = run["stop_asked"]
        yield Fact("stop asked", safe_line(f"{asked['at']} by {asked['by']} ({asked['cause']}, {asked['signal']})"))
    if run["leftover_processes"] and not run["cause"]:  # a stop sees to them before the run ends
        yield Fact("left over", "processes of the program outlived it", WARNING)


def _maybe(word: str, text: str) -> Iterator[Fact]:
    if text:
        yield Fact(word, safe_line(text))


def _took(run: Shape, now: float) -> float | None:
    if run["elapsed"] is not None:
        return float(run["elapsed"])
    started = instant(run["started_at"])
    return None if started is None or finished(run) else max(0.0, now - started)


def _used(run: Shape) -> Iterator[Fact]:
    parts = [
        f"{run[field]:.2f} s {word}"
        for word, field in (("user", "cpu_user"), ("system", "cpu_system"))
        if run[field] is not None
    ]
    if parts:
        took = run["elapsed"] or 0
        share = f" ({100 * ((run['cpu_user'] or 0) + (run['cpu_system'] or 0)) / took:.0f} %)" if took else ""
        yield Fact("processor", f"{', '.join(parts)}{share}")
    if run["max_rss"] is not None:
        yield Fact("memory", f"{run['max_rss'] / (1 << 20):.1f} MiB at most")


def _output(run: Shape) -> str:
    sizes = f"{size(run['stdout_size'])}, standard error {size(run['stderr_size'])}"
    if run["output_lost"]:
        return f"{sizes}; the rest is lost"
    return sizes if run["output_complete"] else f"{sizes} so far"


def size(count: int) -> str:
    """Bytes for people."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def log(entries: Sequence[LogEntry]) -> Iterator[Fact]:
    """How it came to be as it is, oldest first."""
    for entry in entries:
        step = str(entry.new) if entry.old in (None, entry.new) else f"{entry.old} → {entry.new}"
        why = f"{entry.reason}: {safe_line(entry.message)}" if entry.message else str(entry.reason)
        same = entry.old == entry.new
        yield Fact(moment(entry.at), f"{'  ' if same else ''}{step}  {why}", MUTED if same else str(entry.new))


def program(run: Shape) -> Iterator[Fact]:
    """The job as it was bound for this run: all that it needs, from no job file."""
    yield Fact("job", safe_line(run["job"] or "none: a command"))
    for name, value in run["args"].items():
        yield Fact("arg", safe_line(f"{name}={value}"))
    found = run["program"]
    if found.get("command") is not None:
        yield from _block("command", safe_text(found["command"]).splitlines())
    yield from _block("argv", [safe_line(repr(each)) for each in found.get("argv", ())])
    yield from _block("env", [safe_line(f"{name}={value}") for name, value in (found.get("env") or {}).items()])
    for name in ("cwd", "user", "umask"):
        yield from _maybe(name, found.get(name) or "")
    if found.get("stdin") is not None:
        yield from _block("stdin", safe_text(found["stdin"][:10_000]).splitlines())
    if found.get("timeout") is not None:
        yield Fact("timeout", span(found["timeout"]))
    yield Fact("stop", safe_line(f"{found['stop']['signal']}, KILL after {span(found['stop']['grace'])}"))
    yield Fact("accepts", ", ".join(map(str, found.get("accept", (0,)))))


def _block(word: str, lines: Iterable[str]) -> Iterator[Fact]:
    for line in lines:
        yield Fact(word, line.expandtabs(8))
        word = ""
