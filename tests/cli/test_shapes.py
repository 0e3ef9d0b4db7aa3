"""What `--json` prints is what is documented, and the same as the API's."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from sshsched.cli.commands.new import PRINTED as NAMES
from sshsched.cli.shapes import PRINTED
from sshsched.service.client import Client
from tests.cli.driver import Place
from tests.support import wait_until

COMMANDS = {
    "runs": ["runs"],
    "show": ["show", "r1"],
    "stats": ["runs", "--stats"],
    "jobs": ["jobs"],
    "job": ["job", "reports/build"],
    "next": ["next", "-n", "3"],
    "hosts": ["hosts"],
    "status": ["status"],
}


@pytest.fixture(scope="module")
def busy(shared: Place) -> Place:
    """A job with all kinds of fields, finished runs, a scheduler, and a link."""
    (shared.config / "jobs/reports").mkdir(parents=True)
    (shared.config / "jobs/reports/build.yaml").write_text(
        "host: local\nparams: {region: {choices: [us, eu]}}\ncommand: echo {{ region }}\nenv: {A: b}\n"
        "schedule: {cron: 0 8 * * *, tz: Europe/Berlin, args: {region: us}}\nretention: {age: 30d}\n"
    )
    assert 0 == shared("run", "reports/build", "region=eu", "--wait").code
    assert 3 == shared("run", "-H", "local", "--wait", "--", "exit 3").code
    return shared


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_is_what_is_documented(busy: Place, name: str) -> None:
    """Field by field, and by the schema that `sshsched schema` prints."""
    printed = busy(*COMMANDS[name], "--json").json
    schema = busy("schema", name).json
    msgspec.convert(printed, PRINTED[name])

    assert printed
    assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(printed)]


def test_commands_and_api_say_the_same(busy: Place) -> None:
    """One shape of a run, of its log, of a link, of the scheduler, whoever is asked."""

    def asked_and_printed() -> list[tuple[Any, Any]]:
        with Client(busy.state) as client:
            return [
                (client.runs(filter="is:finished"), busy("runs", "is:finished", "--json").json),
                (client.run("r1"), busy("show", "r1", "--json").json),
                (client.hosts(), [host["link"] for host in busy("hosts", "--json").json if host["link"]]),
                (client.status(), busy("status", "--json").json["scheduler"]),
            ]

    # What it takes the host to answer is measured all the time: it may change between the one and the other.
    wait_until(lambda: all(asked == printed for asked, printed in asked_and_printed()), within=20)


def test_every_shape_can_be_asked_for() -> None:
    """The help names what there is."""
    assert tuple(PRINTED) == NAMES


def test_json_and_order(busy: Place) -> None:
    """--sort is for scripts too; a list has an item a line."""
    printed = busy("runs", "--json", "--sort", "run").text

    assert ["r1", "r2"] == [run["run"] for run in json.loads(printed)]
    assert 2 == len(printed.splitlines())
