"""Runs on `local` through the real scheduler: exit codes, output, and what is said."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from sshsched.errors import RefusedError
from sshsched.service.client import Client
from tests.cli.driver import Place


@pytest.mark.parametrize(
    ("code", "last", "args"),
    [
        (0, "success", ["-H", "local", "--", "true"]),
        (3, "exit 3", ["-H", "local", "--", "exit 3"]),
        (255, "exit 255", ["-H", "local", "--", "exit 255"]),
        (137, "signal KILL", ["-H", "local", "--", "kill -9 $$"]),
        (143, "signal TERM", ["-H", "local", "--", "kill -15 $$"]),
        (124, "it reached its timeout", ["-H", "local", "--timeout", "200ms", "--", "sleep", "60"]),
        (255, "not started within", ["-H", "no-such-host.invalid", "--start-within", "500ms", "--", "true"]),
    ],
)
def test_one_waited_run_gives_its_own_code(shared: Place, code: int, last: str, args: list[str]) -> None:
    """The program's code, 128+N, 124, 255; and the last line says why."""
    done = shared("run", "--wait", *args)

    assert code == done.code
    assert last in done.err.splitlines()[-1]
    assert done.text.startswith("r")


@pytest.mark.parametrize(
    ("code", "says", "args"),
    [
        (2, "add -H HOST", ["run", "--", "true"]),
        (2, "write the command there", ["run", "-H", "local", "--"]),
        (2, "give one of them", ["run", "job", "-H", "local", "--", "true"]),
        (2, "no NAME=VALUE", ["run", "-H", "local", "--env", "A", "--", "true"]),
        (2, "exclude each other", ["run", "-H", "local", "--at", "now", "--delay", "1", "--", "true"]),
        (2, "--env: 'A' is given twice", ["run", "-H", "local", "--env", "A=1", "--env", "A=2", "--", "true"]),
        (2, "--timeout: 'soon' is no duration", ["run", "-H", "local", "--timeout", "soon", "--", "true"]),
        (2, "--delay: 'soon' is no duration", ["run", "-H", "local", "--delay", "soon", "--", "true"]),
        (2, "--timeout: must be longer than nothing", ["run", "-H", "local", "--timeout", "0", "--", "true"]),
        (2, "both want the standard output", ["run", "-H", "local", "--json", "--output", "--", "true"]),
        (2, "sshsched: -H: '-x' cannot be the name of a host", ["run", "-H", "-x", "--", "true"]),
        (2, "sshsched: --cwd: is empty", ["run", "-H", "local", "--cwd", "", "--", "true"]),
        (2, "sshsched: --label: is empty", ["run", "-H", "local", "--label", "", "--", "true"]),
        (2, "sshsched: --env A: is not valid UTF-8", ["run", "-H", "local", "--env", "A=\udcff", "--", "true"]),
        (2, "sshsched: word 2 of the command: is not valid UTF-8", ["run", "-H", "local", "--", "echo", "\udcff"]),
        (2, "No such option", ["run", "--bogus"]),
        (2, "`sshsched run --help` tells more", ["run", "-H"]),
        (2, "`sshsched --help` tells more", ["--state-dir"]),
        (2, "did you mean 'rerun'", ["reruns"]),
        (2, "Choose from: bash, zsh, fish; ", ["completion"]),
        (2, "is no run", ["wait", "x5"]),
        (2, "unknown 'nope'; known: ", ["runs", "--columns", "nope"]),
        (4, "no run r99999", ["show", "r99999"]),
        (4, "no run r99999", ["output", "99999"]),
        (4, "there is no such run", ["stop", "r99999"]),
        (4, "no job 'nope'", ["run", "nope"]),
    ],
)
def test_what_cannot_be_done_is_one_line(shared: Place, code: int, says: str, args: list[str]) -> None:
    """Bad input: one line that names it, on the standard error, and no traceback."""
    done = shared(*args)

    assert code == done.code
    assert says in done.err
    assert 1 == len(done.err.splitlines())
    assert b"" == done.out


def test_output_is_exact(shared: Place) -> None:
    """A pipe gets the program's bytes, its two streams apart; the run's name goes to the standard error."""
    done = shared("run", "-H", "local", "--output", "--quiet", "--", r"printf 'a\000\033[2J\377\r\nb'; printf err >&2")

    assert b"a\0\x1b[2J\xff\r\nb" == done.out
    assert done.err.endswith("err")
    assert done.err.startswith("r")


