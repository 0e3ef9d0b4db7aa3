"""The commands about job files: `check`, `jobs`, `job`, `next`, `new`, `schema`, `import-crontab`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.cli.driver import Place

FILES = {
    "config.yaml": "tz: Europe/Berlin",
    "jobs/backup.yaml": """\
        host: nas
        command: restic backup
        schedule: 30 2 * * *
        metadata: {description: Photos, labels: [nightly]}
        """,
    "jobs/reports/build.yaml": """\
        host: web1
        params: [date, region]
        argv: [build, "{{ date }}", "{{ region }}"]
        schedule:
          - {type: daily, daytime: 09:30, tz: America/New_York, calendar: Mon-Fri, args: {region: us}, jitter: 5m}
          - {cron: 0 8 * * *, args: {region: eu}, enabled: false}
        """,
    "jobs/reports/send.yaml": "{host: web1, command: send}",
}


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder of good jobs."""
    place = Place(tmp_path_factory.mktemp("good"))
    put(place.config, FILES)
    yield place
    place.close()


def test_check_is_content(good: Place) -> None:
    """It says how much it has looked at, and ends with 0."""
    done = good("check")

    assert (0, "") == (done.code, done.text)
    assert "3 jobs, 3 schedules, 0 problems, 0 warnings\n" == done.err


def test_words_that_no_kernel_takes(place: Place) -> None:
    """A word of 128 KiB, also one that a template makes, is named by `check`, and by `run` before there is a run."""
    long = "x" * 131_072
    put(
        place.config,
        {
            "jobs/argv.yaml": f"host: local\nargv: [echo, {long}]",
            "jobs/command.yaml": 'host: local\nparams: {a: ab}\ncommand: "true {{ a * 70000 }}"',
            "jobs/env.yaml": f"host: local\ncommand: 'true'\nenv: {{E: {long}}}",
            "jobs/stdin.yaml": f"host: local\ncommand: wc -c\nstdin: {long}",
        },
    )
    checked = place("check")
    refused = {job: place("run", job) for job in ("argv", "command", "env")}
    fine = place("run", "stdin", "--output")
    runs = place("runs", "--json").json

    for job, where in (("argv", "argv[1]"), ("command", "command"), ("env", "env.E")):
        assert f"jobs/{job}.yaml:1:1: job '{job}': program.{where}: takes " in checked.text
        assert 2 == refused[job].code
        assert "and Linux hands over 131071 at most; hand it over by `stdin`" in refused[job].err
    assert 2 == checked.code
    assert 3 == len(checked.text.splitlines())
    assert (0, "131072\n") == (fine.code, fine.text)
    assert 1 == len(runs)


def test_check_says_all_that_is_wrong(place: Place) -> None:
    """Of all files, in one go, with places; also what only shows once values are known."""
    put(
        place.config,
        {
            "jobs/a.yaml": "host: -x\ncommand: a\nschedule: 61 * * * *",
            "jobs/b.yaml": 'host: a\ncommand: "{{ Date(x) }}"\nparams: {x: soon}',
            "jobs/c.yaml": "host: a\ncommand: c\nparams: {time: {choices: [noon]}}\nschedule:\n- every 1h\n",
            "jobs/ok.yaml": "host: a\ncommand: a",
            "hosts.yaml": "nas: {adress: x}",
            "config.yaml": "slots: none",
            "calendars/x.cal": "soon",
        },
    )
    done = place("check")
    shape = place("check", "--json")

    assert (2, 2) == (done.code, shape.code)
    assert [
        "config.yaml:1:8",
        "calendars/x.cal:1:1",
        "jobs/a.yaml:1:7",
        "jobs/a.yaml:3:11",
        "hosts.yaml:1:7",
        "jobs/b.yaml:1:1",
        "jobs/c.yaml:5:1",
    ] == [line.partition(": ")[0] for line in done.text.splitlines()]
    assert "3 jobs, 1 schedule, 7 problems, 0 warnings\n" == done.err
    assert 7 == len(shape.json["problems"])
    assert {"file", "line", "column", "path", "message"} == set(shape.json["problems"][0])


def test_check_warns_of_what_will_not_run(place: Place) -> None:
    """A time that has passed, a calendar that ends, a limit; @reboot and what is disabled are no news."""
    schedules = """\
        host: a
        command: a
        schedule:
          - {type: once, at: 2020-01-01}
          - {type: daily, daytime: 09:30, calendar: old}
          - {every: 1h, valid: {until: 2020-01-01}}
          - "@reboot"
          - {type: once, at: 2020-01-01, enabled: false}
        """
    put(place.config, {"jobs/a.yaml": schedules, "calendars/old.cal": "START 2020-01-01\nSTOP 2021-01-01\n"})
    done = place("check")
    lines = done.text.splitlines()

    assert 0 == done.code
    assert [f"jobs/a.yaml:{line}:1: warning" for line in (4, 5, 6)] == [
        line.partition(": ")[0] + ": warning" for line in lines
    ]
    assert "all its times have passed" in lines[0]
    assert "calendar 'old' knows no dates after 2020-12-31" in lines[1]
    assert "valid until" in lines[2]


