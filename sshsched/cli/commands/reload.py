"""`reload`: have the scheduler read the job files now, or say what that would change."""

from __future__ import annotations

import json

import click

from sshsched.cli.app import App
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import note, say
from sshsched.errors import ConfigError

MARKS = {"added": "+", "removed": "-", "changed": "~", "kept": "!"}


@click.command()
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would change.")
@json_option
@click.pass_obj
def reload(app: App, dry_run: bool, as_json: bool) -> int:
    """Have the scheduler read the job files now. It also does so by itself, soon after they have changed.

    \b
    + added  - removed  ~ changed  ! stays as it was last good, as its file has problems

    Ends with 2 if any file has problems. Runs that are waiting or running keep what they began with.
    """
    found = app.client().reload(dry_run=dry_run)
    if as_json:
        say(json.dumps(found, indent=2))
    else:
        for word, mark in MARKS.items():
            for name in found[word]:
                say(safe_line(f"{mark} {name}"))
        say(f"{found['jobs']} jobs" + (", if this were no dry run" if dry_run else ""))
    for text in (*found["problems"], *found["warnings"]):
        note(safe_line(text))
    return ConfigError.exit_code if found["problems"] else 0
