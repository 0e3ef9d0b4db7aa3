"""A workflow as a graph in the details of its run: drawn, live, and a way to its steps."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sshsched.domain.outline import outline
from sshsched.domain.plan import Flow, Plan, Step
from sshsched.domain.program import Program
from sshsched.tui.graph import ROOT, Graph, drawn
from sshsched.tui.past import Workflow
from tests.cli.driver import Place
from tests.support import until
from tests.tui.kit import Seen, run, watching

FLOW = """
host: local
steps:
  build: {command: echo built}
  lint: {needs: build, command: "while ! test -e %(gate)s; do sleep 0.1; done"}
  unit: {needs: build, command: echo tested}
  ship: {needs: [lint, unit], command: echo shipped}
"""


async def begun(place: Place, gate: Path) -> str:
    """A workflow that waits in the middle until the gate is there."""
    folder = place.config / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop.yaml").write_text(FLOW % {"gate": gate})
    return (await asyncio.to_thread(place, "run", "shop")).text.strip()


def graph(seen: Seen) -> Graph:
    return seen.app.query_one(Graph)


def line_with(seen: Seen, text: str) -> str:
    return next(line for line in seen.lines if text in line)


async def test_a_graph_is_drawn_and_lives(shared: Place, tmp_path: Path) -> None:
    """Boxes stand below what they need, each with its state, and follow what happens without a key."""
    root = await begun(shared, tmp_path / "gate")
    async with watching(shared, size=(100, 40)) as seen:
        await seen.on(root)
        await seen.press("enter", "z", "tab")
        await seen.until(f"{root} shop", "│ lint ", "│ unit ", "│ ship │", " running │")
        assert "│ lint " in line_with(seen, "│ unit ")
        assert seen.lines.index(line_with(seen, "│ build")) < seen.lines.index(line_with(seen, "│ unit "))
        assert "│ -    │" in seen.text
        (tmp_path / "gate").touch()
        await seen.until("4 of 4 steps done")
        await seen.gone("running │", "│ -    │")


async def test_keys_go_from_step_to_step_and_open_its_run(shared: Place, tmp_path: Path) -> None:
    """Arrows lead to the neighbour; Enter opens the run of a step, and from there the graph leads back."""
    (tmp_path / "gate").touch()
    root = await begun(shared, tmp_path / "gate")
    await asyncio.to_thread(shared, "wait", root)
    async with watching(shared, size=(100, 40)) as seen:
        await seen.on(root)
        await seen.press("enter", "z", "tab")
        await seen.until("│ ship ")
        went = []
        for key in ("down", "down", "right", "left", "down", "down", "up", "up", "up", "up"):
            await seen.press(key)
            went.append(graph(seen).chosen)
        assert ["build", "lint", "unit", "lint", "ship", "ship", "lint", "build", ROOT, ROOT] == went
        await seen.press("down", "down", "down", "enter")
        await seen.until(f"{root}, step ship")
        assert int(root[1:]) != seen.app.detail.run_id
        await seen.press("tab")
        await seen.until("│ ship ")
        assert "ship" == graph(seen).chosen
        await seen.press("up", "up", "up", "enter")
        await until(lambda: seen.app.detail.run_id == int(root[1:]))


async def test_a_step_is_found_behind_a_filter(shared: Place, tmp_path: Path) -> None:
    """A step that the filter hides is shown all the same: the filter goes."""
    (tmp_path / "gate").touch()
    root = await begun(shared, tmp_path / "gate")
    await asyncio.to_thread(shared, "wait", root)
    async with watching(shared, f"run:{root}", size=(100, 40)) as seen:
        await seen.on(root)
        await seen.press("enter", "z", "tab")
        await seen.until("│ ship ")
        await seen.press("down", "enter")
        await seen.until(f"{root}, step build")

        assert "" == seen.app.live.filter.text


async def test_what_has_not_begun_has_no_run(shared: Place, tmp_path: Path) -> None:
    """Enter on it says so and stays."""
    root = await begun(shared, tmp_path / "gate")
    async with watching(shared, size=(100, 40)) as seen:
        await seen.on(root)
        await seen.press("enter", "z", "tab")
        await seen.until("│ lint ", " running │")
        await seen.press("down", "down", "down", "enter")
        await seen.until("ship has not begun", "│ ship │")
        (tmp_path / "gate").touch()
        await seen.until("4 of 4 steps done")


async def test_narrow_terminals_get_a_list(shared: Place, tmp_path: Path) -> None:
    """One line for each step, which keys reach as well; the drawing is back with the room."""
    (tmp_path / "gate").touch()
    root = await begun(shared, tmp_path / "gate")
    await asyncio.to_thread(shared, "wait", root)
    async with watching(shared, size=(30, 24)) as seen:
        await seen.on(root)
        await seen.press("enter", "z", "tab")
        await seen.until("build  r", "  lint  r")
        assert "┌" not in seen.text
        await seen.press("down", "down", "down", "down")
        assert "ship" == graph(seen).chosen
        await seen.pilot.resize_terminal(100, 40)
        await seen.until("│ ship ")
        assert "ship" == graph(seen).chosen


async def test_a_click_chooses_and_two_open(shared: Place, tmp_path: Path) -> None:
    """Boxes are as large as they look."""
    (tmp_path / "gate").touch()
    root = await begun(shared, tmp_path / "gate")
    await asyncio.to_thread(shared, "wait", root)
    async with watching(shared, size=(100, 40)) as seen:
        await seen.on(root)
        await seen.press("enter", "z", "tab")
        line = line_with(seen, "│ unit ") if await seen.until("│ unit ") else ""
        at = (line.index("unit") - 2, seen.lines.index(line) - 1)
        await seen.pilot.click(offset=at)
        assert "unit" == graph(seen).chosen
        await seen.pilot.click(offset=at, times=2)
        await seen.until(f"{root}, step unit")


async def test_only_workflows_have_a_graph(shared: Place) -> None:
    """A plain run goes from its summary to its log, also when a graph was seen before."""
    plain = (await asyncio.to_thread(shared, "run", "-H", "local", "--wait", "--", "echo plain")).text.strip()
    async with watching(shared) as seen:
        await seen.on(plain)
        await seen.press("enter")
        await seen.until(" summary  log  stdout")
        seen.app.detail.see("graph")
        await seen.until("plain", "state")

        assert "graph" not in seen.app.detail.parts


def test_names_are_made_harmless() -> None:
    """An item of a list is foreign text; in the graph it is not obeyed, and its box is where it is drawn."""
    flow = Flow((Step("each", "web1", Program(command="true"), foreach="x"),))
    root = run(1, "running", plan=Plan(flow=flow))
    places = outline(flow, [run(2, "running", root=1, step="each[\x1b[31m\u202e\x07]")])
    lines, spots = drawn(Workflow(root, places), 80)
    text = "\n".join(piece.text for line in lines for piece in line)

    assert set() == {"\x1b", "\u202e", "\x07"} & set(text)
    assert {ROOT, places[0].name} == set(spots)


def test_a_crowd_is_drawn_as_a_list() -> None:
    """Thousands of steps are one line each, and each can be chosen."""
    flow = Flow((Step("each", "web1", Program(command="true"), foreach="x"),))
    places = outline(flow, [run(n + 2, "running", root=1, step=f"each[{n}]") for n in range(2000)])
    lines, spots = drawn(Workflow(run(1, "running"), places), 80)

    assert 2000 + 1 == len(spots)
    assert 2000 + 2 == len(lines)
