"""Job files: what they may say, what becomes of it, and what is said where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.job import HOST
from sshsched.config.jobs import load_job, load_jobs
from sshsched.config.params import WANTED
from sshsched.config.programs import PROGRAM
from sshsched.domain.model import START_WITHIN
from sshsched.domain.program import Program, Stop
from sshsched.errors import ConfigError, NotFoundError
from sshsched.kinds.jobs import Param
from tests.config.reading import job_of, problems_of, write

# What a job may say ------------------------------------------------------------------------------------------------


def test_two_lines_make_a_job(tmp_path: Path) -> None:
    """A host and a command are enough."""
    job = job_of(tmp_path, "host: nas\ncommand: restic backup ~/photos\n")

    assert ("job", "nas", Program(command="restic backup ~/photos")) == (job.id, job.host, job.program)
    assert ((), (), START_WITHIN) == (job.params, job.labels, job.start_within)
    assert ("jobs/job.yaml", 1) == (job.file, job.line)


WHOLE = Program(
    argv=("build", "--date", "10:30", ""),
    env={"REGION": "no", "EMPTY": ""},
    cwd="/srv/reports",
    stdin="one\ntwo\n",
    umask="027",
    user="app",
    stop=Stop("INT", 90.0),
    timeout=7200.0,
    accept=(0, 3),
    abandon_after=86400.0,
)
SHORT = """
argv: [build, --date, 10:30, '']
env: {REGION: no, EMPTY: ""}
cwd: /srv/reports
stdin: |
  one
  two
umask: 027
user: app
stop: {signal: SIGINT, grace: 1.5 min}
timeout: 2h
accept: [0, 3]
abandon: {after: 1d}
"""


def test_all_of_a_program_in_the_short_form(tmp_path: Path) -> None:
    """Every key of a program may stand at the top of the job."""
    assert WHOLE == job_of(tmp_path, "host: a" + SHORT).program


def test_all_of_a_program_in_the_long_form(tmp_path: Path) -> None:
    """The same keys mean the same under `program:`."""
    assert WHOLE == job_of(tmp_path, "host: a\nprogram:" + SHORT.replace("\n", "\n  ")).program


def test_a_host_may_be_a_template(tmp_path: Path) -> None:
    """Its form is looked at when it has been filled in."""
    host = "{% if n == '1' %}a{% else %}b-{{ n }}{% endif %}"

    assert host == job_of(tmp_path, f'host: "{host}"\ncommand: b\nparams: [n]').host


def test_both_forms_may_be_mixed(tmp_path: Path) -> None:
    """A key may stand in either place, as long as it stands in one."""
    job = job_of(tmp_path, "host: a\ntimeout: 5m\nprogram: {argv: [true]}")

    assert Program(argv=("true",), timeout=300.0) == job.program


def test_what_is_told_to_people(tmp_path: Path) -> None:
    """A description and labels; a single label needs no list."""
    job = job_of(tmp_path, "host: a\ncommand: b\nmetadata: {description: Daily report, labels: report}")

    assert ("Daily report", ("report",)) == (job.description, job.labels)


PARAMS = {
    "[date, region]": (Param("date"), Param("region")),
    "{date: , region: us}": (Param("date"), Param("region", "us")),
    "{n: {default: 1, choices: [1, 2], description: how many}}": (Param("n", "1", ("1", "2"), "how many"),),
    "{n: {}}": (Param("n"),),
    "{n: ''}": (Param("n", ""),),
}


@pytest.mark.parametrize("text", PARAMS)
def test_params(tmp_path: Path, text: str) -> None:
    """Params are names, or names with a default, choices and a description."""
    assert PARAMS[text] == job_of(tmp_path, f"host: a\ncommand: b\nparams: {text}").params


def test_start_within_of_job_and_folder(tmp_path: Path) -> None:
    """A job's own time to start wins over that of config.yaml, and that over the usual one."""
    (tmp_path / "config.yaml").write_text("start_within: 2h\n")
    write(tmp_path, own="host: a\ncommand: b\nstart_within: 5m", usual="host: a\ncommand: b")
    jobs = load_jobs(tmp_path).jobs

    assert {"own": 300.0, "usual": 7200.0} == {name: job.start_within for name, job in jobs.items()}


