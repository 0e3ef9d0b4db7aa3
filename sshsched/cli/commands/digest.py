"""`digest`: what the last day was like."""

from __future__ import annotations

import json
import time

import click

from sshsched.cli.app import App
from sshsched.cli.caveat import caveat
from sshsched.cli.folders import load, usual_zone
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_text
from sshsched.cli.streams import say

HOUR = 3600.0


@click.command()
@click.option("--hours", default=24, show_default=True, type=click.IntRange(1, 24 * 31), help="How far back to look.")
@json_option
@click.pass_obj
def digest(app: App, hours: int, as_json: bool) -> int:
    """Show what runs came to in the last day, how things stand, and what comes next.

    `digest:` in config.yaml has it sent every day.
    """
    from sshsched.engine.digest import facts_of_day
    from sshsched.kinds.actions.digest import digest_body

    now = time.time()
    facts = facts_of_day(app.reader(), load(app).jobs.values(), now - hours * HOUR, now, usual_zone(app))
    if as_json:
        say(json.dumps(facts, indent=2))
        return 0
    say(safe_text(digest_body(facts)).rstrip("\n"))
    caveat(app)
    return 0
