"""How a run ended: the exit code that scripts get, and the sentence that people get.

Rule: both are made from the shape that `--json` shows, and from nothing else. The codes are the design's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sshsched.cli.safe import safe_line
from sshsched.cli.times import from_iso, span

Shape = dict[str, Any]

NOT_ALL_WELL = 1
UNKNOWN = 69
TIMED_OUT = 124
FAILED_HERE = 125
SIGNAL = 128
INTERRUPTED = 130
UNREACHABLE = 255

MOST_NAMED = 5  # runs that did not succeed, in one last line

FINISHED = frozenset({"success", "failure", "error", "skipped"})

_BY_REASON = {
    "not-started": UNREACHABLE,
    "host-refused": UNREACHABLE,
    "lost": UNKNOWN,
    "rebooted": UNKNOWN,
    "spool-gone": UNKNOWN,
}


_CAUSES = {
    "timeout": "it reached its timeout",
    "stop": "it was stopped",
    "abandoned": "no scheduler had shown itself for too long",
}


def finished(run: Shape) -> bool:
    return run["state"] in FINISHED


def exit_code(runs: Sequence[Shape]) -> int:
    """The code for runs that have been waited for: one speaks for itself, several only say if all is well."""
    if len(runs) == 1:
        return _code(runs[0])
    return 0 if all(run["state"] == "success" for run in runs) else NOT_ALL_WELL


def _code(run: Shape) -> int:
    if run["state"] == "success":
        return 0
    if run["state"] == "failure":
        return _program_code(run)
    if run["spool"] is not None and run["reason"] in ("not-started", "host-refused"):
        return FAILED_HERE  # the host was reached, and would not start it: no such folder, disk full
    return _BY_REASON.get(run["reason"], FAILED_HERE)


def _program_code(run: Shape) -> int:
    if run["cause"] == "timeout":
        return TIMED_OUT
    if run["signal"] is not None:
        return SIGNAL + int(run["signal"])
    # A job may accept only other codes: a failure must not look like success.
    return int(run["exit_code"] or NOT_ALL_WELL)


def ending(run: Shape) -> str:
    """`success after 3.2 s`, `failure: exit 3 after 0.1 s`, `error: rebooted: ...`."""
    why = result(run)
    took = f" after {span(run['elapsed'])}" if run["elapsed"] is not None else ""
    text = f"{run['state']}: {why}" if why else str(run["state"])
    return text + (took if _by_itself(run) else "")


def _by_itself(run: Shape) -> bool:
    """Whether its state tells how its program ended, and not what somebody has marked it as since."""
    return run["state"] in ("success", "failure") and run["reason"] != "by-hand"


def result(run: Shape) -> str:
    """What the state alone does not tell: `exit 3`, `signal TERM, it was stopped`, `not-started: ...`."""
    if _by_itself(run):
        return _how(run)
    message = safe_line(run["message"])
    if finished(run):
        # Where the sentence tells the reason in words, twice would be too often.
        told = str(run["reason"]).replace("-", " ") in message
        return ": ".join(part for part in ([message] if told else [run["reason"], message]) if part)
    cut = "unreachable: " if run["unreachable_since"] else ""
    return f"{cut}{message}" if cut or _telling(run) else ""


def _telling(run: Shape) -> bool:
    """Whether its message tells more than its state: of a program that runs it does not, of a workflow it does."""
    return run["state"] != "running" or not (run["host"] or run["asked"])


def last_word(runs: Sequence[Shape]) -> str:
    """How waiting ended: `r12 failure: exit 3 after 4.2 s on web1`, `3 of 5 succeeded; r4 failure: exit 3, ...`."""
    if len(runs) == 1:
        if _by_itself(runs[0]):
            return f"{runs[0]['run']} {ending(runs[0])}{_on(runs[0])}"
        return f"{title(runs[0])} {ending(runs[0])}"  # its sentence ends as it likes, with a remedy often
    bad = [run for run in runs if run["state"] != "success"]
    if not bad:
        return f"all {len(runs)} succeeded"
    named = ", ".join(f"{run['run']} {run['state']}{_because(run)}" for run in bad[:MOST_NAMED])
    more = f" and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
    return f"{len(runs) - len(bad)} of {len(runs)} succeeded; {named}{more}"


def _because(run: Shape) -> str:
    why = result(run)
    return f": {why}" if why else ""


def _how(run: Shape) -> str:
    parts = [] if run["host"] or run["asked"] else [safe_line(run["message"])]  # of a workflow, how far it came
    if run["signal"] is not None:
        parts.append(f"signal {signal_name(run['signal'])}")
    elif run["exit_code"]:
        doubt = "" if run["outcome_certain"] else " (or a signal: this host cannot tell)"
        parts.append(f"exit {run['exit_code']}{doubt}")
    if run["cause"]:
        parts.append(_CAUSES.get(run["cause"], str(run["cause"])))
    if run["output_lost"]:
        parts.append("some of its output is lost")
    return ", ".join(parts)


def signal_name(number: int) -> str:
    """`TERM`, or the number where this system has no name for it."""
    import signal

    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)


def standing(run: Shape, now: float | None) -> str:
    """Where a live run stands, and what holds it; without elapsed times if `now` is None."""
    text = str(run["state"]) + _since(run["started_at"] or run["waiting_since"] or run["created_at"], now)
    if run["unreachable_since"]:
        text += f", unreachable{_since(run['unreachable_since'], now)}"
    if run["survivors"]:
        text += f", still alive: {', '.join(map(str, run['survivors']))}"
    if run["message"] and (_telling(run) or run["unreachable_since"]):
        text += f": {safe_line(run['message'])}"
    return text


def _since(begin: str | None, now: float | None) -> str:
    at = from_iso(begin)
    return "" if at is None or now is None else f" for {span(now - at)}"


def place(run: Shape) -> str:
    """Where it runs, or what was asked for as long as that is open; empty for a root run."""
    return safe_line(run["host"] or run["asked"] or "")


def title(run: Shape) -> str:
    """`r12 on nas`, harmless to print."""
    return f"{run['run']}{_on(run)}"


def _on(run: Shape) -> str:
    return f" on {found}" if (found := place(run)) else ""


def work(run: Shape) -> str:
    """What it runs, on one line: the job with its args, or the command."""
    if run["job"] is not None:
        return " ".join([safe_line(run["job"]), *(safe_line(f"{k}={v}") for k, v in run["args"].items())])
    program = run["program"]
    if program.get("command") is not None:
        return safe_line(program["command"])
    if not program.get("argv"):
        return safe_line(f"step {run['step']} of {run['root']}") if run["step"] else "on several hosts"
    import shlex

    return safe_line(shlex.join(program["argv"]))
