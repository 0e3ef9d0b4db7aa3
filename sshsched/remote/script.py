"""What is sent to a host: every request as text, and nothing else.

Rule: pure. A request is one compound command, so that a transfer cut at any byte is a syntax error and never a partial
effect (POSIX, 2.9.4); whatever comes from a user stands in single quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from sshsched.domain.model import Cause, Run
from sshsched.domain.program import Program
from sshsched.domain.shape import iso

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_TITLE = re.compile(r"^# (\w+) -{10,}$", re.MULTILINE)


def quote(word: str) -> str:
    """The word as one word of any Bourne shell. Raises ValueError for a NUL or half a surrogate."""
    if "\0" in word:
        raise ValueError("a NUL byte cannot be part of an argument")
    word.encode("utf-8", "surrogateescape")
    if _SAFE.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


@cache
def host_text() -> str:
    """host.sh, without comments and indentation, but for the titles of its parts."""
    source = (files(__package__) / "host.sh").read_text("utf-8")
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if not line.startswith("#") or _TITLE.match(line)) + "\n"


def greeting(nonce: str) -> str:
    """Lines that have a shell say the nonce. It is put together by the shell: an echo of our bytes does not hold it.

    The first line is blank: csh-like login shells and rc files that read one line find nothing in it.
    """
    half = len(nonce) // 2
    return f"\nprintf '%s%s\\n' {nonce[:half]} {nonce[half:]}\n"


def request(number: int, call: str) -> str:
    """A call, whole or not at all, its complaints among its answer, and the line that ends the answer."""
    return f"{{\n{call} 2>&1\nprintf '\\n.%s\\n' {number}\n}}\n"


def hello(root: str | None, instance: str, host: str) -> str:
    """The first call of a control shell."""
    return f"{_library()}\nss_hello {_words(root or '', instance, host)}"


def examine(root: str | None, instance: str, host: str) -> str:
    """The only call of `hosts check`: it takes over from nobody."""
    return f"{_library()}\nss_examine {_words(root or '', instance, host)}"


def join(spool: str) -> str:
    """The first call of any further shell of a link."""
    return f"{_library()}\nss_join {_words(spool)}"


def start(
    run: Run,
    name: str,
    host_env: Mapping[str, str],
    stop_in: float | None = None,
    secrets: Mapping[str, str] = NOTHING,
) -> str:
    """Start the run's program in the spool of that name, unless it has been started; end it after `stop_in` seconds."""
    return f"{{\n{put(run, name, host_env, secrets)}\n{launch([(run, name, stop_in)])}\n}}"


def rooms(names: Iterable[str]) -> str:
    """Folders for all these spools, ahead of what is put there: one by one they cost more."""
    return "ss_rooms " + _words(*names)


def put(run: Run, name: str, host_env: Mapping[str, str], secrets: Mapping[str, str] = NOTHING) -> str:
    """Have all in the spool of that name that the run's program needs, unless it has been started.

    What holds `secrets`, variables of its environment, is removed on the host before the program begins.
    """
    more = [word for file in files_beside(run, host_env, secrets).items() for word in file]
    return "ss_put " + _words(name, command_file(run, name, host_env, secrets), *more)


def launch(starts: Iterable[tuple[Run, str, float | None]]) -> str:
    """Start those programs that have been put there just now; each a run, its spool's name, and when to end it."""
    words: list[str] = []
    for run, name, stop_in in starts:
        program = run.program
        limits = (_limit(program.timeout, stop_in), _whole(program.abandon_after))
        words += (name, program.user or "", *limits, program.stop.signal, _number(program.stop.grace))
    return "ss_launch " + _words(*words)


def look(names: Iterable[str]) -> str:
    """Reports of these spools."""
    return "ss_look " + _words(*names)


def settle(name: str) -> str:
    """Seal this run, or learn who has the claim."""
    return "ss_settle " + _words(name)


def stop(run: Run, name: str) -> str:
    """Seal what has not started; end what has."""
    asked = run.stop_asked
    assert asked is not None
    words = (name, str(asked.cause), asked.signal, _number(asked.grace), run.program.user or "")
    return "ss_stop " + _words(*words)


def fetch(most: int, wanted: Iterable[tuple[str, int, int]]) -> str:
    """Reports, and at most so many bytes of each output from these offsets on: (name, stdout, stderr)."""
    return f"ss_fetch {most} " + " ".join(f"{name} {out} {err}" for name, out, err in wanted)


def clean(names: Iterable[str]) -> str:
    """Remove these spools."""
    return "ss_clean " + _words(*names)


def ask(name: str, limit: float, text: str) -> str:
    """Have a probe's text run beside everything else, for at most so many seconds."""
    return "ss_ask " + _words(name, _whole(limit), text)


def answer(name: str) -> str:
    """The answer to that probe, if there is one yet; it is forgotten on the host."""
    return "ss_answer " + _words(name)


def news() -> str:
    """The journal's lines since this was last asked of the same shell."""
    return "ss_news"


def follow(offset: int) -> str:
    """Turn the shell into a tail of the journal, from that offset on. No answer ends it."""
    return f"{{\nss_follow {offset + 1}\n}}\n"


# The files that describe a program -------------------------------------------------------------------------------


