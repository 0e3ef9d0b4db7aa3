"""Conditions that ask a host: what is asked, how long an answer counts, and files as every sh sees them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sshsched.domain import keys
from sshsched.domain.view import Fact, HostView, Probe, Ready, Wait
from sshsched.kinds.conditions.file import File
from sshsched.kinds.written import make
from tests.kinds.conditions.scene import NOW, Scene, ask, run, told
from tests.remote.hostkit import SHELLS, make_path, make_shell

TRUE = {"command": "test -e x", "every": "20s", "timeout": "5s"}
PROBE = Probe("nas", "test -e x", 20.0, 5.0)


def learnt(fact: Fact | None, at: float = NOW) -> Any:
    """What a command's condition says when this is known."""
    return ask("command", TRUE, run(), Scene(facts={} if fact is None else {PROBE.key: fact}), at)


def test_what_is_not_known_is_asked() -> None:
    """Without an answer it waits for one, and for the host; and asks again after a while, whatever becomes of it."""
    assert Wait("`test -e x` to succeed on nas", (PROBE.key, keys.host("nas")), NOW + 20, PROBE) == learnt(None)


@pytest.mark.parametrize(
    ("age", "ok", "ready", "asked", "until"),
    [
        (0.0, True, True, False, None),
        (19.9, True, True, False, None),
        (20.0, True, False, True, NOW + 20),
        (0.0, False, False, False, NOW + 20),
        (15.0, False, False, False, NOW + 5),
        (20.0, False, False, True, NOW + 20),
        (-5.0, True, True, False, None),  # the clock was set back a little
        (-100.0, True, False, True, NOW + 20),
    ],
)
def test_how_long_an_answer_counts(age: float, ok: bool, ready: bool, asked: bool, until: float | None) -> None:
    """An answer counts until it is time for the next question; a no is asked again then, and not before."""
    answer = learnt(Fact(NOW - age, ok))

    assert ready == isinstance(answer, Ready)
    assert asked == (isinstance(answer, Wait) and answer.probe == PROBE)
    assert until == (answer.until if isinstance(answer, Wait) else None)


def test_the_host_s_words_are_told() -> None:
    """What the host said with its no stands in what the run waits for; and why it cannot be reached."""
    away = Scene(hosts=(HostView("nas", problem="no route"),))

    assert "waits for `test -e x` to succeed on nas; it said: not yet" == told(learnt(Fact(NOW, False, "not yet")))
    assert "waits for `test -e x` to succeed on nas; nas cannot be reached: no route" == told(
        ask("command", TRUE, run(), away)
    )


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("command", {"command": " "}, "command: "),
        ("command", {"command": "x" * 131_072}, "command: takes 131072 bytes"),
        ("command", {"command": "x", "every": "10ms"}, "every: 0.01 s is too often"),
        ("command", {"command": "x", "timeout": "1h"}, "timeout: 3600 s"),
        ("command", {"command": "x", "timeout": "0"}, "timeout: 0 s"),
        ("command", {"command": "x", "host": "-oProxyCommand=x"}, "host: "),
        ("file", {}, "exactly one of 'path'"),
        ("file", {"path": "a", "glob": "b"}, "exactly one of 'path'"),
        ("file", {"path": "a\0b"}, "NUL"),
        ("file", {"path": "a", "min_size": "big"}, "min_size: 'big' is no size"),
    ],
)
def test_what_cannot_be_meant(kind: str, options: dict[str, Any], message: str) -> None:
    """Options that cannot be meant are named."""
    with pytest.raises(ValueError, match=message):
        ask(kind, options, run())


# Files --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with a few files: an old one, a new one, a big one, and some of strange names."""
    folder = tmp_path / "ho me"
    (folder / "in").mkdir(parents=True)
    for name, size, age in [
        ("in/old.csv", 10, 7200),
        ("in/new.csv", 1000, 0),
        ("in/it's $HOME;x", 0, 0),
        ("in/-n", 5, 0),
        ("in/[a]", 5, 0),
        ("in/ü b.txt", 5, 0),
    ]:
        path = folder / name
        path.write_bytes(b"x" * size)
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    (folder / "in/dangling").symlink_to("nowhere")
    (folder / "in/link").symlink_to("old.csv")
    return folder


def look(sh: str, home: Path, programs: str = os.environ["PATH"], **options: Any) -> tuple[int, str]:
    """What a shell answers to the question for a file. In the C locale yash takes no argument that is not ASCII."""
    script = make(File, {"host": "nas", **options}).script()
    env = {"PATH": programs, "HOME": str(home), "LC_ALL": "C.UTF-8"}
    done = subprocess.run([sh, "-c", script], env=env, cwd="/", capture_output=True, text=True, check=False)
    assert "" == done.stderr
    return done.returncode, done.stdout


