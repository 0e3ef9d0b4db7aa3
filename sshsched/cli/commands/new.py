"""`new` and `schema`: a job file to begin with, and what an editor needs to help with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from sshsched.cli.app import App
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import note, say
from sshsched.errors import UsageError

SCHEMA = "job.schema.json"
PRINTED = ("runs", "show", "stats", "jobs", "job", "next", "hosts", "status")
TEMPLATE = """\
# yaml-language-server: $schema={schema}
# The job {job}. `sshsched check` says what is wrong with it, `sshsched job {job}` what it is,
# and `sshsched run {job} --wait` tries it.

host: {host}                     # an alias of ~/.ssh/config, a name from hosts.yaml, or local
command: echo "hello from {job}"    # a line for `sh -c` on the host
# argv: [restic, backup, /photos]   # instead: a program and its arguments, which no shell touches

# When it runs. Without a schedule it runs only when somebody says `sshsched run`.
# schedule: "30 3 * * *"            # as in a crontab; or @daily, or every 15m
# schedule:
#   - {{type: daily, daytime: "09:30", calendar: Mon-Fri, tz: Europe/Berlin, jitter: 5m}}
#   - {{every: 1h, stop: 10m, catch_up: none}}

# params: {{region: us}}              # `sshsched run {job} region=eu`; {{{{ region | q }}}} in the command
# timeout: 2h                       # the host ends it after so long
# env: {{LANG: C.UTF-8}}
# cwd: /srv
# accept: [0, 3]                    # exit codes that are a success
# metadata: {{description: What it is for, labels: [nightly]}}
"""


@click.command()
@click.argument("name", metavar="JOB")
@click.option("--host", default="local", show_default=True, help="Where it is to run.")
@click.pass_obj
def new(app: App, name: str, host: str) -> int:
    """Write a job file to begin with, full of comments. One that is there is never touched."""
    path = job_path(app, name)
    schema = app.config_dir / SCHEMA
    depth = name.count("/") + 1
    text = TEMPLATE.format(job=name, host=_quoted(host), schema="../" * depth + SCHEMA)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already; edit it, or choose another name") from None
    _write_schema(schema)
    say(safe_line(str(path)))
    note("edit it, then `sshsched check`")
    return 0


@click.command()
@click.argument("what", type=click.Choice(["files", *PRINTED]), default="files")
def schema(what: str) -> int:
    """Print the JSON Schema of job files, for editors, or of what a command prints with --json.

    \b
    A job file that begins with this line has it checked while you type:
      # yaml-language-server: $schema=../job.schema.json
    """
    from sshsched.cli.shapes import printed_schema

    say(_schema() if what == "files" else json.dumps(printed_schema(what), indent=2))
    return 0


def _schema() -> str:
    from sshsched.config.jobs import job_file_schema

    return json.dumps(job_file_schema(), indent=2)


def _write_schema(path: Path) -> None:
    """As this version has it."""
    text = f"{_schema()}\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def job_path(app: App, name: str) -> Path:
    from sshsched.config.folder import JOB_WORD, JOBS

    if not all(re.fullmatch(JOB_WORD, word) for word in name.split("/")) or name.endswith((".yaml", ".yml")):
        raise UsageError(
            f"'{name}' cannot be the id of a job; use letters, digits and . _ + @ -, a slash between folders, no .yaml"
        )
    return app.config_dir / JOBS / f"{name}.yaml"


def _quoted(host: str) -> str:
    from sshsched.domain.draft import host_flaw

    if message := host_flaw(host):
        raise UsageError(f"--host: {message}")
    return f'"{host}"' if host[0] in "@%" else host
