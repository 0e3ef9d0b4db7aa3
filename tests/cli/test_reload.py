"""What `reload` prints."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.cli.driver import Ended, Place
from tests.service.scheduler import Scheduler


async def typed(folder: Path, scheduler: Scheduler, *args: str) -> Ended:
    """A command, while this scheduler serves."""
    place = Place(folder)
    place.state.mkdir(mode=0o700)
    async with scheduler.served(place.state):
        return await asyncio.to_thread(place, *args)


async def test_what_changes(tmp_path: Path) -> None:
    """Each job that is another one now has a line with a mark."""
    scheduler = Scheduler()
    scheduler.reloads |= {"added": ["a", "b/c"], "removed": ["d"], "changed": ["e"]}
    ended = await typed(tmp_path, scheduler, "reload")

    assert (0, "+ a\n+ b/c\n- d\n~ e\n3 jobs\n", "") == (ended.code, ended.text, ended.err)


async def test_dry_run(tmp_path: Path) -> None:
    """A dry run says that it is one."""
    ended = await typed(tmp_path, Scheduler(), "reload", "--dry-run")

    assert (0, "3 jobs, if this were no dry run\n") == (ended.code, ended.text)


@pytest.mark.parametrize(("kind", "code"), [("problems", 2), ("warnings", 0)])
async def test_problems_and_warnings(tmp_path: Path, kind: str, code: int) -> None:
    """Problems and warnings go to the standard error, harmless for a terminal; problems end with 2."""
    scheduler = Scheduler()
    scheduler.reloads |= {"kept": ["a"], kind: ["jobs/a.yaml:1:1: \x1b[31mbad"]}
    ended = await typed(tmp_path, scheduler, "reload")

    assert (code, "! a\n3 jobs\n") == (ended.code, ended.text)
    assert "jobs/a.yaml:1:1: " in ended.err
    assert "\x1b" not in ended.err


async def test_json(tmp_path: Path) -> None:
    """As JSON it is what the scheduler said."""
    scheduler = Scheduler()
    scheduler.reloads["added"] = ["a"]
    ended = await typed(tmp_path, scheduler, "reload", "--json")

    assert ["a"] == json.loads(ended.text)["added"]


def test_no_scheduler(tmp_path: Path) -> None:
    """Where no scheduler runs there is nothing to reload, and none is started."""
    ended = Place(tmp_path)("reload")

    assert 125 == ended.code
    assert "no scheduler answers; `sshsched serve` starts one" in ended.err
