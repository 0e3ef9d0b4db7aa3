"""What a program gets is what was asked for, byte for byte, on every shell."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sshsched.remote import script
from tests.remote.hostkit import SHELLS, Control, FakeHost, a_run, make_shell
from tests.support import until

HOSTILE = [
    "",
    " ",
    "it's",
    '"',
    "'",
    "''",
    "\\",
    "\\\\n",
    "$(touch /tmp/never)",
    "`id`",
    "${HOME}",
    "a\nb",
    "\n",
    "\n\n",
    "trailing\n",
    ";",
    "a;b",
    "-rf",
    "--",
    "-n",
    "*",
    "[a-z]?",
    "~",
    "!",
    "!!",
    "#",
    "&",
    "|",
    "a=b",
    "%s%n",
    "\t",
    "\r\n",
    "\x01\x1b[31m\x7f",
    "ünïcödé ☃ 🎉",
    "}\n{",
    "EOF",
    ": end of sshsched prologue",
    "x" * 100_000,
    "é'\"\\\n$" * 10_000,
]
BYTES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
SHOW = "import sys, os; sys.stdout.buffer.write(b'\\0'.join(map(os.fsencode, [*sys.argv[1:], *(os.environ[f'V{i}'] for i in range(len(sys.argv) - 1))])))"  # noqa: E501


async def through(control: Control, words: list[str]) -> None:
    """Send the words as argv, values of the environment, a command and stdin, and see them come out again."""
    env = {f"V{index}": word for index, word in enumerate(words)}
    shown = a_run(sys.executable, "-c", SHOW, *words, env=env)
    fed = a_run("cat", stdin="".join(words))
    commanded = a_run("printf '%s.' " + " ".join(map(script.quote, words)))
    runs = [shown, fed, commanded]
    await asyncio.gather(*(control.start(run) for run in runs))
    outputs = [await control.output(run) for run in runs if await control.ended(run)]

    assert b"\0".join(word.encode() for word in words * 2) == outputs[0]
    assert "".join(words).encode() == outputs[1]
    assert "".join(f"{word}." for word in words).encode() == outputs[2]


@pytest.mark.parametrize("shell", SHELLS)
async def test_hostile_words_arrive_as_they_are(shell: str, make_host: Callable[..., FakeHost]) -> None:
    """Quotes, substitutions, newlines, options, control characters and 100 KB arrive byte for byte."""
    control = await make_host(shell, env={"LC_ALL": "C.UTF-8"}).control()
    # The printf of posh is a program, and the kernel hands no word of 128 KB to one.
    for some in (HOSTILE[:-2],) if shell == "posh" else (HOSTILE[:-2], HOSTILE[-2:-1], HOSTILE[-1:]):
        await through(control, some)
    control.close()


async def test_a_text_that_a_host_cannot_write_is_refused(make_host: Callable[..., FakeHost]) -> None:
    """Where a shell cannot write so long a text, the start is refused, in the host's words."""
    control = await make_host("posh").control()
    answer = await control.start(a_run("cat", stdin="x" * 200_000))

    assert "refused cannot write" in answer.told[0]
    assert "too long" in answer.evidence
    control.close()


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox", "mksh"])
def test_any_words_arrive_as_they_are(shell: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever words there are, a program gets them byte for byte, also where the locale is none."""
    sh = make_shell(shell, tmp_path_factory.mktemp(shell) / "bin")

    @settings(max_examples=40, deadline=None)
    @given(st.lists(BYTES, min_size=1, max_size=20))
    def check(words: list[str]) -> None:
        text = "printf '%s\\0' " + " ".join(map(script.quote, words)) + "\n"
        done = subprocess.run([sh], input=text.encode(), capture_output=True, check=True, env={"PATH": os.defpath})
        assert b"".join(word.encode() + b"\0" for word in words) == done.stdout

    check()


@pytest.mark.parametrize("word", ["a\0b", "\0", "\ud800"])
def test_what_no_program_can_be_given_is_refused(word: str) -> None:
    """A NUL and half a surrogate are refused before anything is sent."""
    with pytest.raises(ValueError, match=r"NUL|surrogates"):
        script.start(a_run("true", stdin=word), "r1-abcd1234", {})
    with pytest.raises(ValueError, match=r"NUL|surrogates"):
        script.start(a_run("echo", word), "r1-abcd1234", {})


def test_bytes_that_are_no_text_are_handed_on() -> None:
    """A file name that is no UTF-8 stands in Python's text as surrogates, and stays what it is."""
    assert b"'\xff'" == script.quote(os.fsdecode(b"\xff")).encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("shell", SHELLS)
async def test_folder_mask_and_surroundings(shell: str, make_host: Callable[..., FakeHost]) -> None:
    """The program runs in its folder, with its umask, and nothing of ours is in its environment."""
    host = make_host(shell, before="umask 027\n")
    folder = host.folder / "it's a\nfolder $HOME"
    folder.mkdir()
    control = await host.control()
    placed = a_run("pwd; umask", cwd=str(folder), umask="077")
    plain = a_run("pwd; umask; env")
    await asyncio.gather(control.start(placed), control.start(plain, {"OF_HOST": "yes"}))
    await control.ended(placed)
    await control.ended(plain)
    seen = (await control.output(plain)).decode().splitlines()

    assert f"{folder}\n0077\n" == (await control.output(placed)).decode().replace("\n077\n", "\n0077\n")
    assert [str(host.folder), "027"] == [seen[0], seen[1].lstrip("0").rjust(3, "0")]
    assert "OF_HOST=yes" in seen
    assert f"SSHSCHED_RUN_ID={plain.name}" in seen
    assert [] == [line for line in seen if line.startswith(("SS_", "ss_"))]
    control.close()


@pytest.mark.parametrize("shell", SHELLS)
async def test_a_folder_is_looked_for_at_home(shell: str, make_host: Callable[..., FakeHost]) -> None:
    """A folder that is not absolute begins in the home folder, which `~` is too, whatever CDPATH says."""
    host = make_host(shell, env={"CDPATH": "/usr:/"})
    asked = {"bin": "bin", "~/it's here/bin": "it's here/bin", "~": ".", "~/": ".", "-P": "-P", "~bin": "~bin"}
    for folder in asked.values():
        (host.folder / folder).mkdir(parents=True, exist_ok=True)
    control = await host.control()
    runs = {folder: a_run("pwd", cwd=folder) for folder in asked}
    for run in runs.values():
        await control.do(run)
    seen = {folder: (await control.output(run)).decode() for folder, run in runs.items()}

    assert {folder: f"{(host.folder / there).resolve()}\n" for folder, there in asked.items()} == seen
    control.close()


async def test_files_of_the_spool_are_private(control: Control) -> None:
    """Nobody else can read what is in a spool, whatever the umask of the login and of the program."""
    run = a_run("umask 000; echo hi", stdin="secret", umask="000")
    await control.do(run)

    assert {0o600} == {path.stat().st_mode & 0o777 for path in control.folder(run).iterdir()}
    assert 0o700 == control.folder(run).stat().st_mode & 0o777


# Other users -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    """A user that is made for this test, and removed."""
    assert 0 == os.getuid(), "needs root, to make a user"
    name = f"sshsched-test{os.getpid()}"
    subprocess.run(["userdel", "-r", name], capture_output=True, check=False)
    subprocess.run(["useradd", "-m", "-s", "/bin/sh", name], check=True)
    yield name
    subprocess.run(["userdel", "-r", name], capture_output=True, check=True)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Control]:
    """A control shell of this machine's own /bin/sh: other users cannot enter a test's folder."""
    host = FakeHost(tmp_path)
    control = await host.control()
    yield control
    await host.end()


