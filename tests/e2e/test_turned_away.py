"""Hosts that let nobody in, or no shell: each is told apart in what a person sees of the run, and none hangs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.e2e.kit import lab
from tests.sshd import Sshd, SshdFactory, account, make_key

MAINTENANCE = "echo only backups here; echo go away >&2; exit 3"


def forgotten(server: Sshd) -> None:
    server.authorized_keys.write_text("")


def unknown(server: Sshd) -> None:
    server.known_hosts.write_text("")


def changed(server: Sshd) -> None:
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {Sshd.public(make_key(server.folder / 'other'))}\n")


def silent(server: Sshd) -> None:
    server.stop()


# What is done to a host, and the words that it must be told with.
FOREVER: dict[str, tuple[dict[str, str], Callable[[Sshd], object], tuple[str, ...]]] = {
    "forced": ({"ForceCommand": MAINTENANCE}, bool, ("forced command", "only backups here", "go away")),
    "sftp": ({"ForceCommand": "internal-sftp"}, bool, ("forced command", "sftp connections only")),
    "nologin": ({}, bool, ("nologin", "This account is currently not available")),
    "forgotten": ({}, forgotten, ("id_test", "account")),
    "unknown": ({}, unknown, ("SHA256:", "sshsched hosts trust unknown")),
    "changed": ({}, changed, ("ssh-keygen -R",)),
}
FOR_NOW: dict[str, tuple[Callable[[Sshd], object], tuple[str, ...]]] = {
    "silent": (silent, ("refused the connection",)),
    "nameless": (bool, ("'nowhere.invalid' does not resolve",)),
}


def test_each_is_told_apart(tmp_path: Path, make_sshd: SshdFactory) -> None:
    """What is for good ends a run that never started, what may pass holds it; the reason is in its message."""
    with account("/usr/sbin/nologin") as nobody:
        hosts = {
            name: make_sshd(name, user=nobody.name if name == "nologin" else "", **options)
            for name, (options, _, _) in FOREVER.items()
        } | {name: make_sshd(name) for name in FOR_NOW}
        for name, server in hosts.items():
            (FOREVER[name][1] if name in FOREVER else FOR_NOW[name][0])(server)
        with lab(tmp_path, hosts=hosts) as made:
            text = made.ssh_config.read_text()
            own = hosts["nameless"].block()
            made.ssh_config.write_text(text.replace(own, own.replace("HostName 127.0.0.1", "HostName nowhere.invalid")))
            made.start()
            runs = {name: made.submit(made.mark(), name)[0] for name in hosts}
            ended = {name: made.finished(runs[name]) for name in FOREVER}
            held = {name: made.once(runs[name], lambda run: ": " in run["message"]) for name in FOR_NOW}
            seen = made.cli("show", runs["forced"]).stdout
            made.client.stop([runs[name] for name in FOR_NOW], by="e2e")
            made.settled()

    told = {name: run["message"] for name, run in {**ended, **held}.items()}
    wanted = {name: words for name, (*_, words) in {**FOREVER, **FOR_NOW}.items()}
    assert {"error: not-started"} == {f"{run['state']}: {run['reason']}" for run in ended.values()}
    assert {"waiting"} == {run["state"] for run in held.values()}
    assert {} == {name: told[name] for name, words in wanted.items() if not all(word in told[name] for word in words)}
    assert len(told) == len(set(told.values()))
    assert "only backups here" in seen
    assert [] == made.marked()
