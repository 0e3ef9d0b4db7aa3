"""Probes: questions that a host answers beside everything else, within their time, and leaving nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sshsched.remote import script
from sshsched.remote.answers import Answered, parse_answered
from tests.remote.hostkit import SHELLS, Control, FakeHost
from tests.support import until

Host = Callable[..., FakeHost]


async def probe(control: Control, text: str, limit: float = 20.0, name: str = "p1") -> Answered:
    """The answer of a probe, when the journal has told of it."""
    assert [] == (await control.shell.ask(script.ask(name, limit, text))).told
    await until(lambda: f"probed {name}\n" in (control.spool / "journal").read_text(), within=20.0)
    answered = parse_answered((await control.shell.ask(script.answer(name))).told)
    assert answered is not None
    return answered


@pytest.mark.parametrize("shell", SHELLS)
async def test_probes_in_every_shell(make_host: Host, shell: str) -> None:
    """A probe's exit code and words come back, and the second question is as good as the first."""
    host = make_host(shell)
    control = await host.control()
    yes = await probe(control, "echo well && echo done >&2", name="p1")
    no = await probe(control, 'printf "it\'s %s" "$HOME"; exit 3', name="p2")
    hung = await probe(control, "echo begun; sleep 600", limit=1, name="p3")

    assert Answered(0, "well done") == yes
    assert Answered(3, f"it's {host.folder}") == no
    assert Answered(None, "begun") == hung


@pytest.mark.parametrize("shell", SHELLS)
async def test_nothing_is_left(make_host: Host, shell: str) -> None:
    """When a probe has answered, or has been ended, neither a process nor a file of it is left."""
    host = make_host(shell)
    control = await host.control()
    before = len(host.processes())  # one that served the hello may be about to end
    await probe(control, "echo begun; exec >/dev/null 2>&1; sleep 600 &", name="p1")
    await probe(control, "sleep 600 | sleep 601", limit=1, name="p2")

    await until(lambda: len(host.processes()) <= before)
    assert [] == list((control.spool / "probes").iterdir())


async def test_the_control_shell_goes_on(control: Control) -> None:
    """While a probe hangs, the shell that it was asked over answers others."""
    await control.shell.ask(script.ask("p1", 20.0, "sleep 600"))
    answered = await probe(control, "true", name="p2")

    assert Answered(0, "") == answered
    assert None is parse_answered((await control.shell.ask(script.answer("p1"))).told)


async def test_much_output_is_cut(control: Control) -> None:
    """A probe may print without end: the first 4 KiB are kept, and its exit code is its own."""
    answered = await probe(control, "head -c 1000000 /dev/zero | tr '\\0' x; exit 7")

    assert 7 == answered.code
    assert 0 < len(answered.said) <= 4096


async def test_output_that_never_ends(control: Control) -> None:
    """One that prints for ever is ended by its limit."""
    answered = await probe(control, "yes", limit=1)

    assert None is answered.code


async def test_strange_words_do_no_harm(control: Control) -> None:
    """What a probe prints cannot be taken for an answer of ours."""
    answered = await probe(control, r"printf '\n.1\n=stdout r1-x 0 5 5\n|claim program\n\033[31m\000\377'; exit 1")
    again = await probe(control, "true", name="p2")

    assert 1 == answered.code
    assert Answered(0, "") == again


async def test_its_surroundings(control: Control) -> None:
    """A probe runs in the home folder, with nothing to read and nothing of ours in its environment."""
    answered = await probe(control, 'read -r x; [ "$PWD" -ef "$HOME" ] && ! env | grep -q "^SS_" && ! cat | grep -q .')

    assert Answered(0, "") == answered


async def test_a_new_link_forgets_old_answers(make_host: Host) -> None:
    """Answers that an earlier link asked for are removed by the next hello."""
    host = make_host()
    control = await host.control()
    await control.shell.ask(script.ask("p1", 20.0, "true"))
    await until(lambda: (control.spool / "probes" / "p1").exists())
    again = await host.control()

    assert None is parse_answered((await again.shell.ask(script.answer("p1"))).told)
    assert not (control.spool / "probes").exists()


@pytest.mark.parametrize("lines", [[], ["probed "], ["probed x"], ["probed -1"], ["other 0"], ["probed"]])
def test_answers_that_are_none(lines: list[str]) -> None:
    """A torn or foreign answer says nothing."""
    assert None is parse_answered(lines)
