"""The program of a job: what runs on the host, and how.

Rule: the keys may stand at the top of a job (the short form) or under `program:`, each in one of the two places.
"""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from typing import Any, Final

from sshsched.config.nodes import Entry, Mapping, Node, Problems, Text
from sshsched.config.reading import Key, Made, Record, Take, check_keys
from sshsched.config.values import TEXT, Duration, Integer, Many, Number, OneOf, Pairs, Word
from sshsched.domain.program import GRACE, Program, Stop
from sshsched.kinds.jobs import USER_NAME

# SSHSCHED_* tells a program of its run; a job that sets one would be overruled without a word.
ENV_NAME: Final = "(?!SSHSCHED_)[A-Za-z_][A-Za-z0-9_]*"
ENV_WANTED: Final = "name of an environment variable (and SSHSCHED_* is ours)"

# Those that a program may take as a wish to end: WINCH is Apache's, USR1 and USR2 are whatever a program makes of them.
SIGNALS: Final = ("TERM", "INT", "HUP", "QUIT", "KILL", "ABRT", "ALRM", "PIPE", "USR1", "USR2", "WINCH")

SIGNAL: Final = Key("signal", OneOf(SIGNALS, "signal", strip="SIG"), "the signal that asks the program to end", "TERM")
GRACE_TIME: Final = Key("grace", Duration(zero=True), "how long the program may take to end before KILL", GRACE)
STOP: Final = Record((SIGNAL, GRACE_TIME), "how the program is asked to end")
AFTER: Final = Key("after", Duration(), "the host ends the program when no scheduler has shown itself for so long")
_COMMAND: Final = Word(r"[\s\S]*\S[\s\S]*", "command: it is empty")
_FOLDER: Final = Word(r"[^~][\s\S]*", "folder; ~ is not expanded here, and a relative one begins in the home folder")
_UMASK: Final = Word("[0-7]{3,4}", "umask; write 022 or 0077")
ABANDON: Final = Record((AFTER,), "a lease: what happens when the scheduler stays away")

COMMAND: Final = Key[str | None]("command", _COMMAND, "a line for `sh -c` on the host", None)
ARGV: Final = Key[tuple[str, ...]]("argv", Many(TEXT, alone=False), "the program and its arguments, without shell", ())
ENV: Final = Key("env", Pairs(ENV_NAME, ENV_WANTED, TEXT), "environment variables", {})
CWD: Final = Key[str | None](
    "cwd",
    _FOLDER,
    "the folder that the program starts in",
    None,
)
STDIN: Final = Key[str | None]("stdin", TEXT, "the text that the program reads from standard input", None)
UMASK: Final = Key[str | None]("umask", _UMASK, "the umask, in octal digits", None)
USER: Final = Key[str | None](
    "user", Word(USER_NAME, "user name", templated=True), "the user that the program runs as, through `sudo -n`", None
)
STOPPING: Final = Key("stop", Made(STOP, lambda take: Stop(take(SIGNAL), take(GRACE_TIME))), STOP.help, Stop())
TIMEOUT: Final = Key[float | None]("timeout", Duration(), "the host stops the program after so long", None)
TIMEOUT_MINUTES: Final = Key[float | None](
    "timeout-minutes", Number(0.01, 1_000_000), "the same in minutes, as GitHub Actions has it", None
)
ACCEPT: Final = Key[tuple[int, ...]]("accept", Many(Integer(0, 255)), "the exit codes that mean success", (0,))
ABANDONING: Final = Key[float | None]("abandon", Made(ABANDON, lambda take: take(AFTER)), ABANDON.help, None)

