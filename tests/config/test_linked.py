"""What jobs ask of each other and of other files: named once each, at the line that asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from sshsched.config.hosts import load_hosts
from sshsched.config.jobs import load_jobs
from sshsched.config.linked import Links
from sshsched.config.renderer import renderer
from sshsched.config.settings import load_settings
from sshsched.kinds.jobs import bind

NOW = 1_800_000_000.0


def looked(folder: Path, jobs: str, **args: str) -> tuple[list[str], list[str]]:
    """Problems and warnings of jobs below `all/`, each bound with these args if it takes them, else unbound."""
    (folder / "jobs").mkdir(exist_ok=True)
    (folder / "jobs" / "all.yaml").write_text(f"jobs:\n{jobs}")
    loaded, render = load_jobs(folder), renderer(folder)
    links = Links(
        loaded.jobs, load_hosts(folder), load_settings(folder), {problem.file for problem in loaded.problems}, render
    )
    for job in loaded.jobs.values():
        own = {param.name: args[param.name] for param in job.params if param.name in args}
        known = len(own) == len(job.params)
        links.look(job, bind(job, own, render, NOW) if known else None, NOW)
    return [str(each) for each in links.problems()], [str(each) for each in links.warnings()]


PROBLEMS = {
    "  a: {host: h, command: c, depends_on: nope}": [
        "jobs/all.yaml:2:1: job 'all/a': no such job: unknown 'nope'; known: all/a"
    ],
    "  a: {host: h, command: c, depends_on: all/bb}\n  b: {host: h, command: c}": [
        "jobs/all.yaml:2:1: job 'all/a': no such job: unknown 'all/bb'; did you mean 'all/b'?"
    ],
    "  a: {host: h, command: c, successors: nope}": [
        "jobs/all.yaml:2:1: job 'all/a': no such job: unknown 'nope'; known: all/a"
    ],
    "  a:\n    host: h\n    command: c\n    condition:\n    - {type: manual}\n    - {type: dependency, job: nope}": [
        "jobs/all.yaml:7:1: job 'all/a': no such job: unknown 'nope'; known: all/a"
    ],
    "  a: {host: h, command: c, condition: {any: [{type: dependency, job: nope}, {type: manual}]}}": [
        "jobs/all.yaml:2:1: job 'all/a': no such job: unknown 'nope'; known: all/a"
    ],
    "  a: {host: h, command: c, depends_on: {job: all/b, args: {x: 1}}}\n  b: {host: h, command: c, params: [y]}": [
        "jobs/all.yaml:2:1: job 'all/a': the job 'all/b' has no param 'x'; it takes y"
    ],
    "  a: {host: h, command: c, successors: {job: all/b, args: {x: 3}}}\n"
    "  b: {host: h, command: c, params: {x: {choices: [1, 2]}}}": [
        "jobs/all.yaml:2:1: job 'all/a': x of the job 'all/b' is one of 1, 2, not '3'"
    ],
    '  a: {host: h, command: c, params: [date], successors: "{{ date }}-{{ date }}"}': [
        "jobs/all.yaml:2:1: job 'all/a': no such job: unknown '7-7'; known: all/a"
    ],
    "  a: {host: h, command: c, depends_on: all/a}": [
        "jobs/all.yaml:2:1: job 'all/a': waits for itself; name another job, or other args"
    ],
    "  a: {host: h, command: c, params: [date], depends_on: all/a}": [
        "jobs/all.yaml:2:1: job 'all/a': waits for itself; name another job, or other args"
    ],
    "  c: {host: h, command: c, depends_on: all/a}\n  a: {host: h, command: c, depends_on: all/b}\n"
    "  b: {host: h, command: c, after: all/c}\n  d: {host: h, command: c, depends_on: all/a}": [
        "jobs/all.yaml:3:1: job 'all/a': waits for itself in a circle: all/a -> all/b -> all/c -> all/a "
        "(all/b in jobs/all.yaml:4, all/c in jobs/all.yaml:2)"
    ],
    "  a: {host: h, command: c, params: [date], depends_on: all/b}\n  b: {host: h, command: c, depends_on: all/a}": [
        "jobs/all.yaml:2:1: job 'all/a': waits for itself in a circle: all/a -> all/b -> all/a "
        "(all/b in jobs/all.yaml:3)"
    ],
    '  a: {host: h, command: c, params: [date], depends_on: "all/{{ date }}"}\n'
    '  "7": {host: h, command: c, depends_on: {job: all/a, args: {date: 7}}}': [
        "jobs/all.yaml:3:1: job 'all/7': waits for itself in a circle: all/7 -> all/a -> all/7 "
        "(all/a in jobs/all.yaml:2)"
    ],
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_what_is_wrong_between_jobs(tmp_path: Path, text: str) -> None:
    """Jobs, args and circles, also where templates name them; each once."""
    assert (PROBLEMS[text], []) == looked(tmp_path, text, date="7")


FINE = {
    "another job": "  a: {host: h, command: c, depends_on: all/b}\n  b: {host: h, command: c}",
    "yesterday's run": "  a: {host: h, command: c, params: [date], depends_on: "
    '{job: all/a, args: {date: "{{ Date(date) - 1 }}"}}}',
    "yesterday's run of one that waits for us": "  a: {host: h, command: c, params: [date], depends_on: all/b}\n"
    '  b: {host: h, command: c, params: [date], depends_on: {job: all/a, args: {date: "{{ Date(date) - 1 }}"}}}',
    "one of several": "  a: {host: h, command: c, condition: {any: [{type: dependency, job: all/b}, {type: manual}]}}\n"
    "  b: {host: h, command: c, depends_on: all/a}",
    "a condition that does not count": "  a: {host: h, command: c, condition: "
    "{type: dependency, job: all/a, enabled: false}}",
    "a job that another starts": "  a: {host: h, command: c, successors: {job: all/b, args: {x: 1}}}\n"
    "  b: {host: h, command: c, params: [x]}",
    "a circle of actions": "  a: {host: h, command: c, successors: all/b}\n"
    "  b: {host: h, command: c, successors: all/a}",
    "an action that only a run knows": '  a: {host: h, command: c, successors: "x/{{ host }}"}',
    "a target that only a run knows": '  a: {host: h, command: c, params: [other], depends_on: "x/{{ other }}"}',
    "a diamond": "  a: {host: h, command: c, depends_on: [all/b, all/c]}\n"
    "  b: {host: h, command: c, depends_on: all/d}\n"
    "  c: {host: h, command: c, depends_on: all/d}\n  d: {host: h, command: c}",
}


@pytest.mark.parametrize("case", FINE)
def test_what_is_not_wrong(tmp_path: Path, case: str) -> None:
    """Nobody is warned of what may well come true."""
    assert ([], []) == looked(tmp_path, FINE[case], date="2026-11-22")


@pytest.mark.parametrize("file", ["bad.yaml", "_defaults.yaml", "load/_defaults.yaml", "load.yml"])
def test_a_job_in_an_unread_file_is_not_missing(tmp_path: Path, file: str) -> None:
    """What is wrong there is said there, and once."""
    (tmp_path / "jobs" / "load").mkdir(parents=True)
    (tmp_path / "jobs" / "load" / "day.yaml").write_text("host: a\ncommand: b")
    (tmp_path / "jobs" / file).write_text("nope: x")
    target = "bad/one" if file == "bad.yaml" else "load/day"

    assert ([], []) == looked(tmp_path, f"  a: {{host: h, command: c, depends_on: {target}}}")


WARNINGS = {
    "host: bxo": "the host 'bxo' is neither in hosts.yaml nor in ssh_config; did you mean 'box'?",
    "notify: me@example.com": "tells by email, and config.yaml names no server for it; "
    "add smtp: {host: ..., from: ...}",
    "host: '@web'": "no such group: unknown 'web'; did you mean 'wep'?; see `groups:` in hosts.yaml",
    'host: "@{{ date }}"': "no such group: unknown '7'; known: wep; see `groups:` in hosts.yaml",
    "host: {tags: [gpu, linux]}": "no host of hosts.yaml has all of the tags gpu, linux",
    "locks: {db: 3}": "asks for 3 of the lock 'db', of which there is 2, so it can never start; see `locks:` in "
    "config.yaml",
    "locks: {tape: 2}": "asks for 2 of the lock 'tape', of which there is 1, so it can never start; see `locks:` in "
    "config.yaml",
    "secrets: {A: tokn}": "no such secret: unknown 'tokn'; did you mean 'token'?; say under `secrets:` in config.yaml "
    "where it is",
}


@pytest.mark.parametrize("text", WARNINGS)
def test_what_is_not_there(tmp_path: Path, text: str) -> None:
    """Groups, tags, locks and secrets may come tomorrow, so they are warnings, at the line that asks."""
    (tmp_path / "hosts.yaml").write_text("groups: {wep: [a]}\nbox: {tags: [linux]}\n")
    (tmp_path / "config.yaml").write_text("locks: {db: 2}\nsecrets: {token: {env: T}}\n")
    usual = "" if text.startswith("host") else "host: h, "
    problems, warnings = looked(tmp_path, f"  a: {{{usual}command: c, params: [date],\n    {text}}}\n", date="7")

    assert ([], [f"jobs/all.yaml:3:1: job 'all/a': {WARNINGS[text]}"]) == (problems, warnings)


def test_steps_are_looked_at(tmp_path: Path) -> None:
    """Each at its own line, as far as it is known before a run begins."""
    job = (
        "  a:\n    host: h\n    params: [date]\n    steps:\n"
        "      one: {run: x, condition: {type: dependency, job: nope}, locks: {db: 2}}\n"
        '      two: {run: x, host: "@web", condition: {type: dependency, job: "x/{{ date }}"}}\n'
    )
    problems, warnings = looked(tmp_path, job, date="7")

    assert ["jobs/all.yaml:6:1: job 'all/a': no such job: unknown 'nope'; known: all/a"] == problems
    assert ["jobs/all.yaml:6:1", "jobs/all.yaml:7:1"] == [each.partition(": ")[0] for each in warnings]


def test_what_is_there(tmp_path: Path) -> None:
    """No warning of what hosts.yaml and config.yaml have."""
    (tmp_path / "hosts.yaml").write_text("groups: {web: [a]}\nb: {tags: [linux, gpu]}\n")
    (tmp_path / "config.yaml").write_text("locks: {db: 2}\nsecrets: {token: {env: T}}\n")
    jobs = (
        "  a: {host: '@web', command: c, locks: {db: 2, tape: 1}, secrets: {A: token}}\n"
        "  b: {host: {tags: [gpu]}, command: c}\n"
    )

    assert ([], []) == looked(tmp_path, jobs)


def test_a_long_way_costs_little(tmp_path: Path) -> None:
    """A circle of a thousand jobs is found without running out of stack."""
    jobs = "".join(f"  j{n}: {{host: h, command: c, depends_on: all/j{(n + 1) % 1000}}}\n" for n in range(1000))
    problems, _ = looked(tmp_path, jobs)

    assert 1 == len(problems)
    assert "all/j0 -> all/j1 -> " in problems[0]


def test_hosts_that_dns_may_know(tmp_path: Path) -> None:
    """A name like no other, one with another number, and an alias of ssh_config are nobody's slip of a finger."""
    (tmp_path / "hosts.yaml").write_text("web1: {}\nnas: {}\n")
    (tmp_path / "jobs").mkdir()
    hosts = ("web2", "postgres", "nsa.example.com", "me@nsa", "naz")
    jobs = "".join(f"  {host[0]}{i}: {{host: {host}, command: c}}\n" for i, host in enumerate(hosts))
    (tmp_path / "jobs" / "all.yaml").write_text(f"jobs:\n{jobs}")
    loaded, render = load_jobs(tmp_path), renderer(tmp_path)
    links = Links(loaded.jobs, load_hosts(tmp_path), load_settings(tmp_path), (), render, aliases={"naz"})
    for job in loaded.jobs.values():
        links.look(job, None, NOW)

    assert [] == links.warnings()


def test_a_mail_server_is_missed_once(tmp_path: Path) -> None:
    """However many jobs tell by email, one line in config.yaml is missing; with it, nothing is."""
    jobs = "  a: {host: h, command: c, notify: a@example.com}\n  b: {host: h, command: c, notify: b@example.com}\n"
    _, missed = looked(tmp_path, jobs)
    (tmp_path / "config.yaml").write_text("smtp: {host: mail.example.com, from: me@example.com}")

    assert 1 == len(missed)
    assert ([], []) == looked(tmp_path, jobs)