def test_check_takes_a_file_or_a_folder(place: Place) -> None:
    """Another config folder, or a part of one; a file that can be no job is refused."""
    other = place.home / "dotfiles"
    put(other, {"jobs/web/a.yaml": "x: y", "jobs/b.yaml": "x: y", "alone.yaml": "x: y"})
    wholes = [place("check", str(path)) for path in (other, other / "jobs")]
    parts = [place("check", str(path)) for path in (other / "jobs/web/a.yaml", other / "jobs/web")]
    refused = [place("check", str(path)) for path in (other / "alone.yaml", other / "nope")]

    assert [{"jobs/b.yaml", "jobs/web/a.yaml"}] * 2 == [
        {line.split(":")[0] for line in d.text.splitlines()} for d in wholes
    ]
    assert [{"jobs/web/a.yaml"}] * 2 == [{line.split(":")[0] for line in d.text.splitlines()} for d in parts]
    assert [2, 2] == [done.code for done in refused]
    assert "not in a folder called jobs" in refused[0].err


def test_jobs_are_listed(good: Place) -> None:
    """Whole ids for a pipe, a tree for people, all facts as JSON."""
    plain = good("jobs").text.splitlines()
    _, tree = good.on_terminal("jobs")
    shapes = good("jobs", "--json").json

    assert ["JOB", "backup", "reports/build", "reports/send"] == [line.split()[0] for line in plain]
    assert ["backup", "reports/", "build", "send"] == [
        line.split()[0] for line in tree.splitlines()[1:] if line.strip()
    ]
    assert ["backup", "reports/build", "reports/send"] == [shape["job"] for shape in shapes]
    assert [True, False] == [schedule["enabled"] for schedule in shapes[1]["schedules"]]
    assert None is shapes[2]["next"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["reports"], ["reports/build", "reports/send"]),
        (["reports/*"], ["reports/build", "reports/send"]),
        (["report"], []),
        (["--label", "nightly"], ["backup"]),
        (["--host", "web1", "--schedule"], ["reports/build"]),
        (["--no-schedule"], ["reports/send"]),
        (["--before", "2020-01-01"], []),
    ],
)
def test_jobs_are_narrowed_down(good: Place, options: list[str], found: list[str]) -> None:
    """By folder, label, host, schedule, and next time."""
    assert found == [shape["job"] for shape in good("jobs", "--json", *options).json]


def test_one_job_is_told_whole(good: Place) -> None:
    """Also what clocks do to it, and its coming times."""
    text = good("job", "reports/build").text
    shape = good("job", "reports/build", "--json").json

    assert "region (must be given)" in text
    assert "Mon-Fri at 09:30 (America/New_York) region=us" in text
    assert "clocks: gap: does not run that day" in text
    assert 5 == len(shape["coming"])
    assert {"us"} == {each["args"]["region"] for each in shape["coming"]}


def test_the_decisions_of_a_job_are_told(place: Place) -> None:
    """What its runs wait for, what follows them and how often, in lines and as JSON."""
    job = """\
        host: "@web"
        command: x
        condition: {type: dependency, job: load, args: {date: 1}, max_wait: 2h, then: skip}
        notify: me@example.com
        retry: {count: 3, delay: 10s, backoff: 2}
        locks: {db: 2, tape: 1}
        priority: 5
        expect: {success_by: "08:00", tz: UTC}
        """
    put(place.config, {"jobs/a.yaml": job})
    lines = place("job", "a").text.splitlines()
    shape = place("job", "a", "--json").json

    assert "waits for   dependency job=load args={date: 1} (at most 2 h, then skip)" in lines
    assert "then        notify email=me@example.com on failure, error, held" in lines
    assert "retry       3 times after 10 s, each pause 2 times the one before, on failure, error" in lines
    assert "locks       db x 2, tape" in lines
    assert "expected    a success by 08:00 (UTC) on all" in lines
    assert ("dependency", {"db": 2, "tape": 1}) == (shape["plan"]["conditions"][0]["kind"], shape["plan"]["locks"])


