"""What people decide about runs on `local`, through the real scheduler: hold, release, start, mark, stop, explain."""

from __future__ import annotations

from tests.cli.driver import Place
from tests.cli.test_workflows import write
from tests.support import wait_until

EVERY = """
host: local
params: [date]
command: echo {{ date }}
schedule: {type: daily, daytime: "02:00", calendar: Mon-Fri, tz: UTC}
"""


def message(place: Place, name: str) -> str:
    return str(place("show", name, "--json").json["run"]["message"])


def test_held_and_released(shared: Place) -> None:
    """A held job's runs wait and say for what; once it is let go they run."""
    write(shared, held="host: local\ncommand: echo held\n")
    said = shared("hold", "--job", "held")
    name = shared("run", "held").text.strip()
    wait_until(lambda: "held by" in message(shared, name), within=10)
    status = shared("status")
    freed = shared("release", "--job", "held")
    waited = shared("wait", name)

    assert (0, 0, 0) == (said.code, freed.code, waited.code)
    assert "job held: held by " in said.text
    assert "held" in status.text
    assert "job held" not in freed.text


def test_a_single_run_is_held(shared: Place) -> None:
    """A run that is held before its time does not start when that comes, until it is released."""
    name = shared("run", "-H", "local", "--delay", "5s", "--", "true").text.strip()
    held = shared("hold", name, "--json").json
    wait_until(lambda: message(shared, name).startswith("waits"), within=15)
    waiting = message(shared, name)
    shared("release", name)

    assert held[0]["runs"][0]["held"].startswith("held by ")
    assert waiting.startswith("waits for its release: held by ")
    assert 0 == shared("wait", name).code


def test_started_past_its_time_and_conditions(shared: Place) -> None:
    """`start` is an approval, and starts what would only be due later."""
    write(shared, asks="host: local\ncommand: echo yes\ncondition: {type: manual, message: look first}\n")
    asks = shared("run", "asks").text.strip()
    later = shared("run", "-H", "local", "--delay", "1h", "--", "true").text.strip()
    wait_until(lambda: "look first" in message(shared, asks), within=10)
    started = shared("start", asks, later)
    waited = shared("wait", asks, later)
    again = shared("start", asks)

    assert (0, 0) == (started.code, waited.code)
    assert (1, f"sshsched: {asks} is success; only a run") == (again.code, again.err.partition(" that")[0])


def test_marked(shared: Place) -> None:
    """A run that is marked counts as that for those who depend on it."""
    write(
        shared,
        load="host: local\ncommand: exit 3\n",
        report="host: local\ncommand: echo r\ncondition: {type: dependency, job: load}\n",
    )
    report = shared("run", "report").text.strip()
    load = shared("run", "load").text.strip()
    shared("wait", load)
    marked = shared("mark", "success", load)
    waited = shared("wait", report)
    twice = shared("mark", "success", load)

    assert (0, 0) == (marked.code, waited.code)
    assert "success: marked by " in marked.text
    assert (1, f"sshsched: {load} is success already") == (twice.code, twice.err.strip())


def test_stop_of_a_job(shared: Place) -> None:
    """`stop --job` ends all live runs of a job, and no others."""
    write(shared, long="host: local\ncommand: sleep 600\n")
    other = shared.started("-H", "local", "--", "sleep 600")
    names = [shared.started("long"), shared.started("long")]
    stopped = shared("stop", "--job", "long", "--json")
    shared("wait", *names)
    none = shared("stop", "--job", "long")
    nothing = shared("stop")

    assert set(names) == {run["run"] for run in stopped.json}
    assert "running" == shared.state_of(int(other[1:]))
    assert (4, "no run of the job 'long' is live" in none.err) == (none.code, True)
    assert (2, "name runs, or a job with --job" in nothing.err) == (nothing.code, True)
    shared("stop", "--signal", "KILL", other)


def test_explained(shared: Place) -> None:
    """`run --explain` says what would happen, for jobs and commands, and makes nothing."""
    write(
        shared,
        free="host: local\ncommand: echo free\n",
        waits="host: local\ncommand: echo w\ncondition: {type: dependency, job: nothing-yet}\n",
    )
    shared("run", "free", "--wait")  # the link to `local` is up
    last = shared("runs", "-n", "1", "--json").json[0]["run"]
    free, waits = shared("run", "free", "--explain"), shared("run", "waits", "--explain")
    later = shared("run", "free", "--delay", "1h", "--explain")
    command = shared("run", "-H", "local", "--explain", "--json", "--", "true")

    assert "it would start on local: local is ready\n" == free.text
    assert "it would wait: it waits for success of nothing-yet\n" == waits.text
    assert later.text.startswith("it would wait until ")
    assert [("local", "it would start on local: local is ready")] == [
        (each["host"], each["explained"]) for each in command.json
    ]
    assert last == shared("runs", "-n", "1", "--json").json[0]["run"]