# What is wrong with it ---------------------------------------------------------------------------------------------

GOOD = "host: a\ncommand: b\n"
NO_HOST = f"the key 'host' is missing: {HOST.help}"
NO_PROGRAM = "no program: write `command: ...` for a shell line, or `argv: [program, argument]`"
NO_PAIRS = "stands where `key: value` pairs should be"
PROGRAM_KEYS = ", ".join(sorted(key.name for key in PROGRAM.keys))
NO_TILDE = "~ is not expanded here, and a relative one begins in the home folder"
RAW = "write {% raw %}...{% endraw %} around braces that are meant as they are"
WRONG = {
    "command: b": [f"1:1: {NO_HOST}"],
    "host: a": [f"1:1: {NO_PROGRAM}"],
    "host: a\ncommand: b\nargv: [c]": ["3:1: argv: both 'command' and 'argv' are given; keep one"],
    "host: a\nprogram: b": [
        "2:10: program: a text stands where `key: value` pairs should be; for a shell line write `command: ...`"
    ],
    "host: a\nprogram: [b]": [
        "2:10: program: a list stands where `key: value` pairs should be; for a list write `argv: [...]`"
    ],
    "host: a\ntimeout: 1h\nprogram: {command: b, timeout: 2h}": [
        "3:23: program.timeout: stands here and beside 'program' in line 2; keep one"
    ],
    "host: a\nprogram: {command: b, hots: c}": [f"2:23: program.hots: unknown key; known: {PROGRAM_KEYS}"],
    GOOD + "timeot: 5m": ["3:1: timeot: unknown key; did you mean 'timeout'?"],
    GOOD + "exit_codes: 3": ["3:1: exit_codes: unknown key; here it is called 'accept'"],
    GOOD + "grace: 3s": ["3:1: grace: unknown key; it belongs under 'stop'"],
    GOOD + "labels: [x]": ["3:1: labels: unknown key; it belongs under 'metadata': description, labels"],
    GOOD + "cron: x": ["3:1: cron: unknown key; it belongs under 'schedule', as in `schedule: every 15m`"],
    GOOD + "schedul: '@daily'": ["3:1: schedul: unknown key; did you mean 'schedule'?"],
    GOOD + "timeout: 2hours ago": ["3:10: timeout: '2hours ago' is no duration; write 90s, 15m, 2h or 1d"],
    GOOD + "timeout: 0": ["3:10: timeout: must be longer than nothing; take the key out for no limit or the usual one"],
    GOOD + "timeout:": ["3:9: timeout: has no value; write one, or take the key out ('' is an empty text)"],
    GOOD + "timeout: [1h]": ["3:10: timeout: a list stands where a duration should be"],
    GOOD + "umask: 8": ["3:8: umask: '8' is no umask; write 022 or 0077"],
    GOOD + "user: -u root": ["3:7: user: '-u root' is no user name"],
    GOOD + "cwd: ~/x": [f"3:6: cwd: '~/x' is no folder; {NO_TILDE}"],
    GOOD + "stop: {signal: TREM}": ["3:16: stop.signal: 'TREM' is no signal; did you mean 'TERM'?"],
    GOOD + "stop: TERM": [
        "3:7: stop: a text stands where `key: value` pairs should be: how the program is asked to end"
    ],
    GOOD + "accept: [0, 256]": ["3:13: accept[1]: '256' is no whole number from 0 to 255"],
    GOOD + "accept: []": ["3:9: accept: is an empty list; take the key out, or write at least one item"],
    GOOD + "env: {1A: b, SSHSCHED_X: c}": [
        "3:7: env.1A: '1A' is no name of an environment variable (and SSHSCHED_* is ours)",
        "3:14: env.SSHSCHED_X: 'SSHSCHED_X' is no name of an environment variable (and SSHSCHED_* is ours)",
    ],
    GOOD + "env: {A: {b: c}}": [
        '3:10: env.A: a mapping stands where a text should be; a template needs quotes: "{{ ... }}"'
    ],
    GOOD + "params: date": ["3:9: params: a text stands where a list of names should be: [date, region]"],
    GOOD + "params: [a b]": [f"3:10: params[0]: 'a b' is no {WANTED}"],
    GOOD + "params: [a, A]": ["3:9: params: 'a' and 'A' differ at most in case; rename one"],
    GOOD + "params: {a: {default: x, choices: [y, z]}}": ["3:13: params.a: 'x' is not among the choices: y, z"],
    GOOD + "metadata: {labels: [a b]}": ["3:21: metadata.labels[0]: 'a b' is no label; use no spaces and no commas"],
    "host: -oProxyCommand=x\ncommand: b": ["1:7: host: '-oProxyCommand=x' is no host name"],
    "host: [a, b]\ncommand: b": [
        "1:7: host: a list stands where a host should be: name one host, or a group of hosts.yaml as '@group'"
    ],
    "host: a\ncommand: ' '": ["2:10: command: ' ' is no command: it is empty"],
    "host: a\nargv: prog": ["2:7: argv: a text stands where a list should be: [one, two]"],
    "host: a\ncommand: 'echo {{ date }}'": ["2:10: command: 'date' is not defined; the job has no params"],
    "host: a\nparams: [day]\nargv: [x, '{{ date }}']": ["3:11: argv[1]: 'date' is not defined; the params are: day"],
    "host: a\ncommand: 'docker ps --format {{.Names}}'": ["2:10: command: no valid template: unexpected '.'; " + RAW],
    "": ["1:1: is empty; a job needs `host: ...` and `command: ...`"],
    "jobs:": ["1:6: jobs: has no jobs in it; write `jobs: {name: {host: ..., command: ...}}`"],
    "host: a\njobs: {b: {}}": [
        "1:1: host: stands beside 'jobs'; move it into each job that needs it",
        f"2:11: jobs.b: {NO_PROGRAM}",
        f"2:11: jobs.b: {NO_HOST}",
    ],
    "jobs: {b c: {host: a, command: b}}": ["1:8: jobs.b c: 'b c' is no name of a job; use no spaces and no slashes"],
    "jobs: {b: }": ["1:11: jobs.b: has no value; write one, or take the key out ('' is an empty text)"],
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text.removeprefix(GOOD)[:40]))
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    """Each mistake is one line with its place and what to do."""
    assert WRONG[text] == problems_of(tmp_path, text)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    """Whoever mends a file sees all that is wrong in it, from top to bottom."""
    text = "host: -x\nretry: x\ntimeout: soon\nmetadata: 5\nenv: {A: [b]}\ncommand: '{{ c }}'\nparams: 7\nhost: b"

    assert ["1:7", "2:8", "3:10", "4:11", "5:10", "6:10", "7:9", "8:1"] == [
        problem.partition(": ")[0] for problem in problems_of(tmp_path, text)
    ]


