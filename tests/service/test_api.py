"""Each request does what the API document says, over the real socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sshsched.domain.draft import Draft
from sshsched.domain.model import Run
from sshsched.domain.program import Program
from sshsched.domain.retention import Retention
from sshsched.domain.states import State
from sshsched.errors import NotFoundError, RefusedError, UsageError
from sshsched.service import answers
from sshsched.service.client import Client
from sshsched.service.endpoints import ENDPOINTS
from sshsched.service.wire import Wire
from sshsched.store.history import Policy
from tests.service.scheduler import DRAFT, Scheduler, T

THREE = [DRAFT, {**DRAFT, "host": "web", "labels": ["x"]}, {**DRAFT, "job": "a/b", "args": {"k": "v"}}]


async def do(work: Callable[..., T], *args: Any, **words: Any) -> T:
    """A blocking call of the client, beside the loop of the server."""
    return await asyncio.to_thread(work, *args, **words)


def ask(folder: Path, method: str, target: str, body: bytes = b"") -> tuple[int, Any]:
    wire = Wire(folder, 10)
    try:
        response = wire.ask(method, target, body)
        return response.status, json.loads(response.body.read())
    finally:
        wire.close()


async def test_submit(scheduler: Scheduler, client: Client) -> None:
    """Runs that were accepted are saved, in the order in which they were given."""
    runs = await do(client.submit, THREE)

    assert ["r1", "r2", "r3"] == [run["run"] for run in runs]
    assert ["nas", "web", "nas"] == [run.host for run in map(scheduler.store.run, (1, 2, 3)) if run]


async def test_submit_all_or_none(scheduler: Scheduler, client: Client) -> None:
    """One bad run among good ones: none is made."""
    with pytest.raises(UsageError, match=r"runs\[1\]\.host: "):
        await do(client.submit, [DRAFT, {**DRAFT, "host": "-x"}])
    with pytest.raises(NotFoundError, match="nowhere: there is no such host"):
        await do(client.submit, [DRAFT, {**DRAFT, "host": "nowhere"}])

    assert 0 == await scheduler.store.last_id()


async def test_large(scheduler: Scheduler, client: Client) -> None:
    """A hostile text of a megabyte arrives as it is."""
    text = "$(x)';\n-rf \x1b[31m é 🙂" * 50_000
    await do(client.submit, [{"host": "nas", "program": {"command": "cat", "stdin": text}}])
    run = scheduler.run(1)

    assert run is not None
    assert text == run.program.stdin


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["r3", "r2", "r1"]),
        ({"limit": 1}, ["r3"]),
        ({"before": "r3"}, ["r2", "r1"]),
        ({"host": "web"}, ["r2"]),
        ({"label": "x"}, ["r2"]),
        ({"job": "a/*"}, ["r3"]),
        ({"args": ["k=v"]}, ["r3"]),
        ({"ids": "r1,r3"}, ["r3", "r1"]),
        ({"states": ["running", "success"]}, ["r1"]),
        ({"states": "waiting,success"}, ["r3", "r2"]),
        ({"since": "2026-11-22T03:30:00Z"}, ["r3", "r2", "r1"]),
        ({"until": "2026-11-22T03:30:00Z"}, []),
        ({"text": "WEB"}, ["r2"]),
        ({"filter": "!host:web is:live"}, ["r3", "r1"]),
        ({"filter": ["arg.k=v,w", "!label:x"], "host": "nas"}, ["r3"]),
    ],
)
async def test_runs(scheduler: Scheduler, client: Client, query: dict[str, Any], names: list[str]) -> None:
    """Each filter picks what it says."""
    await do(client.submit, THREE)
    await scheduler.start(1)

    assert names == [run["run"] for run in await do(client.runs, **query)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"state": "running"}, "query: unknown 'state'; did you mean 'states'?"),
        ({"states": "runing"}, "states: unknown 'runing'; did you mean 'running'?"),
        ({"limit": "x"}, "limit: 'x' is no whole number from 0 to 1000"),
        ({"limit": 1001}, "limit: '1001' is no whole number from 0 to 1000"),
        ({"before": "x"}, "before: 'x' is no run"),
        ({"args": "k"}, "args: 'k' is no NAME=VALUE"),
        ({"ids": ","}, "ids: is empty"),
        ({"since": "x"}, "since: 'x' is no time"),
        ({"filter": "a hots:web"}, "filter: 'hots:web' at character 3: unknown 'hots'; did you mean 'host'?"),
    ],
)
async def test_runs_mistake(scheduler: Scheduler, client: Client, query: dict[str, Any], message: str) -> None:
    """A filter that cannot be meant is refused."""
    with pytest.raises(UsageError, match=re.escape(message)):
        await do(client.runs, **query)


async def test_run(scheduler: Scheduler, client: Client) -> None:
    """A finished run is told with its whole log."""
    await do(client.submit, [DRAFT])
    await scheduler.start(1)
    await scheduler.finish(1, 3)
    found = await do(client.run, "r1")

    assert ("failure", 3) == (found["run"]["state"], found["run"]["exit_code"])
    assert ["waiting", "starting", "running", "failure"] == [row["to"] for row in found["log"]]


async def test_stop(scheduler: Scheduler, client: Client) -> None:
    """Without words of the request, each run is stopped as its own program says; what has not started is skipped."""
    gentle = {"host": "nas", "program": {"command": "x", "stop": {"signal": "INT", "grace": 5}}}
    await do(client.submit, [gentle, DRAFT, DRAFT])
    for number in (1, 2):
        await scheduler.start(number)
    runs = await do(client.stop, ["r1", "r2", "r3"], by="me")

    assert ["stopping", "stopping", "skipped"] == [run["state"] for run in runs]
    assert [
        ("INT", 5),
        ("TERM", 60),
        ("TERM", 60),
    ] == [(run["stop_asked"]["signal"], run["stop_asked"]["grace"]) for run in runs]
    assert {"me"} == {run["stop_asked"]["by"] for run in runs}


async def test_stop_words(scheduler: Scheduler, client: Client) -> None:
    """The request's own signal and grace time count more than the program's."""
    await do(client.submit, [DRAFT])
    await scheduler.start(1)
    [run] = await do(client.stop, ["r1"], signal="sighup", grace=0)

    assert ("HUP", 0) == (run["stop_asked"]["signal"], run["stop_asked"]["grace"])


async def test_stop_ended(scheduler: Scheduler, client: Client) -> None:
    """Runs that ended meanwhile do not keep others from being stopped; where all have ended, that is said."""
    await do(client.submit, [DRAFT, DRAFT])
    for number in (1, 2):
        await scheduler.start(number)
    await scheduler.finish(1)
    runs = await do(client.stop, ["r1", "r2"])
    with pytest.raises(RefusedError, match=r"it has ended already: r1 \(success\)"):
        await do(client.stop, ["r1"])

    assert ["success", "stopping"] == [run["state"] for run in runs]


async def test_stop_unknown(scheduler: Scheduler, client: Client) -> None:
    """One unknown run among known ones: none is stopped."""
    await do(client.submit, [DRAFT])
    with pytest.raises(NotFoundError, match="r9: there is no such run"):
        await do(client.stop, ["r1", "r9"])

    assert [State.WAITING] == [run.state for run in scheduler.live()]


@pytest.mark.parametrize("words", [{"signal": "NO"}, {"grace": -1}])
async def test_stop_mistake(scheduler: Scheduler, client: Client, words: dict[str, Any]) -> None:
    """A stop that no host could perform is refused."""
    await do(client.submit, [DRAFT])
    with pytest.raises(UsageError, match=next(iter(words))):
        await do(client.stop, ["r1"], **words)


async def test_rerun(scheduler: Scheduler, client: Client) -> None:
    """With `same`, a rerun is the same run again, now, and knows of which."""
    await do(client.submit, [{**THREE[2], "labels": ["l"], "schedule_time": 5.0, "by": "cron"}])
    first = scheduler.run(1)
    assert first is not None
    await do(client.stop, ["r1"])
    [run] = await do(client.rerun, ["r1"], same=True, by="me")

    assert (
        "r2",
        "r1",
        "a/b",
        {"k": "v"},
        ["l"],
        "me",
        None,
    ) == tuple(run[key] for key in ("run", "rerun_of", "job", "args", "labels", "by", "schedule_time"))
    assert first.program == _held(scheduler, 2).program


async def test_rerun_live(scheduler: Scheduler, client: Client) -> None:
    """What has not ended is not rerun."""
    await do(client.submit, [DRAFT])
    with pytest.raises(RefusedError, match="r1 is still waiting"):
        await do(client.rerun, ["r1"])


async def test_hosts(scheduler: Scheduler, client: Client) -> None:
    """Hosts are listed and checked; an unknown one, and what can be none, are told apart."""
    assert [{"host": "nas", "up": True}] == await do(client.hosts)
    assert {"host": "nas", "shell": "dash"} == await do(client.check_host, "nas")
    with pytest.raises(NotFoundError):
        await do(client.check_host, "web")
    with pytest.raises(UsageError):
        await do(client.check_host, "-x")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_reload(scheduler: Scheduler, client: Client, dry_run: bool) -> None:
    """The job files are read again, or it is only told what that would change."""
    scheduler.reloads["added"] = ["backup"]
    found = await do(client.reload, dry_run=dry_run)

    assert (["backup"], dry_run) == (found["added"], found["dry_run"])


async def test_reruns_keep_the_rule_of_their_stop(scheduler: Scheduler, client: Client) -> None:
    """A rerun is asked to stop by the same rule; when that is follows from its own time."""
    await scheduler.submit([Draft("nas", Program("true"), stop_rule="1800.0")])
    await scheduler.start(1)
    await scheduler.finish(1)
    await do(client.rerun, ["r1"])
    again = scheduler.run(2)

    assert again is not None
    assert "1800.0" == again.stop_rule


@pytest.mark.parametrize("handover", [True, False])
async def test_shutdown(scheduler: Scheduler, client: Client, handover: bool) -> None:
    """The scheduler hears how it is to end."""
    await do(client.shutdown, handover=handover)

    assert handover is scheduler.ended


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "exit_code"),
    [
        ("GET", "/v1/runs/r1", b"", 404, 4),
        ("GET", "/v1/runs/x", b"", 404, 4),
        ("GET", "/v1/runs/r1/output/stdout", b"", 404, 4),
        ("GET", "/v1/events?runs=r1", b"", 404, 4),
        ("GET", "/v1/events?since=x", b"", 400, 2),
        ("GET", "/v1/nothing", b"", 404, 125),
        ("DELETE", "/v1/runs", b"", 405, 125),
        ("POST", "/v1/runs", b"", 400, 2),
        ("POST", "/v1/runs", b"{", 400, 2),
        ("POST", "/v1/runs", b"\xff", 400, 2),
        ("POST", "/v1/runs", b'{"runs": []}', 400, 2),
        ("POST", "/v1/runs/stop", b'{"runs": []}', 400, 2),
        ("POST", "/v1/runs/rerun", b'{"runs": ["x"]}', 400, 2),
        ("POST", "/v1/shutdown", b'{"handover": 1}', 400, 2),
        ("POST", "/v1/hosts/web/check", b"", 404, 4),
    ],
)
async def test_error(
    scheduler: Scheduler, tmp_path: Path, method: str, target: str, body: bytes, status: int, exit_code: int
) -> None:
    """Every error is one line of JSON with the exit code for it."""
    got, answer = await do(ask, tmp_path, method, target, body)

    assert (status, exit_code) == (got, answer["exit_code"])
    assert "\n" not in msgspec.convert(answer, answers.ErrorAnswer).error


async def test_own_failure(scheduler: Scheduler, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of ours is told to the client in one line and to the log in full."""
    scheduler.status = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    status, answer = await do(ask, tmp_path, "GET", "/v1/status")

    assert (500, 125) == (status, answer["exit_code"])
    assert "ZeroDivisionError" in caplog.text


