"""`doctor`: what is wrong right now, each with the mend."""

from __future__ import annotations

import json
from collections import Counter

import click

from sshsched.cli.app import App
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import note, say

SHOWN = 10  # of one kind


@click.command()
@click.option("--hosts", is_flag=True, help="Ask each host too: its disk, and settings that end programs.")
@json_option
@click.pass_obj
def doctor(app: App, hosts: bool, as_json: bool) -> int:
    """Say what is wrong right now, and how to mend it. Changes nothing, and works without a scheduler too.

    Ends with 1 if anything is wrong.
    """
    from sshsched.cli.checkup import condition
    from sshsched.cli.health import findings, unknown

    found = condition(app, hosts=hosts)
    wrong, open_questions = findings(found), unknown(found)
    if as_json:
        shape = {"ok": not wrong, "findings": [each._asdict() for each in wrong], "unknown": open_questions}
        say(json.dumps(shape, indent=2))
        return 1 if wrong else 0
    seen: Counter[str] = Counter()
    for each in wrong:
        seen[each.kind] += 1
        if seen[each.kind] <= SHOWN:
            say(safe_line(f"{each.kind}: {each.message}"))
            say(safe_line(f"  {each.mend}"))
    for kind, count in seen.items():
        if count > SHOWN:
            say(f"{kind}: and {count - SHOWN} more; --json has them all")
    for text in open_questions:
        note(safe_line(f"unknown: {text}"))
    if not wrong:
        say("nothing is wrong" + (", as far as is known" if open_questions else ""))
    return 1 if wrong else 0