FILES: list[tuple[dict[str, Any], str | None]] = [
    ({"path": "in/new.csv"}, "./in/new.csv"),
    ({"path": "~/in/new.csv"}, "./in/new.csv"),
    ({"path": "in"}, "./in"),
    ({"path": "in/none"}, None),
    ({"path": "in/it's $HOME;x"}, "./in/it's $HOME;x"),
    ({"path": "in/-n"}, "./in/-n"),
    ({"path": "in/[a]"}, "./in/[a]"),
    ({"path": "in/*.csv"}, None),
    ({"path": "in/ü b.txt"}, "./in/ü b.txt"),
    ({"path": "in/dangling"}, None),
    ({"path": "in/new.csv", "exists": "false"}, None),
    ({"path": "in/none", "exists": "false"}, ""),
    ({"glob": "in/*.csv"}, "./in/new.csv"),
    ({"glob": "in/n?w.[c]sv"}, "./in/new.csv"),
    ({"glob": "in/[!n]ld.csv"}, "./in/old.csv"),
    ({"glob": "in/[a-o]ld*"}, "./in/old.csv"),
    ({"glob": "in/*s $HOME;*"}, "./in/it's $HOME;x"),
    ({"glob": "in/* b.txt"}, "./in/ü b.txt"),
    ({"glob": "in/*.none"}, None),
    ({"glob": "in/*.none", "exists": "false"}, ""),
    ({"glob": "in/*.csv", "exists": "false"}, None),
    ({"glob": "in/*.csv", "older_than": "1h"}, "./in/old.csv"),
    ({"glob": "in/*.csv", "older_than": "1d"}, None),
    ({"glob": "in/*.csv", "newer_than": "1h"}, "./in/new.csv"),
    ({"path": "in/old.csv", "newer_than": "1h"}, None),
    ({"path": "in/link", "older_than": "1h"}, "./in/link"),
    ({"path": "in/old.csv", "older_than": "1h", "exists": "false"}, None),
    ({"path": "in/new.csv", "older_than": "1h", "exists": "false"}, ""),
    ({"path": "in/new.csv", "min_size": "1kB"}, "./in/new.csv"),
    ({"path": "in/new.csv", "min_size": "1001"}, None),
    ({"path": "in/new.csv", "max_size": "1000"}, "./in/new.csv"),
    ({"path": "in/new.csv", "max_size": "999"}, None),
    ({"path": "in/link", "max_size": "10", "min_size": "10"}, "./in/link"),
    ({"path": "in/old.csv", "max_size": "0"}, None),
    ({"path": "in/it's $HOME;x", "max_size": "0"}, "./in/it's $HOME;x"),
]


WANTED = {str(options): (1, "") if name is None else (0, name and f"{name}\n") for options, name in FILES}


@pytest.mark.parametrize("shell", SHELLS)
def test_files(shell: str, home: Path, tmp_path: Path) -> None:
    """Names, patterns, ages and sizes mean the same in every shell, whatever is in a name."""
    sh = make_shell(shell, tmp_path / "bin")

    assert WANTED == {str(options): look(sh, home, **options) for options, _ in FILES}


def test_files_with_busybox(home: Path, tmp_path: Path) -> None:
    """The tools of busybox give the same answers."""
    programs = make_path(tmp_path / "programs", busybox=("find", "stat", "date"))

    assert WANTED == {str(options): look("/bin/sh", home, programs, **options) for options, _ in FILES}


def test_an_absolute_path(home: Path) -> None:
    """A path that begins with / is taken as it is, home folder or not."""
    assert (0, f"{home}/in/new.csv\n") == look("/bin/sh", home, path=f"{home}/in/new.csv")
    assert (0, f"{home}/in/new.csv\n") == look("/bin/sh", home, glob=f"{home}/in/*.csv")


_names = st.text(
    st.characters(exclude_characters="/\0", codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8
)


@given(name=_names.filter(lambda name: name not in (".", "..") and not name.startswith("~")), other=_names)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name(name: str, other: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file of any name is found by that name and by no other."""
    home = tmp_path_factory.mktemp("home")
    (home / name).touch()

    assert 0 == look("/bin/sh", home, path=name)[0]
    assert (other == name) == (0 == look("/bin/sh", home, path=f"./{other}")[0]) or other in (".", "..")


def test_what_a_file_condition_says() -> None:
    """It names the file, its limits and the host."""
    options = {"glob": "in/*.csv", "older_than": "10m", "min_size": "1kB"}
    gone = ask("file", {"path": "lock", "exists": "false"}, run())

    assert "waits for in/*.csv (older than 600 s, at least 1000 bytes) on nas" == told(ask("file", options, run()))
    assert "waits for lock on nas to go" == told(gone)