def test_check_looks_from_job_to_job(place: Place) -> None:
    """Circles and missing jobs are problems, missing groups are warnings; a path narrows what is told, not what is
    known."""
    put(
        place.config,
        {
            "jobs/one.yaml": "{host: '@web', command: x, depends_on: two}",
            "jobs/two.yaml": "{host: a, command: x, depends_on: one}",
            "jobs/three.yaml": "{host: a, command: x, depends_on: [four, bad]}",
            "jobs/bad.yaml": "{host: a}",
            "jobs/good/five.yaml": "{host: a, command: x, depends_on: three}",
        },
    )
    done = place("check")
    part = place("check", str(place.config / "jobs" / "good"))

    assert (2, 0, "") == (done.code, part.code, part.text)
    assert [
        "jobs/bad.yaml:1:1: no program: write `command: ...` for a shell line, or `argv: [program, argument]`",
        "jobs/three.yaml:1:1: job 'three': no such job: unknown 'four'; known: good/five, one, three, two",
        "jobs/one.yaml:1:1: job 'one': waits for itself in a circle: one -> two -> one (two in jobs/two.yaml:1)",
        "jobs/one.yaml:1:1: warning: job 'one': no such group: unknown 'web'; see `groups:` in hosts.yaml",
    ] == done.text.splitlines()


def test_an_unknown_job_is_answered(good: Place) -> None:
    """With the nearest there is."""
    done = good("job", "bakup")

    assert 4 == done.code
    assert "did you mean 'backup'?" in done.err


def test_next_marks_changes_of_clocks(good: Place) -> None:
    """The gap and the overlap of 2026 in Berlin, each time in its zone and in UTC."""
    gap = good("next", "backup", "--around", "2026-03-29", "-n", "2").text.splitlines()
    lap = good("next", "backup", "--around", "2026-10-25", "-n", "2", "--json").json

    assert "2026-03-28 02:30:00 +0100  Europe/Berlin  2026-03-28 01:30:00Z" in gap[1]
    assert "2026-03-29 03:00:00 +0200  Europe/Berlin  2026-03-29 01:00:00Z" in gap[2]
    assert "gap: 02:30 does not come that day" in gap[2]
    assert ["", "overlap: 02:30 comes twice, this is the first"] == [each["note"] for each in lap]
    assert "2026-10-25T02:30:00+02:00" == lap[1]["local"]


def test_next_says_what_is_skipped(place: Place) -> None:
    """And why: a time of day that does not come, and the end of a calendar."""
    job = "host: a\ncommand: a\nschedule: {type: daily, daytime: 02:30, tz: Europe/Berlin, calendar: march}"
    put(place.config, {"jobs/a.yaml": job, "calendars/march.cal": "2026-03-28\n2026-03-29\n2026-03-30\n"})
    found = place("next", "--around", "2026-03-29", "--json").json

    assert [None, "gap", None, "calendar-end"] == [each["why"] for each in found]
    assert "skipped: gap: 2026-03-29 02:30 does not come in Europe/Berlin" == found[1]["note"]


def test_next_of_all_is_in_order(good: Place) -> None:
    """Jobs take turns; args and jitter are told; what is disabled has no times."""
    found = good("next", "--json", "-n", "30").json
    times = [datetime.fromisoformat(each["at"]) for each in found]

    assert sorted(times) == times
    assert {"backup", "reports/build"} == {each["job"] for each in found}
    assert {"us"} == {each["args"]["region"] for each in found if each["args"]}
    assert all(
        "jitter: " in each["note"]
        for each in found
        if each["job"] == "reports/build" and each["at"] != each["scheduled"]
    )


def test_a_new_job_is_a_good_one(place: Place) -> None:
    """It has a schema beside it, passes `check`, and is never written over."""
    done = place("new", "web/hello", "--host", "nas")
    path = place.config / "jobs/web/hello.yaml"
    text = path.read_text()
    schema = (path.parent / text.split("$schema=")[1].split()[0]).resolve()
    again = place("new", "web/hello")
    bad = [place("new", name).code for name in ("a b", "../x", "x.yaml", "")]

    assert (0, f"{path}\n") == (done.code, done.text)
    assert 0 == place("check").code
    assert [] == list(Draft202012Validator(json.loads(schema.read_text())).iter_errors(yaml.safe_load(text)))
    assert (2, text) == (again.code, path.read_text())
    assert [2, 2, 2, 2] == bad


def test_the_examples_in_a_new_job_are_good(place: Place) -> None:
    """Whoever takes the # away before any one line has a good file."""
    place("new", "x")
    path = place.config / "jobs/x.yaml"
    lines = path.read_text().splitlines()
    long = [
        index
        for index, line in enumerate(lines)
        if line.startswith(("# schedule:\n", "#   -")) or line == "# schedule:"
    ]
    single = [i for i, line in enumerate(lines) if line.startswith("# ") and i > 3 and i not in long and ": " in line]
    for taken in [long, *([index] for index in single if not lines[index].startswith(("# argv", "# When")))]:
        changed = [line.removeprefix("# ") if index in taken else line for index, line in enumerate(lines)]
        path.write_text("\n".join(changed))
        done = place("check")

        assert 0 == done.code, done.text


