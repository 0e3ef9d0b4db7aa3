"""`hosts`: which there are, what one can do, and whose key is trusted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sshsched.cli.after import print_json
from sshsched.cli.app import App
from sshsched.cli.complete import complete_hosts
from sshsched.cli.lists import Field, Wishes, chosen, list_options, ordered, print_list
from sshsched.cli.options import json_option
from sshsched.cli.safe import safe_line
from sshsched.cli.streams import STDIN, STDOUT, is_terminal, note, paint, say
from sshsched.cli.table import Column, dim
from sshsched.errors import RefusedError, SshschedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sshsched.cli.verdict import Shape
    from sshsched.domain.hosts import Host


LINKS = {"up": "32", "connecting": "33", "unreachable": "31", "idle": "2"}


def _link(shape: Shape, name: str) -> Any:
    return (shape["link"] or {}).get(name)


def _count(title: str, name: str) -> Field[Shape]:
    return Field(
        Column(title, right=True, rank=4),
        lambda shape, _: str(_link(shape, name) or ""),
        lambda shape: _link(shape, name),
    )


def _since(shape: Shape, now: float) -> str:
    """Since when the link has been as it is."""
    from sshsched.cli.times import from_iso, span

    at = from_iso(_link(shape, "since"))
    return "" if at is None else span(now - at)


def _latency(shape: Shape, _now: float) -> str:
    """How long the host takes to answer."""
    from sshsched.cli.times import span

    seconds = _link(shape, "latency")
    return "" if seconds is None else span(seconds)


FIELDS: dict[str, Field[Shape]] = {
    "host": Field(Column("HOST"), lambda shape, _: safe_line(shape["host"])),
    "from": Field(Column("FROM", rank=5, tone=dim), lambda shape, _: shape["from"]),
    "address": Field(Column("ADDRESS"), lambda shape, _: safe_line(shape["address"] or "")),
    "link": Field(
        Column("LINK", tone=lambda cell: LINKS.get(cell, "")), lambda shape, _: safe_line(_link(shape, "state") or "")
    ),
    "for": Field(Column("FOR", right=True, rank=4, tone=dim), _since, lambda shape: _link(shape, "since")),
    "latency": Field(Column("LATENCY", right=True, rank=5, tone=dim), _latency, lambda shape: _link(shape, "latency")),
    "running": _count("RUNNING", "running"),
    "waiting": _count("WAITING", "waiting"),
    "slots": Field(
        Column("SLOTS", right=True, rank=3),
        lambda shape, _: "" if shape["slots"] is None else str(shape["slots"]),
        lambda shape: shape["slots"],
    ),
    "tags": Field(Column("TAGS", stretch=True, rank=2), lambda shape, _: safe_line(",".join(shape["tags"]))),
    "problem": Field(
        Column("PROBLEM", stretch=True, rank=1, tone=lambda _: "33"),
        lambda shape, _: safe_line(_link(shape, "problem") or ""),
    ),
}
USUAL = ("host", "from", "link", "for", "latency", "running", "waiting", "slots", "tags", "problem")


@click.group(invoke_without_command=True)
@list_options(FIELDS)
@json_option
@click.pass_context
def hosts(ctx: click.Context, /, as_json: bool, **wishes: Any) -> int:
    """List hosts: those of hosts.yaml, those of ~/.ssh/config, and how the scheduler's links to them stand."""
    if ctx.invoked_subcommand is not None:
        return 0
    app: App = ctx.obj
    now, wanted = time.time(), Wishes(**wishes)
    names = chosen(FIELDS, USUAL, wanted.columns)
    shapes = ordered(_listed(app), FIELDS, wanted.sort, now)
    if as_json:
        print_json(shapes)
        return 0
    print_list(shapes, FIELDS, names, now, headers=not wanted.no_headers)
    return 0


def _listed(app: App) -> list[Shape]:
    from sshsched.cli.complete import ssh_aliases
    from sshsched.config.hosts import load_hosts
    from sshsched.domain.hosts import Host

    found: dict[str, dict[str, Any]] = {}
    for host in load_hosts(app.config_dir).values():
        found[host.name] = _shape(host, "built in" if host.name == "local" else "hosts.yaml")
    for alias in ssh_aliases():
        found.setdefault(alias, _shape(Host(alias), "ssh config"))
    if app.scheduler_runs():
        for link in app.client().hosts():
            found.setdefault(link["host"], _shape(Host(link["host"]), "a run"))["link"] = link
    return list(found.values())