def test_stored_output_is_exact(shared: Place) -> None:
    """The same afterwards, whole, one stream, or the last lines."""
    name = shared("run", "-H", "local", "-w", "--", "seq 1 50000; seq 3 >&2").text.strip()
    whole = "".join(f"{n}\n" for n in range(1, 50001)).encode()

    assert (whole, "1\n2\n3\n") == (shared("output", name).out, shared("output", name).err)
    assert (whole, "") == (shared("logs", name, "--stdout").out, shared("logs", name, "--stdout").err)
    assert (b"49999\n50000\n", "2\n3\n") == (shared("output", name, "-n", "2").out, shared("output", name, "-n2").err)
    assert b"" == shared("output", name, "-n", "0").out
    assert whole == shared("output", name, "-n", "60000").out
    assert whole == shared("output", name, "-f").out


def test_stored_output_that_is_gone_is_told(shared: Place) -> None:
    """A file that somebody removed is not taken for a program that printed nothing."""
    name = shared("run", "-H", "local", "--wait", "--", "echo hello").text.strip()
    (shared.state / "output" / name / "stdout").unlink()
    done = shared("output", name)

    assert (125, b"") == (done.code, done.out)
    assert f"{name}: of the 6 bytes of its stdout only 0 are left; its file was removed or cut\n" == done.err


def test_output_of_a_running_program(shared: Place) -> None:
    """What there is by now; with -f also what comes, and in both cases only the last lines if wanted."""
    go = shared.home / "go-on"
    name = shared.started("-H", "local", "--", f"echo 1; echo 2; while [ ! -e {go} ]; do sleep 0.1; done; printf 3")
    now, last = shared("output", name), shared("output", name, "-n", "1")
    following = shared.begin("output", name, "-f", "-n", "1")
    assert following.stdout is not None
    first = following.stdout.readline()
    go.touch()
    rest, _ = following.communicate(timeout=20)

    assert b"1\n2\n" == now.out
    assert b"2\n" == last.out
    assert (b"2\n", b"3", 0) == (first, rest, following.returncode)


def test_several_words_are_words_and_one_is_for_the_shell(shared: Place) -> None:
    """No shell touches several words; a single one with a shell's characters is a command, as with ssh."""
    words = shared("run", "-H", "local", "-o", "--", "printf", "%s|", "a b", "$HOME", "it's", "*")
    command = shared("run", "-H", "local", "-o", "--", "echo a | tr a b")

    assert b"a b|$HOME|it's|*|" == words.out
    assert b"b\n" == command.out


def test_options_reach_the_program(shared: Place) -> None:
    """Environment, folder, umask and standard input."""
    done = shared(
        "run", "-H", "local", "-o", "--env", "A=1=2", "--cwd", "/", "--umask", "027", "--stdin", "-", "--",
        'echo "$A"; pwd; umask; cat', stdin=b"from stdin",
    )  # fmt: skip

    assert b"1=2\n/\n0027\nfrom stdin" == done.out


def test_stdin_must_be_text(shared: Place) -> None:
    """What could not be stored as text is refused, with its place."""
    done = shared("run", "-H", "local", "--stdin", "-", "--", "cat", stdin=b"ab\xff")

    assert 2 == done.code
    assert "no UTF-8 at byte 2" in done.err


def test_several_hosts_only_say_if_all_is_well(shared: Place) -> None:
    """1 if any did not succeed; every line of output tells whose it is."""
    done = shared(
        "run", "-H", "local", "-H", "no.invalid", "--start-within", "300ms", "-o", "--", "echo hi; printf end"
    )

    assert 1 == done.code
    assert {"hi", "end"} == {line.partition(" local: ")[2] for line in done.text.splitlines()}


def test_json_tells_state_code_signal_and_reason_apart(shared: Place) -> None:
    """The contract for scripts: nothing else is on the standard output."""
    done = shared("run", "-H", "local", "-w", "--json", "--label", "x", "--", "kill -9 $$")

    (run,) = done.json
    assert ("failure", None, 9, ["x"]) == (run["state"], run["exit_code"], run["signal"], run["labels"])
    assert "" == done.err
    assert run["run"] == shared("show", run["run"], "--json").json["run"]["run"]
    assert [run["run"]] == [found["run"] for found in shared("runs", "--label", "x", "--json").json]
    assert [] == shared("runs", "--label", "no such", "--json").json


def test_rerun_is_the_same_again(shared: Place) -> None:
    """Same program, new run, and the new one knows the old one."""
    first = shared("run", "-H", "local", "-w", "--", "exit 5").text.strip()
    done = shared("rerun", first, "--wait", "--json")

    assert 5 == done.code
    assert first == done.json[0]["rerun_of"]


