"""What the shell may offer after TAB: runs, jobs, hosts.

Rule: quick, and silent whatever happens: a completion that complains spoils the line somebody is typing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from sshsched.cli.app import App
from sshsched.cli.safe import safe_line

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from sshsched.store.filter_complete import Known

MANY = 50
LATEST = 300  # runs whose words are offered
BREAKS = (":", "=", ",")
INCLUDE_DEPTH = 4
WILD = re.compile(r"[*?!]")

Offer = tuple[str, str]
"""The word, and what helps to choose it."""
Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def _completer(offers: Callable[[App], Iterator[Offer]]) -> Completer:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        app = _app(ctx)
        try:
            return [CompletionItem(word, help=help) for word, help in offers(app) if word.startswith(incomplete)]
        except Exception:  # the rule of this module
            return []

    return complete


def _app(ctx: click.Context) -> App:
    root = ctx.find_root()
    return App(root.params.get("config_dir"), root.params.get("state_dir"))


def _runs(app: App, *, live: bool) -> Iterator[Offer]:
    from sshsched.cli.verdict import work
    from sshsched.domain.shape import run_shape
    from sshsched.domain.states import LIVE
    from sshsched.store.filter import RunFilter

    where = RunFilter(states=frozenset(LIVE)) if live else RunFilter()
    for run in app.reader().runs(where, limit=MANY, before=None):
        yield run.name, f"{run.state} on {safe_line(run.host)}: {work(run_shape(run))}"


def _jobs(app: App) -> Iterator[Offer]:
    top = app.config_dir / "jobs"
    for path in sorted(top.rglob("*.yaml")):
        base = str(path.relative_to(top).with_suffix(""))
        if not any(part.startswith((".", "_defaults")) for part in base.split("/")):
            for name in _several(path.read_text(errors="replace")) or [""]:
                yield f"{base}/{name}" if name else base, ""


def _several(text: str) -> list[str]:
    """The names of a file with `jobs:`, as people write them: to read the YAML would take too long for a key press."""
    _, several, below = f"\n{text}".partition("\njobs:")
    indent = re.search(r"^([ ]+)[^\s#]", below, re.MULTILINE) if several else None
    return re.findall(rf"^{indent[1]}[\"']?([^\s\"'#:]+)[\"']?:", below, re.MULTILINE) if indent else []


def _hosts(app: App) -> Iterator[Offer]:
    from sshsched.config.hosts import load_hosts

    yield "local", "this machine"
    for host in load_hosts(app.config_dir).values():
        if host.name != "local":
            yield host.name, "hosts.yaml"
    for alias in dict.fromkeys(ssh_aliases()):
        yield alias, "ssh config"


def ssh_aliases() -> Iterator[str]:
    """The names without wildcards after `Host` in the user's ssh_config, Include followed."""
    from sshsched.remote.ssh_config import Paths

    if file := Paths.default().user:
        yield from _aliases(file)


def _aliases(file: Path, depth: int = 0) -> Iterator[str]:
    import glob
    from pathlib import Path

    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.replace("=", " ", 1).split()
        keyword = words[0].lower() if words else ""
        if keyword == "host":
            yield from (word.strip('"') for word in words[1:] if not WILD.search(word))
        elif keyword == "include" and depth < INCLUDE_DEPTH:
            for pattern in words[1:]:
                place = str(file.parent / Path(pattern).expanduser())
                for path in sorted(glob.glob(place)):  # noqa: PTH207  Path.glob takes no absolute pattern
                    yield from _aliases(Path(path), depth + 1)


def complete_filter(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Terms of a filter. `:`, `=` and `,` are parts of a term, and bash hands them over as words of their own."""
    from click.shell_completion import CompletionItem

    from sshsched.store.filter_complete import complete

    try:
        line, cut = _one_word([str(word) for word in ctx.params.get(param.name or "") or ()], incomplete)
        found = complete(line, len(line), _known(_app(ctx)))
        return [CompletionItem((line[: each.begin] + each.text)[cut:], help=each.about) for each in found]
    except Exception:  # the rule of this module
        return []


def _one_word(before: list[str], incomplete: str) -> tuple[str, int]:
    """The term that is being typed, and how much of it the shell takes for earlier words."""
    parts = [incomplete]
    while before and (parts[0][:1] in BREAKS or before[-1][-1:] in BREAKS):
        parts.insert(0, before.pop())
    line = "".join(parts)
    whole = parts[-1] if parts[-1] not in BREAKS else ""
    return line, len(line) - len(whole)


def _known(app: App) -> Known:
    """What there is: jobs and hosts of the files, and the words of the latest runs."""
    from sshsched.store.filter import RunFilter
    from sshsched.store.filter_complete import Known

    latest = app.reader().runs(RunFilter(), limit=LATEST)
    args: dict[str, dict[str, None]] = {}
    for run in latest:
        for name, value in run.args.items():
            args.setdefault(name, {})[value] = None
    hosts = dict.fromkeys([*(run.host for run in latest), *(name for name, _ in _hosts(app))])
    jobs = dict.fromkeys([*(name for name, _ in _jobs(app)), *(run.job_id for run in latest if run.job_id)])
    return Known(
        jobs=list(jobs),
        hosts=list(hosts),
        labels=list(dict.fromkeys(label for run in latest for label in run.labels)),
        authors=list(dict.fromkeys(run.by for run in latest if run.by)),
        runs=[run.name for run in latest[:MANY]],
        args={name: list(values) for name, values in args.items()},
    )


complete_runs = _completer(lambda app: _runs(app, live=False))
complete_live_runs = _completer(lambda app: _runs(app, live=True))
complete_jobs = _completer(_jobs)
complete_hosts = _completer(_hosts)
