"""Crontabs become job files that do the same, and what does not is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sshsched.config.crontab import read_crontab, split_percent
from sshsched.config.templates import render
from sshsched.kinds.jobs import bind
from tests.config.reading import load

PERCENT = {
    "date +\\%F": ("date +%F", None),
    "mail bob%Dear Bob,%bye%": ("mail bob", "Dear Bob,\nbye\n"),
    "cat%no end": ("cat", "no end\n"),
    "cat%": ("cat", ""),
    "cat%50\\% off": ("cat", "50% off\n"),
    "sed 's/\\./x/'": ("sed 's/\\./x/'", None),
    "echo \\\\%in": ("echo \\\\", "in\n"),
    "echo \\": ("echo \\", None),
}


@pytest.mark.parametrize("text", PERCENT)
def test_percent_signs_are_those_of_cron(text: str) -> None:
    """New lines and standard input; a backslash makes one plain."""
    assert PERCENT[text] == split_percent(text)


def job(text: str, **more: Any) -> dict[str, Any]:
    """The only job of a crontab."""
    (found,) = read_crontab(text, host="nas", **more).jobs.values()
    return found


def test_a_line_is_a_job() -> None:
    """Cron makes up for nothing, so neither does the job."""
    assert {"host": "nas", "schedule": {"cron": "30 3 * * *", "catch_up": "none"}, "command": "a  b"} == job(
        "30 3\t* * *  a  b"
    )


def test_settings_hold_for_the_lines_below_them() -> None:
    """As cron reads from the top."""
    found = read_crontab("@daily a\nA = 'x y' \n\"B\"=\n@daily b\nA=2\n@daily c", host="nas").jobs

    assert [None, {"A": "x y", "B": ""}, {"A": "2", "B": ""}] == [each.get("env") for each in found.values()]


MEANT: dict[str, dict[str, Any]] = {
    "SHELL=/bin/bash\n@daily [[ a ]]": {"argv": ["/bin/bash", "-c", "[[ a ]]"]},
    "SHELL=/bin/sh\n@daily a": {"command": "a"},
    "HOME=/srv\n@daily a": {"cwd": "/srv", "env": {"HOME": "/srv"}},
    "CRON_TZ=Asia/Kathmandu\n@daily a": {"schedule": {"cron": "@daily", "tz": "Asia/Kathmandu", "catch_up": "none"}},
    "RANDOM_DELAY=45\n@daily a": {"schedule": {"cron": "@daily", "jitter": "45m", "catch_up": "none"}},
    "TZ=UTC\n@daily a": {"env": {"TZ": "UTC"}},
    "# what it is for\n@daily a": {"metadata": {"description": "what it is for"}},
    "# too far away\n\n@daily a": {"host": "nas"},
    "# m h  dom mon dow   command\n@daily a": {"host": "nas"},
    "@daily docker ps --format '{{.Names}}'": {
        "command": "{% raw %}docker ps --format '{{.Names}}'{% endraw %}",
    },
    "@daily cat%x": {"stdin": "x\n"},
    "0 0 1,15 * mon-fri/2 a": {"schedule": {"cron": "0 0 1,15 * mon-fri/2", "catch_up": "none"}},
}


@pytest.mark.parametrize("text", MEANT)
def test_it_means_the_same(text: str) -> None:
    """Shell, folder, zone, delay, comment, braces, input."""
    usual = {"host": "nas", "schedule": {"cron": "@daily", "catch_up": "none"}}
    found = job(text)
    programs = {name: value for name, value in found.items() if name not in ("command", "argv")}
    wanted = {**usual, **{name: value for name, value in MEANT[text].items() if name not in ("command", "argv")}}

    assert wanted == programs
    assert all(found[name] == value for name, value in MEANT[text].items())


def test_a_system_crontab_names_users() -> None:
    """In the field before the command."""
    found = job("17 * * * * www-data cd / && run-parts /etc/cron.hourly", system=True)

    assert ("www-data", "cd / && run-parts /etc/cron.hourly") == (found["user"], found["command"])


def test_jobs_are_named_after_their_programs() -> None:
    """Two of the same are told apart."""
    text = "@daily /opt/x/backup --all\n@daily A=1 nice backup\n@daily cd /srv && ./build.sh\n@daily ( )"

    assert ["backup", "backup-2", "srv", "job"] == list(read_crontab(text, host="nas").jobs)


REMARKS = {
    "MAILTO=me@here\n": [
        (1, "MAILTO=me@here: nothing is mailed; the output is kept, see `sshsched output RUN`", False)
    ],
    'MAILTO=""\n': [],
    "LOGNAME=x\n": [(1, "LOGNAME: cron does not let it be set; left out", False)],
    "SSHSCHED_X=1\n": [(1, "'SSHSCHED_X': cannot be the name of a variable here; left out", False)],
    "@reboot a\n": [
        (1, "@reboot: here it means the first start of the scheduler after its own machine has booted", False)
    ],
    "\n61 * * * * a\n": [(2, "not taken over: minute: '61' is not possible; write * or */5, or numbers of 0-59", True)],
    "@dayly a\n": [(1, "not taken over: unknown '@dayly'; did you mean '@daily'?", True)],
    "* * * * *\n": [(1, "no line of a crontab: '* * * * *'", True)],
    "hello\n": [(1, "no line of a crontab: 'hello'", True)],
}


@pytest.mark.parametrize("text", REMARKS)
def test_what_is_not_the_same_is_said(text: str) -> None:
    """With its line, and whether a job is missing for it."""
    assert REMARKS[text] == [(each.line, each.text, each.lost) for each in read_crontab(text, host="nas").remarks]


characters = st.characters(
    exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co"], exclude_characters="\ufeff\x7f"
)
words = st.text(characters, min_size=1, max_size=8) | st.sampled_from(
    ["{{", "%", "\\%", "'", "{% raw %}", "#", ":", "- x"]
)
lines = st.tuples(
    st.sampled_from(["@daily", "*/5 1-3 * * sun", "30 3 * * *"]), st.lists(words, min_size=1, max_size=5).map(" ".join)
)


@given(st.lists(lines, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_command_comes_through(tmp_path: Path, entries: list[tuple[str, str]]) -> None:
    """What a job file made of a crontab runs is what cron would run, character by character."""
    text = "".join(f"{when} {command}\n" for when, command in entries if split_percent(command)[0].strip())
    found = read_crontab(text, host="nas")
    if not found.jobs:
        return
    loaded = load(tmp_path, yaml.safe_dump({"jobs": found.jobs}, sort_keys=False, allow_unicode=True))
    bound = [bind(each, {}, render).program for each in loaded.jobs.values()]
    wanted = [split_percent(command) for _, command in entries if split_percent(command)[0].strip()]

    assert [] == loaded.problems
    assert wanted == [(program.command, program.stdin) for program in bound]