def _shape(host: Host, origin: str) -> dict[str, Any]:
    """`link` is what the scheduler says of it; null where none runs, or has no use for it."""
    return {
        "host": host.name,
        "from": origin,
        "address": host.address,
        "slots": host.slots,
        "tags": list(host.tags),
        "link": None,
    }


@hosts.command()
@click.argument("names", nargs=-1, required=True, metavar="HOST...", shell_complete=complete_hosts)
@json_option
@click.pass_obj
def check(app: App, names: tuple[str, ...], as_json: bool) -> int:
    """Connect and say what a host can do, what is missing, and how to mend it. @GROUP stands for its hosts."""
    code = 0
    reports = []
    for name in dict.fromkeys(host for each in names for host in _members(app, each)):
        try:
            reports.append(_check(app, name))
        except SshschedError as error:
            # The other hosts are still wanted.
            reports.append({"host": name, "error": str(error), "exit_code": error.exit_code})
            code = error.exit_code
    if as_json:
        print_json(reports)
        return code
    for report in reports:
        _print_report(report)
    return code


def _members(app: App, name: str) -> Sequence[str]:
    """The host itself, or those of a @GROUP or of tags:A,B. Raises UsageError."""
    if not name.startswith(("@", "tags:")):
        return (name,)
    from sshsched.cli.program import refuse_unknown_groups
    from sshsched.config.hosts import load_hosts

    refuse_unknown_groups(app, [name], "")
    known = load_hosts(app.config_dir)
    found = known.groups[name[1:]] if name.startswith("@") else known.tagged(name.removeprefix("tags:"))
    if not found.hosts:
        raise UsageError(f"{name}: no host in hosts.yaml has all these tags")
    return found.hosts


def _check(app: App, name: str) -> Shape:
    return app.ask(lambda client: client.check_host(name))


def _print_report(report: Shape) -> None:
    if "error" in report:
        say(safe_line(report["error"]))
        return
    say(safe_line(f"{report['host']}: {report['system']}, user {report['user']}"))
    for found in report["findings"]:
        colour = {"ok": "success", "warning": "failure"}.get(found["verdict"], "waiting")
        verdict = paint(f"{found['verdict']:<8}", colour, STDOUT)
        say(f"  {verdict}{safe_line(found['what'])}: {safe_line(found['value'])}")
        if found["verdict"] != "ok":
            say(f"          {safe_line(found['meaning'])}")
        if found["mend"]:
            say(f"          mend it: {safe_line(found['mend'])}")


@hosts.command()
@click.argument("name", metavar="HOST", shell_complete=complete_hosts)
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Only where you know the fingerprint by another way.")
@click.pass_obj
def trust(app: App, name: str, yes: bool) -> int:
    """Show the key of a host, ask, and write it to known_hosts."""
    import asyncio

    from sshsched.config.hosts import load_hosts
    from sshsched.domain.hosts import LOCAL
    from sshsched.remote.trust import scan
    from sshsched.remote.trust import trust as write_down

    if name == LOCAL:
        raise UsageError(f"{LOCAL} is this machine: nobody logs in there, and there is no key to trust")
    if (members := _members(app, name)) != (name,):
        raise UsageError(f"{name} is no single host; look at the key of each: {', '.join(members)}")
    known = load_hosts(app.config_dir)
    scanned = asyncio.run(scan(known[name], hosts=known))
    if scanned.problem:
        raise scanned.problem
    if scanned.known:
        note(f"{safe_line(scanned.host)}: its key is trusted already ({scanned.file})")
        return 0
    note(f"{safe_line(scanned.host)} shows the key {scanned.kind} {scanned.fingerprint}")
    note("  compare it there: ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub")
    if not yes and not _agreed():
        return 1
    write_down(scanned)
    note(f"written to {scanned.file}")
    return 0


def _agreed() -> bool:
    """What somebody answers. Raises RefusedError where nobody does."""
    try:
        return click.confirm("Trust it?", err=True)
    except click.Abort:
        note("")  # the question has no end of line yet
        if is_terminal(STDIN):
            raise
        raise RefusedError("nobody answered, so it is not trusted; --yes is for who has compared it") from None