def test_a_key_that_stands_twice_makes_no_job(tmp_path: Path) -> None:
    """Nobody knows which one is meant, so nothing runs."""
    assert ["3:1: host: stands here twice; first in line 1"] == problems_of(tmp_path, "host: a\ncommand: b\nhost: c")


# Folders of them ---------------------------------------------------------------------------------------------------


def test_one_bad_file_stops_no_other(tmp_path: Path) -> None:
    """The good jobs are there, and the bad file is reported."""
    write(tmp_path, good=GOOD, bad="host: a", reports__build=GOOD)
    loaded = load_jobs(tmp_path)

    assert ["good", "reports/build"] == list(loaded.jobs)
    assert ["jobs/bad.yaml"] == [problem.file for problem in loaded.problems]


def test_several_jobs_in_one_file(tmp_path: Path) -> None:
    """A bad one among them stops no other either."""
    write(tmp_path, db="jobs:\n  dump: {host: a, command: b}\n  bad: {host: a}\n  vacuum: {host: a, command: c}")
    loaded = load_jobs(tmp_path)

    assert {"db/dump": "b", "db/vacuum": "c"} == {name: job.program.command for name, job in loaded.jobs.items()}
    assert [("jobs/db.yaml", 3)] == [(problem.file, problem.line) for problem in loaded.problems]


