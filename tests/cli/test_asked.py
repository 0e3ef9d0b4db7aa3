"""What `run` refuses before it asks a scheduler."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from sshsched.cli.main import run
from tests.cli.driver import Place

SLIPS = {
    ("-H", "nas", "date"): (4, "no job 'date'; known: backup; a command stands after --: -H nas -- date"),
    ("-H", "nas", "df", "root"): (
        2,
        "job 'df': 'root' is no NAME=VALUE; a command stands after --: -H nas -- df root",
    ),
    ("date",): (4, "no job 'date'; known: backup"),
    ("-H", "@wbe", "--", "date"): (
        2,
        "-H @wbe: no such group: unknown 'wbe'; did you mean 'web'?; see `groups:` in hosts.yaml",
    ),
    ("-H", "@wbe", "backup"): (
        2,
        "-H @wbe: no such group: unknown 'wbe'; did you mean 'web'?; see `groups:` in hosts.yaml",
    ),
}


@pytest.mark.parametrize("words", SLIPS)
def test_slips_of_the_finger(place: Place, words: tuple[str, ...]) -> None:
    """A command without its --, and a group that is not there, are told with what was meant; nothing is saved."""
    (place.config / "jobs").mkdir(parents=True, exist_ok=True)
    (place.config / "jobs/backup.yaml").write_text("host: local\ncommand: date\n")
    (place.config / "hosts.yaml").write_text("groups: {web: [web1]}\n")
    done = place("run", *words)

    code, told = SLIPS[words]
    assert (code, f"sshsched: {told}\n") == (done.code, done.err)
    assert not (place.state / "store.db").exists()


def test_an_empty_list_says_so(place: Place) -> None:
    """On the standard error, so that a pipe gets a list, and JSON stays JSON; no state is as of any time."""
    listed, data = place("runs", "job:nope"), place("runs", "job:nope", "--json")

    assert (0, "no run fits\n") == (listed.code, listed.err)
    assert (0, [], "") == (data.code, data.json, data.err)
    assert "" == place("digest").err
    assert place("runs", "--columns", "nope").err.startswith("sshsched: --columns: unknown 'nope'; known: ")


@pytest.mark.parametrize("words", [("run", "-H", "local", "--", "date"), ("stop", "r1"), ("jobs",), ("new", "backup")])
def test_a_file_where_a_folder_should_be(place: Place, words: tuple[str, ...]) -> None:
    """What the system refuses is no mistake of ours: the message names the path, and what to look at."""
    place.state.write_text("")
    place.config.write_text("")
    done = place(*words)
    place.state.unlink()

    assert 125 == done.code
    assert re.fullmatch(r"sshsched: /\S+: (Not a directory|File exists); check it, [^\n]+\n", done.err)


@pytest.mark.parametrize("word", ["status", "doctor"])
def test_a_scheduler_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], word: str
) -> None:
    """Who asks how it is learns soon that it does not answer."""
    monkeypatch.setattr("sshsched.cli.app.AT_ONCE", 0.2)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "socket"))
        deaf.listen()
        code = run(["--state-dir", str(tmp_path), word])

    assert 125 == code
    assert f"sshsched: {tmp_path}/socket: no answer within 0.2 s; the scheduler hangs, or its disk\n" == (
        capfd.readouterr().err
    )
