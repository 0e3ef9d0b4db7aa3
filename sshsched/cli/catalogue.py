"""What the help tells of each command without importing it: a line of at most 60 characters, and examples to type.

Rule: every command stands here once, under the heading that it belongs to; a test parses the examples.
"""

from __future__ import annotations

from typing import NamedTuple


class Told(NamedTuple):
    """The line in the list of commands, and what follows `sshsched` in its examples."""

    line: str
    examples: tuple[str, ...]


CATALOGUE: dict[str, dict[str, Told]] = {
    "Runs are made": {
        "run": Told("Run a job, or a command on a host", ()),  # without examples: its own help has them
        "rerun": Told(
            "Run finished runs once more",
            ("rerun r12 --wait", "rerun --failed r12    # the failed steps of a workflow"),
        ),
        "graph": Told("Draw a workflow, or how far a run of it has come", ("graph nightly", "graph r12 --mermaid")),
    },
    "Runs are followed": {
        "wait": Told("Wait until runs have ended", ("wait r12", "wait r12 r13 --any --timeout 10m")),
        "output": Told(
            "Show what a run printed, or prints", ("output r12 -n 20", "output r12 -f", "logs r12 --stderr")
        ),
        "runs": Told("List runs, the newest first", ("runs --stats", "runs 'is:failed host:nas since:2d'")),
        "show": Told("Show all of one run, with its log", ("show r12", "show r12 --json")),
        "watch": Told("The live screen of runs, jobs and hosts", ("watch", "watch is:live", "watch --once")),
    },
    "Runs are acted on": {
        "stop": Told("End runs with all their processes", ("stop r12", "stop r12 --signal INT --grace 10s")),
        "skip": Told("Keep runs from starting, for good", ("skip r12",)),
        "start": Told("Start runs that wait, past time and conditions", ("start r12",)),
        "mark": Told("Take finished runs for another outcome", ("mark success r12",)),
        "hold": Told("Keep runs from starting until they are released", ("hold r12",)),
        "release": Told("Let go what is held", ("release r12",)),
    },
    "Job files": {
        "jobs": Told("List jobs, their schedules and next times", ("jobs", "jobs reports --json")),
        "job": Told("Show all of one job", ("job reports/build",)),
        "next": Told("Show when jobs run next", ("next -n 5", "next reports/build --around 2026-03-29")),
        "digest": Told("Show what runs came to in the last day", ("digest", "digest --hours 72")),
        "check": Told("Say all that is wrong with job files", ("check", "check ~/dotfiles/sshsched")),
        "new": Told("Write a job file to begin with", ("new reports/build --host nas",)),
        "schema": Told("Print the JSON Schema of job files or of --json", ("schema >job.schema.json", "schema runs")),
        "import-crontab": Told(
            "Translate a crontab to job files", ("import-crontab -H nas", "import-crontab --user --write mine")
        ),
    },
    "Hosts": {
        "hosts": Told("List, check and trust hosts", ("hosts", "hosts check nas", "hosts trust nas")),
    },
    "The scheduler": {
        "status": Told("Say whether a scheduler runs, and count runs", ("status",)),
        "serve": Told("Be the scheduler", ("serve", "serve --metrics 127.0.0.1:9100")),
        "service": Told("Have the system keep a scheduler running", ("service install", "service uninstall")),
        "reload": Told("Have the scheduler read the job files now", ("reload",)),
        "doctor": Told("Say what is wrong right now, and how to mend it", ("doctor", "doctor --hosts")),
        "archive": Told("Move old runs to an archive", ("archive --before 90d --dry-run", "archive --keep 5000")),
        "vacuum": Told("Give free room in the database back to the disk", ("vacuum",)),
        "demo": Told("Show everything at once, on embedded ssh hosts", ("demo",)),
        "completion": Told("Print the completion script of a shell", ()),
    },
}


def examples(command: str) -> str:
    """For the end of a command's help, in click's notation for lines that stay as they are; empty if it has none."""
    lines = next((group[command].examples for group in CATALOGUE.values() if command in group), ())
    return "\b\nExamples:\n" + "\n".join(f"  sshsched {line}" for line in lines) if lines else ""