def test_a_job_that_two_files_define(tmp_path: Path) -> None:
    """The second one is a problem, and the first one stays what it was."""
    write(tmp_path, db="jobs: {dump: {host: a, command: b}}", db__dump="host: z\ncommand: z")
    loaded = load_jobs(tmp_path)

    assert "a" == loaded.jobs["db/dump"].host
    assert ["jobs/db/dump.yaml:1:1: the job 'db/dump' is also in jobs/db.yaml; rename one of them"] == [
        str(problem) for problem in loaded.problems
    ]


def test_no_folder_holds_no_jobs(tmp_path: Path) -> None:
    """Nothing has to be set up."""
    assert ({}, []) == load_jobs(tmp_path / "nowhere")


def test_bad_settings_stop_no_job(tmp_path: Path) -> None:
    """They are reported beside the jobs."""
    (tmp_path / "config.yaml").write_text("start_within: soon\n")
    loaded = load_jobs(write(tmp_path, good=GOOD))

    assert ["good"] == list(loaded.jobs)
    assert ["config.yaml"] == [problem.file for problem in loaded.problems]


# One of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["db", "db/dump", "db/dump/late"])
def test_one_job_is_found_in_whatever_file(tmp_path: Path, name: str) -> None:
    """Asking for a job reads its own file only, so that bad ones elsewhere do not matter."""
    write(tmp_path, other="host: a", **{name.replace("/", "__"): GOOD})
    write(tmp_path, several="jobs: {one: {host: a, command: b}}")

    assert name == load_job(tmp_path, name).id
    assert "several/one" == load_job(tmp_path, "several/one").id


def test_a_job_of_a_bad_file_says_what_is_wrong(tmp_path: Path) -> None:
    """Its problems, and not that there is no such job."""
    with pytest.raises(ConfigError, match=r"^jobs/bad.yaml:1:1: no program"):
        load_job(write(tmp_path, bad="host: a"), "bad")


def test_a_job_of_a_file_with_the_wrong_name(tmp_path: Path) -> None:
    """The file is there, but nobody reads it: say so."""
    write(tmp_path, other=GOOD)
    (tmp_path / "jobs/backup.yml").write_text(GOOD)

    with pytest.raises(ConfigError, match=r"^jobs/backup.yml:1:1: job files end in .yaml; rename it to backup.yaml$"):
        load_job(tmp_path, "backup")


MISSING = {
    "etl/lod": "no job 'etl/lod'; did you mean 'etl/load'?",
    "etl/missing": "no job 'etl/missing'; known: backup, etl/load",
    "bakup": "no job 'bakup'; did you mean 'backup'?",
    "zzz": "no job 'zzz'; known: backup, etl/load",
    "../jobs/backup": "no job '../jobs/backup'; did you mean 'backup'?",
    "/etc/passwd": "no job '/etc/passwd'; known: backup, etl/load",
    "backup/x": "no job 'backup/x'; did you mean 'backup'?",
    "": "no job ''; known: backup, etl/load",
}


@pytest.mark.parametrize("name", MISSING)
def test_a_job_that_is_not_there(tmp_path: Path, name: str) -> None:
    """The nearest name is offered, and no path leads out of the folder."""
    with pytest.raises(NotFoundError) as raised:
        load_job(write(tmp_path, backup=GOOD, etl="jobs: {load: {host: a, command: c}}"), name)

    assert MISSING[name] == str(raised.value)