def arguments_of_all() -> bytes:
    """What `ps` shows to everybody."""
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += path.read_bytes() + b"\n"
        except OSError:
            continue
    return found


async def test_another_user_gets_it_all(here: Control, other: str) -> None:
    """As another user, a program gets environment, folder, umask and stdin as its own, and its output comes back."""
    words = [word for word in HOSTILE if len(word) < 1000]
    env = {f"V{index}": word for index, word in enumerate(words)}
    run = a_run(sys.executable, "-c", SHOW, *words, env=env, user=other, cwd="/tmp")
    told = a_run(
        "id -un; pwd; umask; echo $HOME $SSHSCHED_RUN_ID; cat", user=other, cwd="/tmp", umask="026", stdin="in\nput"
    )
    await asyncio.gather(here.start(run), here.start(told))
    assert 0 == (await here.ended(told)).outcome.exit_code
    await here.ended(run)

    assert f"{other}\n/tmp\n0026\n/home/{other} {told.name}\nin\nput".encode() == await here.output(told)
    home = a_run("pwd", user=other, cwd="~")
    await here.do(home)
    assert f"/home/{other}\n".encode() == await here.output(home)
    if Path(sys.executable).is_relative_to("/usr"):
        assert b"\0".join(word.encode() for word in words * 2) == await here.output(run)


async def test_nothing_secret_is_in_any_argument(here: Control, other: str) -> None:
    """Values of the environment and standard input are in no process' arguments, as they would be for all to see."""
    runs = [a_run("sleep 60", user=user, env={"TOKEN": "hush-env"}, stdin="hush-stdin") for user in (None, other)]
    for run in runs:
        await here.start(run)
        await here.claimed(run)
        await until(lambda: b"sleep\x0060" in arguments_of_all(), within=20)

    assert b"hush-" not in arguments_of_all()
    for run in runs:
        await here.stop(run, grace=0)
        await here.stopped(run)


@pytest.mark.parametrize("ignoring", [False, True], ids=["willing", "ignoring"])
async def test_another_users_program_is_stopped(here: Control, other: str, ignoring: bool) -> None:
    """The whole tree of another user's program is ended, also where it ignores TERM and has left its session."""
    mask = "trap '' TERM; " if ignoring else ""
    run = a_run(f"{mask}setsid sleep 308 & sleep 309 & echo $!; sleep 310", user=other)
    await here.start(run)
    await until(lambda: here.output(run), within=20)
    await here.stop(run, grace=0 if ignoring else 10)
    report = await here.stopped(run)

    assert () == report.survivors
    assert report.outcome is not None
    assert 0 != report.outcome.exit_code
    await until(lambda: subprocess.run(["pgrep", "-u", other], check=False).returncode == 1)


async def test_a_user_that_is_not_there_is_refused(here: Control) -> None:
    """A user that the host does not know is told in sudo's words."""
    run = a_run("true", user="no-such-user")
    await here.start(run)

    assert "no-such-user" in str((await here.ended(run)).refused)