def test_for_dates(shared: Place) -> None:
    """A backfill makes a run for each date of the job's schedules, oldest first, and says what is no range."""
    write(shared, daily=EVERY, dateless="host: local\ncommand: 'true'\n")
    told = shared("run", "daily", "--for-dates", "2026-01-02..2026-01-06", "--explain", "--json")
    made = shared("run", "daily", "--for-dates", "2026-01-02..2026-01-06", "--wait", "--json")
    wrong = {
        args: shared("run", *args)
        for args in (
            ("daily", "--for-dates", "2026-01-03..2026-01-04"),
            ("daily", "--for-dates", "2026-01-06..2026-01-02"),
            ("daily", "--for-dates", "January"),
            ("daily", "date=2026-01-02", "--for-dates", "2026-01-02"),
            ("dateless", "--for-dates", "2026-01-02"),
            ("-H", "local", "--for-dates", "2026-01-02", "--", "true"),
        )
    }

    assert ["2026-01-02", "2026-01-05", "2026-01-06"] == [each["args"]["date"] for each in told.json]
    assert ["2026-01-02", "2026-01-05", "2026-01-06"] == [run["args"]["date"] for run in made.json]
    assert {"success"} == {run["state"] for run in made.json}
    assert {2} == {ended.code for ended in wrong.values()}
    assert [
        "job 'daily' has no run between 2026-01-03 and 2026-01-04",
        "--for-dates: 2026-01-06 lies after 2026-01-02",
        "--for-dates: 'January' is no range of dates",
        "date=2026-01-02 and --for-dates exclude each other",
        "job 'dateless' has no param 'date'",
        "--for-dates is for jobs",
    ] == [
        ended.err.removeprefix("sshsched: ").partition(";")[0].partition(", so")[0].strip() for ended in wrong.values()
    ]


def test_rerun_as_it_is_now_and_as_it_was(shared: Place) -> None:
    """A rerun takes the job as its file is now; `--same` repeats what ran."""
    write(shared, edited="host: local\ncommand: echo before\n")
    name = shared("run", "edited", "--wait", "--json").json[0]["run"]
    write(shared, edited="host: local\ncommand: echo after\n")
    now = shared("rerun", name, "--output").text
    same = shared("rerun", name, "--same", "--output").text
    both = shared("rerun", name, "--same", "--failed")
    failed = shared("rerun", name, "--failed")

    assert ("after" in now, "before" in same) == (True, True)
    assert (2, "sshsched: --failed runs steps as they were; leave --same out") == (both.code, both.err.strip())
    assert (1, f"{name} is no workflow" in failed.err) == (failed.code, True)


def test_a_slip_in_what_is_held_is_told(shared: Place) -> None:
    """A job or host that is not there is held all the same, and the one that was meant is named."""
    write(shared, nightly="host: local\ncommand: date\n")
    said = shared("hold", "--job", "nigthly", "--host", "locl")
    shared("release", "--job", "nigthly", "--host", "locl")
    there = shared("hold", "--job", "nightly", "--host", "local", "--host", "db.example.com")
    shared("release", "--job", "nightly", "--host", "local", "--host", "db.example.com")

    assert (0, 0, "") == (said.code, there.code, there.err)
    assert [
        "no job 'nigthly'; did you mean 'nightly'?; it is held all the same",
        "the host 'locl' is neither in hosts.yaml nor in ssh_config; did you mean 'local'?; it is held all the same",
    ] == said.err.splitlines()


def test_refusals(shared: Place) -> None:
    """What is no wish is refused, with what to write instead."""
    for command in ("hold", "release"):
        ended = shared(command)
        assert (2, "name runs, or --job JOB, --host HOST or --all" in ended.err) == (ended.code, True)
    unknown = shared("start", "r999")
    released = shared("release", "--host", "nas")

    assert (4, "r999: there is no such run" in unknown.err) == (unknown.code, True)
    assert (1, "host nas is not held; nothing is" in released.err) == (released.code, True)