async def test_document(scheduler: Scheduler, tmp_path: Path) -> None:
    """The API document knows each endpoint, and every reference in it leads somewhere."""
    _, document = await do(ask, tmp_path, "GET", "/v1/openapi.json")
    references = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))

    assert {(each.path, each.method.lower()) for each in ENDPOINTS} == {
        (path, method) for path, operations in document["paths"].items() for method in operations
    }
    assert references <= set(document["components"]["schemas"])


async def test_answers_as_documented(scheduler: Scheduler, client: Client, tmp_path: Path) -> None:
    """Real answers are exactly what the document says, field by field."""
    await do(client.submit, THREE)
    await scheduler.start(1)
    await do(client.stop, ["r1"])
    await scheduler.finish(1)
    asked: dict[str, bytes] = {
        "/v1/runs/stop": b'{"runs": ["r2"]}',
        "/v1/runs/rerun": b'{"runs": ["r1"]}',
        "/v1/runs/start": b'{"runs": ["r3"]}',
        "/v1/runs/mark": b'{"runs": ["r1"], "state": "error"}',
        "/v1/runs/explain": json.dumps({"runs": [DRAFT]}).encode(),
        "/v1/hold": b'{"jobs": ["a/b"]}',
        "/v1/release": b'{"jobs": ["a/b"]}',
        "/v1/runs": json.dumps({"runs": [DRAFT]}).encode(),
        "/v1/jobs/reload": b"{}",
        "/v1/archive": b'{"count": 1}',
        "/v1/vacuum": b"{}",
    }
    for each in ENDPOINTS:
        if isinstance(each.answer, type):
            body = asked[each.path] if each.method == "POST" else b""
            status, answer = await do(ask, tmp_path, each.method, each.path.replace("{run}", "r1"), body)
            msgspec.convert(answer, each.answer)

            assert each.status == status


