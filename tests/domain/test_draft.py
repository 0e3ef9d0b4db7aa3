"""What is wrong with a draft is found before any host is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sshsched.domain.draft import SIGNALS, Draft, draft_flaws, env_name_flaw, host_flaw, program_flaws, signal_name
from sshsched.domain.program import Program, Stop

SOUND = Program(command="true")


@pytest.mark.parametrize("name", ["nas", "a", "root@nas", "10.0.0.1", "::1", "fe80::1%eth0", "A_b+c-d", "local"])
def test_host(name: str) -> None:
    """What ssh takes as a host is the name of a host."""

    assert host_flaw(name) is None


@pytest.mark.parametrize("name", ["", "-oProxyCommand=x", "a b", "nas\n", "näs", "a/b", "a\0", "$(x)", "*"])
def test_no_host(name: str) -> None:
    """What ssh would take for an option, a pattern or several words is refused."""

    assert host_flaw(name) is not None


@pytest.mark.parametrize(
    ("program", "path"),
    [
        (Program(), "program"),
        (Program(command="true", argv=("true",)), "program"),
        (Program(command=" "), "program.command"),
        (Program(command="a\0b"), "program.command"),
        (Program(argv=("",)), "program.argv[0]"),
        (Program(argv=("echo", "a\0b")), "program.argv[1]"),
        (Program(argv=("echo", "\udcff")), "program.argv[1]"),
        (replace(SOUND, env={"1A": ""}), "program.env"),
        (replace(SOUND, env={"A=B": ""}), "program.env"),
        (replace(SOUND, env={"SSHSCHED_RUN_ID": "1"}), "program.env"),
        (replace(SOUND, env={"A": "\0"}), "program.env.A"),
        (replace(SOUND, cwd=""), "program.cwd"),
        (replace(SOUND, cwd="/\0"), "program.cwd"),
        (replace(SOUND, stdin="\0"), "program.stdin"),
        (replace(SOUND, umask="8"), "program.umask"),
        (replace(SOUND, umask="1777"), "program.umask"),
        (replace(SOUND, umask=""), "program.umask"),
        (replace(SOUND, user="-u"), "program.user"),
        (replace(SOUND, user="a b"), "program.user"),
        (replace(SOUND, stop=Stop(signal="NONE")), "program.stop.signal"),
        (replace(SOUND, stop=Stop(signal="0")), "program.stop.signal"),
        (replace(SOUND, stop=Stop(grace=-1)), "program.stop.grace"),
        (replace(SOUND, timeout=-0.1), "program.timeout"),
        (replace(SOUND, timeout=float("nan")), "program.timeout"),
        (replace(SOUND, abandon_after=float("inf")), "program.abandon_after"),
        (replace(SOUND, accept=()), "program.accept"),
        (replace(SOUND, accept=(0, 256)), "program.accept"),
    ],
)
def test_program(program: Program, path: str) -> None:
    """Each flaw of a program is named once, with its place."""

    assert [path] == [place for place, _ in program_flaws(program)]


BIG = "é" * 65_535 + "x"  # 131,071 bytes, and an end mark


@pytest.mark.parametrize(
    ("draft", "path"),
    [
        (Draft("nas", Program(command=BIG + "x")), "program.command"),
        (Draft("nas", Program(argv=("echo", "x", BIG + "x"))), "program.argv[2]"),
        (Draft("nas", replace(SOUND, env={"A": BIG})), "program.env.A"),
        (Draft("nas", SOUND, args={"a": BIG}), "args.a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_word_that_no_kernel_takes(draft: Draft, path: str) -> None:
    """What Linux hands to no program is refused before it is sent, and what to do instead is said."""
    ((place, message),) = draft_flaws(draft)

    assert path == place
    assert message.endswith("and Linux hands over 131071 at most; hand it over by `stdin`")


def test_a_word_of_any_other_length() -> None:
    """Up to that length any word goes, and any text by stdin."""
    sound = Program(argv=(BIG, BIG), env={"A": BIG[:-2]}, stdin=BIG * 10)

    assert [] == list(draft_flaws(Draft("nas", sound)))


@pytest.mark.parametrize(
    ("draft", "path"),
    [
        (Draft("-x", SOUND), "host"),
        (Draft("nas", SOUND, job_id=""), "job"),
        (Draft("nas", SOUND, args={"a b": ""}), "args"),
        (Draft("nas", SOUND, args={"a": "\0"}), "args.a"),
        (Draft("nas", SOUND, labels=("\0",)), "labels"),
        (Draft("nas", SOUND, by="\0"), "by"),
        (Draft("nas", SOUND, schedule_time=float("nan")), "schedule_time"),
        (Draft("nas", SOUND, start_within=-1), "start_within"),
    ],
)
def test_draft(draft: Draft, path: str) -> None:
    """Each flaw of what surrounds the program is named once, with its place."""

    assert [path] == [place for place, _ in draft_flaws(draft)]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1))
def test_any_text(text: str) -> None:
    """Any text without NUL may be an argument, a value or input, however hostile it looks."""
    program = Program(argv=("echo", text), env={"A": text}, stdin=text)

    assert [] == list(draft_flaws(Draft("nas", program, args={"a": text}, by=text)))


@pytest.mark.parametrize("text", ["TERM", "term", "SIGTERM", "sigTerm", "15"])
def test_signal(text: str) -> None:
    """A signal may be written as people write it."""

    assert "TERM" == signal_name(text)


def test_signals() -> None:
    """Every signal has its number and its name, and they are the same."""

    assert {
        name: signal_name(str(number)) for name, number in SIGNALS.items() if name not in ("CLD", "POLL", "IOT")
    } == {name: name for name in SIGNALS if name not in ("CLD", "POLL", "IOT")}


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True).filter(lambda name: not name.startswith("SSHSCHED_")))
def test_env_name(name: str) -> None:
    """What a shell takes as the name of a variable is one."""

    assert env_name_flaw(name) is None