def environment(run: Run) -> dict[str, str]:
    """What a program is told of its run."""
    told = {
        "SSHSCHED_RUN_ID": run.name,
        "SSHSCHED_JOB_ID": run.job_id or "",
        "SSHSCHED_ATTEMPT": str(run.attempt),
        "SSHSCHED_SCHEDULE_TIME": iso(run.due_at) or "",
    }
    told |= {f"SSHSCHED_ARG_{_env_name(name)}": value for name, value in run.args.items()}
    return told


def command_file(run: Run, name: str, host_env: Mapping[str, str], secrets: Mapping[str, str] = NOTHING) -> str:
    """`command` in the spool: prepare(), which may fail before anything begins, and program(), which never returns."""
    program = run.program
    if program.user is None:
        # A shell ends when it cannot read what `.` names: nothing begins without its secrets.
        prepare = [*(['. "$ss_own/secret"'] if secrets else []), *_prepare(program)]
        body = [*_exports(run, name, host_env), _exec(program)]
    else:
        # The other user cannot read the spool, and words of sudo are seen by everyone: all goes in by standard input.
        sudo = f"sudo -n -H -u {quote(program.user)} --"
        trial = _enter(program.cwd) if program.cwd else ":"
        prepare = [f"{sudo} /bin/sh -c {quote(trial)} sshsched </dev/null"]
        body = [f"ss_run {sudo} /bin/sh -c {quote(_READ_PROLOGUE)} sshsched {quote(_prologue_end(run))}"]
    return "\n".join(["prepare() {", *prepare, "}", "program() {", *body, "}", ""])


def files_beside(run: Run, host_env: Mapping[str, str], secrets: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """The other files of the spool that the program needs: names, and what is in them.

    `stdin`, which for another user begins with what has to be done as that user; `secret`, with variables; and
    `secret-stdin`, which is a `stdin` of another user with secrets in it.
    """
    program = run.program
    exports = [f"export {key}={quote(value)}" for key, value in secrets.items()]
    if program.user is None:
        stdin = {} if program.stdin is None else {"stdin": program.stdin}
        return {**stdin, **({"secret": "\n".join([*exports, ""])} if secrets else {})}
    lines = [*_prepare(program), *_exports(run, spool_name(run), host_env), *exports, _exec(program, plain=True)]
    return {"secret-stdin" if secrets else "stdin": "\n".join([*lines, _prologue_end(run), program.stdin or ""])}


# `read` takes no byte beyond its line (POSIX, read), so the program finds the rest.
_READ_PROLOGUE = (
    's=; while IFS= read -r l && [ "$l" != "$1" ]; do s=$s$l\'\n\'; done; shift; unset l; eval "unset s\n$s"'
)


def _prologue_end(run: Run) -> str:
    """A line that no value of the user's can hold by chance: it has the run's key in it."""
    return f": end of {spool_name(run)}"


def spool_name(run: Run) -> str:
    """The name of the run's folder in the host's spool."""
    return f"{run.name}-{run.key}"


def _prepare(program: Program) -> list[str]:
    umask = program.umask or ('"${SS_UMASK:-022}"' if program.user is None else "022")
    return [f"umask {umask}", f"{_enter(program.cwd or '~')} || exit 1"]


def _enter(folder: str) -> str:
    """Go there; from the home folder, which is also what `~` is, unless it is absolute."""
    if folder.startswith("/"):
        return f"cd -- {quote(folder)}"
    home, below = 'cd -- "${HOME:-/}"', folder[1:].lstrip("/") if folder == "~" or folder.startswith("~/") else folder
    return f"{home} && cd -- {quote(f'./{below}')}" if below else home  # without the dot, CDPATH would lead elsewhere


def _exports(run: Run, name: str, host_env: Mapping[str, str]) -> list[str]:
    told = {**host_env, **run.program.env, **environment(run)}
    spool = run.spool.path if run.spool else name
    return [f"export {key}={quote(value)}" for key, value in [*told.items(), ("SSHSCHED_SPOOL", spool)]]


def _exec(program: Program, *, plain: bool = False) -> str:
    runner = "exec" if plain else "ss_run"
    if program.command is not None:
        return f"{runner} /bin/sh -c {quote(program.command)}"
    words = _words(*program.argv)
    # A name that begins with a dash would be an option of exec.
    return f"{runner} env -- {words}" if program.argv[0].startswith("-") else f"{runner} {words}"


def _library() -> str:
    return _packed(host_text())


@cache
def _packed(source: str) -> str:
    """All parts of host.sh as variables, for whoever is started there; a control shell itself reads only two."""
    _, *parts = _TITLE.split(source)
    sent = {f"SS_{title.upper()}": text for title, text in zip(parts[::2], parts[1::2], strict=True)}
    return "\n".join(
        [*(f"{name}={quote(text.lstrip())}" for name, text in sent.items()), 'eval "$SS_BASE$SS_REQUESTS"']
    )


def _words(*words: str) -> str:
    return " ".join(quote(word) for word in words)


def _number(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}".rstrip("0").rstrip(".")


def _limit(timeout: float | None, stop_in: float | None) -> str:
    """Whichever comes first, and what it is called if it is not the timeout."""
    if stop_in is None or (timeout is not None and timeout <= stop_in):
        return _number(timeout)
    return f"{_number(stop_in)} {Cause.STOP}"


def _whole(seconds: float | None) -> str:
    return "" if seconds is None else str(max(1, round(seconds)))


def _env_name(param: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", param).upper()