def test_the_schema_is_printed(shared: Place) -> None:
    """As JSON."""
    Draft202012Validator.check_schema(shared("schema").json)


CRONTAB = "MAILTO=me\n30 3 * * * backup --all\n61 * * * * nope\n"


def test_a_crontab_is_imported(place: Place) -> None:
    """To standard output, or into a file that `check` is content with; what is missing is said and ends with 1."""
    printed = place("import-crontab", "-", stdin=CRONTAB.encode())
    (place.home / "cron").write_text("@daily A=1 x\n")
    written = place("import-crontab", str(place.home / "cron"), "--write", "old", "--tz", "Asia/Kathmandu", "-H", "nas")
    again = place("import-crontab", str(place.home / "cron"), "--write", "old")
    checked = place("check")

    assert 1 == printed.code
    assert {"backup"} == set(yaml.safe_load(printed.text)["jobs"])
    assert "line 1: MAILTO=me: nothing is mailed" in printed.err
    assert "line 3: not taken over: minute: '61'" in printed.err
    assert "times are meant in the zone of the scheduler" in printed.err
    assert (0, 0) == (written.code, checked.code)
    assert [("old/x", "nas")] == [(shape["job"], shape["host"]) for shape in place("jobs", "--json").json]
    assert 2 == again.code


@pytest.mark.parametrize("options", [[], ["--user", "-H", "nas"], ["nowhere"], ["-", "--tz", "Mars"]])
def test_what_cannot_be_meant_is_refused(shared: Place, options: list[str]) -> None:
    """No crontab named, two named, one that is not there, a zone that is none."""
    assert 2 == shared("import-crontab", *options).code


def test_the_crontab_of_a_host_is_asked_for(place: Place) -> None:
    """By a run on the host; the zone of its clock comes with it."""
    tools = place.home / "tools"
    put(
        tools,
        {
            "crontab": "#!/bin/sh\necho '@daily backup'\n",
            "readlink": "#!/bin/sh\necho /usr/share/zoneinfo/Asia/Tokyo\n",
        },
    )
    for tool in tools.iterdir():
        tool.chmod(0o755)
    place.env["PATH"] = f"{tools}:{place.env['PATH']}"
    mine, host = place("import-crontab", "--user"), place("import-crontab", "-H", "local")

    assert (0, 0) == (mine.code, host.code), mine.err + host.err
    assert mine.text == host.text
    assert {"cron": "@daily", "tz": "Asia/Tokyo", "catch_up": "none"} == yaml.safe_load(mine.text)["jobs"]["backup"][
        "schedule"
    ]


def test_a_schedule_that_fails_hides_no_other(place: Place) -> None:
    """The code of a schedule may be anybody's: where it fails, that is said of its job, and all others are shown."""
    code = """\
        from dataclasses import dataclass
        from sshsched.kinds.schedules.base import Schedule
        @dataclass(frozen=True)
        class Bad(Schedule):
            def entries(self, instant):
                yield from [][1]
        """
    put(
        place.config,
        {
            "kinds/failing.py": code,
            "jobs/bad.yaml": "{host: nas, command: x, schedule: {type: failing.Bad}}",
            "jobs/good.yaml": "{host: nas, command: x, schedule: '@daily'}",
        },
    )
    wrong = "its code fails: IndexError: list index out of range"

    assert f"warning: Bad() never runs again: {wrong}" in place("check").text
    assert f"skipped: {wrong}" in place("next").text
    assert 0 == place("jobs").code
    assert "good" in place("jobs").text


def test_a_program_of_a_kind_is_shown(place: Place) -> None:
    """`job` tells the kind of a program and its options."""
    code = """\
        from sshsched.domain.program import Program
        from sshsched.kinds.programs.base import ProgramKind
        class Row(ProgramKind, frozen=True, kw_only=True):
            port: str
            def program(self):
                return Program(argv=("row", self.port))
        """
    put(
        place.config,
        {"kinds/rowing.py": code, "jobs/row.yaml": "{host: nas, program: {type: rowing.Row, port: Husum}}"},
    )
    shown = json.loads(place("job", "row", "--json").text)

    assert "program     rowing.Row (port: Husum)\n" in place("job", "row").text
    assert {"kind": "rowing.Row", "options": {"port": "Husum"}} == shown["program_kind"]