# Words that other tools use for the same thing.
ALIASES: Final = {
    **dict.fromkeys(("cmd", "shell", "script", "run", "exec"), "command"),
    **dict.fromkeys(("args", "arguments"), "argv"),
    **dict.fromkeys(("environment", "vars"), "env"),
    **dict.fromkeys(("chdir", "dir", "directory", "workdir", "working_directory"), "cwd"),
    **dict.fromkeys(("exit_codes", "exit_code", "success_exit_codes"), "accept"),
    **dict.fromkeys(("become_user", "sudo_user", "run_as"), "user"),
    **dict.fromkeys(("input",), "stdin"),
    **dict.fromkeys(("kill",), "stop"),
}
ELSEWHERE: Final = {
    **{word: f"here it is called '{name}'" for word, name in ALIASES.items()},
    "signal": "it belongs under 'stop'",
    "grace": "it belongs under 'stop'",
    "timeout_minutes": "it is written timeout-minutes; or `timeout: 5m`",
}
BESIDE: Final[tuple[Key[Any], ...]] = (
    *(ENV, CWD, STDIN, UMASK, USER, STOPPING, TIMEOUT, TIMEOUT_MINUTES, ACCEPT, ABANDONING),
)
"""What every program can be told, whatever it is."""
PROGRAM: Final = Record(
    (COMMAND, ARGV, *BESIDE),
    "what runs on the host",
    ELSEWHERE,
)

Entries = AbstractMapping[str, Entry]


def make_program(take: Take) -> Program:
    """A program out of a mapping that holds its keys, be it among others."""
    timeout, minutes = take(TIMEOUT), take(TIMEOUT_MINUTES)
    return Program(
        command=take(COMMAND),
        argv=take(ARGV),
        env=take(ENV),
        cwd=take(CWD),
        stdin=take(STDIN),
        umask=take(UMASK),
        user=take(USER),
        stop=take(STOPPING),
        timeout=timeout if minutes is None else minutes * 60,
        accept=take(ACCEPT),
        abandon_after=take(ABANDONING),
    )


def spread(node: Mapping, problems: Problems) -> dict[str, Entry]:
    """The entries of a job with those under `program:` moved to the top, so that one reader reads both forms.

    Notes problems, never raises for them.
    """
    entries = dict(node.entries)
    long = entries.pop("program", None)
    if long is not None:
        found = long.value
        if isinstance(found, Mapping) and "type" in found.entries:
            entries["program"], found = _apart(long)
        for name, entry in _program_entries(found, problems).items():
            if name in entries:
                problems.add(entry.key, f"stands here and beside 'program' in line {entries[name].key.line}; keep one")
            entries[name] = entry
    for one, other in (
        ("command", "argv"),
        ("timeout", "timeout-minutes"),
        ("program", "command"),
        ("program", "argv"),
    ):
        if one in entries and other in entries:
            later = max(entries[one].key, entries[other].key, key=lambda key: (key.line, key.column))
            problems.add(later, f"both '{one}' and '{other}' are given; keep one")
    return entries


def check_program(node: Mapping, entries: Entries, problems: Problems) -> None:
    """See to it that a job, whose entries have been spread, has a program."""
    long = node.entries.get("program")
    if not {"command", "argv", "program"} & entries.keys() and (long is None or isinstance(long.value, Mapping)):
        problems.add(node, "no program: write `command: ...` for a shell line, or `argv: [program, argument]`")


def _apart(long: Entry) -> tuple[Entry, Mapping]:
    """A program of somebody's kind: its type and options, and apart from them what every program can be told."""
    node, beside = long.value, {key.name for key in BESIDE}
    assert isinstance(node, Mapping)
    told = {name: entry for name, entry in node.entries.items() if name in beside}
    own = {name: entry for name, entry in node.entries.items() if name not in beside}
    return (
        Entry(long.key, Mapping(node.line, node.column, node.path, own)),
        Mapping(node.line, node.column, node.path, told),
    )


def _program_entries(node: Node, problems: Problems) -> dict[str, Entry]:
    if not isinstance(node, Mapping):
        hint = (
            "; for a shell line write `command: ...`" if isinstance(node, Text) else "; for a list write `argv: [...]`"
        )
        problems.add(node, f"{node.what} stands where `key: value` pairs should be{hint}")
        return {}
    check_keys(node, PROGRAM, problems)
    known = {key.name for key in PROGRAM.keys}
    return {name: entry for name, entry in node.entries.items() if name in known}
