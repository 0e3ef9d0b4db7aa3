"""`import-crontab`: a crontab as a job file."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App
from sshsched.cli.complete import complete_hosts
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import STDOUT, note, write
from sshsched.cli.texts import read_text
from sshsched.errors import NotFoundError, SshschedError, UsageError

if TYPE_CHECKING:
    from sshsched.config.crontab import Crontab

WITHIN = 60  # seconds for a host to tell its crontab
MARK = "===sshsched==="
# The crontab, then the zone of the machine: what its localtime is a link to, or what Debian writes down.
ASK = f"crontab -l; printf '%s\\n' '{MARK}'; readlink /etc/localtime || cat /etc/timezone"


@click.command("import-crontab")
@click.argument("file", required=False, metavar="[FILE|-]")
@click.option("--user", "mine", is_flag=True, help="The crontab of this user on this machine.")
@click.option(
    "-H", "--host", shell_complete=complete_hosts, help="That of this host; with FILE: where its jobs are to run."
)
@click.option("--system", is_flag=True, help="Lines name a user, as in /etc/crontab and /etc/cron.d.")
@click.option("--tz", help="The zone of the clock that the crontab was written for.")
@click.option("--write", "job_file", metavar="NAME", help="Write jobs/NAME.yaml instead of printing.")
@click.pass_obj
def import_crontab(
    app: App, file: str | None, mine: bool, host: str | None, system: bool, tz: str | None, job_file: str | None
) -> int:
    """Translate a crontab: from FILE, standard input (-), this user (--user) or a host (-H HOST).

    What could not be translated, or means something else here, is said line by line. Ends with 1 if a line is missing.
    """
    from sshsched.config.crontab import read_crontab

    if file is None and host is None and not mine:
        raise UsageError("which crontab? name a FILE, - for standard input, --user or -H HOST")
    if mine and (file is not None or host is not None):
        raise UsageError("--user is this user's own crontab; it goes with no FILE and no -H")
    text, zone = _asked(app, file, host)
    found = read_crontab(text, host=host or "local", tz=_zone(tz or zone), system=system)
    if not found.jobs and not found.remarks:
        raise NotFoundError("the crontab has no jobs in it")
    _put(app, found, job_file)
    for remark in found.remarks:
        note(safe_line(f"line {remark.line}: {remark.text}"))
    if tz is None and zone is None:
        note("times are meant in the zone of the scheduler; --tz ZONE says another")
    return 1 if any(remark.lost for remark in found.remarks) else 0


def _asked(app: App, file: str | None, host: str | None) -> tuple[str, str | None]:
    """The text of the crontab, and the zone of its machine, if that is known."""
    if file is not None:
        return _file(file), None
    if host is not None:
        answer = _run(app, host)
    else:
        done = subprocess.run(["/bin/sh", "-c", ASK], capture_output=True, timeout=WITHIN, check=False)
        answer = done.stdout.decode(errors="replace")
    text, mark, zone = answer.partition(f"{MARK}\n")
    if not mark or not text.strip():
        raise NotFoundError(f"{host or 'this user'} has no crontab; `crontab -l` shows none")
    return text, zone.strip().rpartition("zoneinfo/")[2] or None


def _file(file: str) -> str:
    text = read_text(file, "crontab", "that is no crontab")
    if bad := re.search(r"[^\t\n\r\x20-\x7e\xa0-\U0010ffff]", text):
        raise UsageError(f"{file}: a control character {bad[0]!r} in line {text.count(chr(10), 0, bad.start()) + 1}")
    return text.replace("\r\n", "\n")


def _run(app: App, host: str) -> str:
    """What a run on the host prints: it uses the scheduler's own link, and leaves a run that shows what was asked."""
    from sshsched.cli.after import Wishes, wait_for
    from sshsched.cli.program import user_name

    draft = {
        "host": host,
        "program": {"command": ASK, "timeout": WITHIN},
        "by": user_name(),
        "labels": ["import-crontab"],
    }
    runs = app.ask(lambda client: client.submit([draft]))
    wait_for(app, runs, Wishes(wait=True, quiet=True))
    name = runs[0]["run"]
    if app.client().run(name)["run"]["state"] not in ("success", "failure"):
        raise SshschedError(f"{host} could not be asked; `sshsched show {name}` tells why")
    return b"".join(app.client().output(name)).decode(errors="replace")


def _zone(name: str | None) -> str | None:
    from sshsched.kinds.zones import zone

    if name is not None:
        try:
            zone(name)
        except ValueError as error:
            raise UsageError(f"--tz: {error}") from None
    return name


def _put(app: App, found: Crontab, job_file: str | None) -> None:
    if not found.jobs:
        return
    text = _yaml(found)
    if job_file is None:
        write(STDOUT, text.encode())
        return
    from sshsched.cli.commands.new import job_path

    path = job_path(app, job_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already; choose another name") from None
    note(safe_line(f"written to {path}; take these lines out of the crontab before `sshsched serve` runs them too"))


def _yaml(found: Crontab) -> str:
    """All texts in quotes where YAML could take them for anything else."""
    import yaml

    body = yaml.safe_dump({"jobs": found.jobs}, sort_keys=False, allow_unicode=True, width=1 << 30)
    return f"# Translated from a crontab by `sshsched import-crontab`.\n{body}"