@pytest.mark.parametrize(
    ("body", "asked", "to"),
    [
        (b"{}", None, None),
        (b'{"age": 60.5, "to": "/a/b.db"}', Policy(Retention(age=60.5)), Path("/a/b.db")),
        (b'{"count": 5, "size": null, "job": "a/b"}', Policy(Retention(count=5), job="a/b"), None),
    ],
)
async def test_archive(
    scheduler: Scheduler, tmp_path: Path, body: bytes, asked: Policy | None, to: Path | None
) -> None:
    """The limits of a request, or those of the files, say which runs go, and `to` where."""
    status, answer = await do(ask, tmp_path, "POST", "/v1/archive", body)

    assert (200, True) == (status, answer["more"])
    assert [([asked] if asked else None, to)] == scheduler.archived


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"count": 0}', "count: 0 is out of range"),
        (b'{"age": -1}', "age: -1"),
        (b'{"job": "a"}', "job: needs a limit beside it"),
        (b'{"count": 1, "to": "a.db"}', "to: 'a.db' is no absolute path"),
        (b'{"keep": 1}', "keep"),
    ],
)
async def test_archive_refused(scheduler: Scheduler, tmp_path: Path, body: bytes, message: str) -> None:
    """A wish that cannot be meant moves nothing."""
    status, answer = await do(ask, tmp_path, "POST", "/v1/archive", body)

    assert 400 == status
    assert message in answer["error"]
    assert [] == scheduler.archived


def _held(scheduler: Scheduler, number: int) -> Run:
    run = scheduler.run(number)
    assert run is not None
    return run