def test_stop_ends_and_skip_prevents(shared: Place) -> None:
    """A running program gets the signal; a run that has not begun never does; a finished one refuses both."""
    running = shared.started("-H", "local", "--", "sleep", "60")
    later = shared("run", "-H", "local", "--delay", "1h", "--", "true").text.strip()

    assert 1 == shared("skip", running).code
    assert 0 == shared("skip", later).code
    assert 125 == shared("wait", later).code
    assert 0 == shared("stop", running, "--signal", "INT").code
    assert 130 == shared("wait", running).code
    assert 1 == shared("stop", running).code
    assert 1 == shared("skip", running).code


def test_wait_has_an_end(shared: Place) -> None:
    """--timeout gives 124 and says that the run goes on; --any returns with the first."""
    slow = shared.started("-H", "local", "--", "sleep", "60")
    late = shared("wait", slow, "--timeout", "100ms")
    quick = shared("run", "-H", "local", "--", "exit 7").text.strip()

    assert 124 == late.code
    assert f"`sshsched wait {slow}` to come back" in late.err
    assert 7 == shared("wait", slow, quick, "--any").code
    assert 0 == shared("stop", slow).code


def test_a_job_is_bound_to_its_args(shared: Place) -> None:
    """NAME=VALUE fills the job's params; what is missing is said."""
    jobs = shared.config / "jobs" / "say"
    jobs.mkdir(parents=True)
    (jobs / "hello.yaml").write_text("host: local\nparams: [whom]\ncommand: echo hello {{ whom }}\n")
    done = shared("run", "say/hello", "whom=world", "-o")

    assert b"hello world\n" == done.out
    assert [{"whom": "world"}] == [run["args"] for run in shared("runs", "--job", "say/*", "--json").json]
    assert [1, 0] == [len(shared("runs", "--arg", f"whom={whom}", "--json").json) for whom in ("world", "you")]
    assert 2 == shared("run", "say/hello").code
    assert "missing arg 'whom'" in shared("run", "say/hello").err


def test_lists_are_columns_for_a_pipe(shared: Place) -> None:
    """Nothing is cut, and one line is one run whatever the command was."""
    name = shared("run", "-H", "local", "-w", "--", "printf '%s' 'a\nb\x1b[2J' >/dev/null; : " + "x" * 300).text.strip()
    lines = shared("runs", "--limit", "1", "--columns", "run,state,what", "--no-headers").text.splitlines()

    assert [rf"{name}  success  printf '%s' 'a\nb\x1b[2J' >/dev/null; : {'x' * 300}"] == lines


def test_completion_knows_runs_jobs_and_hosts(shared: Place) -> None:
    """What the shell asks after TAB."""
    name = shared("run", "-H", "local", "-w", "--", "true").text.strip()
    (shared.config / "jobs").mkdir(parents=True, exist_ok=True)
    (shared.config / "jobs" / "nightly.yaml").write_text("host: local\ncommand: 'true'\n")
    shared.home.parent.joinpath("ssh_config").write_text("Host nas nas2 *.example !x\n  User u\nHost=web\n")

    def offered(*words: str) -> list[str]:
        env = {"_SSHSCHED_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
        return [line.partition(",")[2] for line in shared(env=env).text.splitlines()]

    assert name in offered("sshsched", "show", "r")
    assert ["nightly"] == offered("sshsched", "run", "ni")
    assert ["nas", "nas2"] == offered("sshsched", "run", "-H", "na")
    assert {"local", "web"} <= set(shared("hosts", "--json").text.split('"'))
    assert json.loads(shared("hosts", "--json").out)[0]["host"] == "local"


def test_many_mark_at_once(shared: Place) -> None:
    """Of many who mark the same run at once one is heard, the others are told, and the scheduler goes on."""
    name = shared("run", "-H", "local", "--", "false").text.strip()
    shared("wait", name)

    def mark(number: int) -> str:
        with Client(shared.state) as client:
            try:
                return str(client.mark([name], "success", by=f"w{number}")[0]["state"])
            except RefusedError as error:
                return str(error)

    with ThreadPoolExecutor(8) as pool:
        told = Counter(pool.map(mark, range(8)))

    assert {"success": 1, f"{name} is success already": 7} == told
    assert "success" == shared("show", name, "--json").json["run"]["state"]
    assert 0 == shared("run", "-H", "local", "--wait", "--", "true").code
