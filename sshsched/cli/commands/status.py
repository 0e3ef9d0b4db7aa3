"""`status`: is a scheduler there, and what does it hold?"""

from __future__ import annotations

import json
from typing import Any

import click

from sshsched.cli.app import App
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import say
from sshsched.cli.verdict import FINISHED


@click.command()
@json_option
@click.pass_obj
def status(app: App, as_json: bool) -> int:
    """Say whether a scheduler runs, and how many runs are in which state. Never starts one."""
    found = app.client().status() if app.scheduler_runs() else None
    with app.reader() as reader:
        counts = {str(state): count for state, count in reader.counts().items()}
    if as_json:
        say(json.dumps({"scheduler": found, "counts": counts, "state_dir": str(app.state_dir)}, indent=2))
        return 0
    if found is None:
        say("no scheduler runs; `sshsched run` starts one when it needs one, `sshsched serve` is one")
    else:
        say("a scheduler runs")
        for word, value in found.items():
            if value is not None:
                say(f"  {word:<14}{_brief(word, value)}")
        for line in _trouble(found.get("jobs") or {}):
            say(f"  {line}")
    for state, count in counts.items():
        hint = "" if state in FINISHED or found else "  (as of its last scheduler)"
        say(f"  {state:<14}{count}{hint}")
    say(f"  {'state in':<14}{app.state_dir}")
    return 0


def _brief(word: str, value: Any) -> str:
    if word == "hosts":
        return ", ".join(safe_line(f"{host['host']} {host['state']}") for host in value) or "none needed yet"
    if word == "jobs":
        coming = value["next"]
        return f"{value['count']}" + (safe_line(f"; next is {coming['job']} at {coming['at']}") if coming else "")
    if isinstance(value, dict):
        return ", ".join(safe_line(f"{count} {name}") for name, count in value.items()) or "none"
    return safe_line(str(value))


def _trouble(jobs: dict[str, Any]) -> list[str]:
    """What is wrong with job files, and which times were not made up for."""
    dropped = [f"{each['job']}: {each['message']}" for each in jobs.get("dropped", [])]
    return [safe_line(text) for text in (*jobs.get("problems", []), *jobs.get("warnings", []), *dropped)]
