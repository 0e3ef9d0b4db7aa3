"""A session at the keyboard: keys in, screen out, and what the scheduler has done by then."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest

from tests.cli.driver import Place
from tests.support import until
from tests.tui.kit import Seen, watching


async def cli(place: Place, *args: str) -> str:
    return (await asyncio.to_thread(place, *args)).text.strip()


async def begin(place: Place, *words: str) -> str:
    """A run that is known to be running."""
    return await asyncio.to_thread(place.started, "-H", "local", "--", *words)


def line_of(seen: Seen, run: str) -> str:
    return next(line for line in seen.lines if line.startswith(run))


async def test_a_run_is_seen_from_its_begin_to_its_end(shared: Place) -> None:
    """It appears, ticks, ends with its exit code, and stands below the line at now."""
    async with watching(shared) as seen:
        run = await cli(shared, "run", "-H", "local", "--", "sleep 1; exit 3")
        await seen.until(f"{run} ", "● running")
        await seen.until("✘ failure", "exit 3")

        assert "── now" in seen.text
        assert "exit 3" in line_of(seen, run)


async def test_stop_asks_and_then_stops(shared: Place) -> None:
    """The question says what will happen; no leaves everything, yes ends the run, and the cursor stays on it."""
    run = await begin(shared, "sleep", "600")
    async with watching(shared) as seen:
        await seen.on(run)
        await seen.press("s")
        await seen.until(f"stop {run}?", "a signal to all its processes")
        await seen.press("n")
        await seen.gone(f"stop {run}?")
        assert "running" in line_of(seen, run)
        await seen.press("s", "y")
        await seen.until(f"stop {run}: it is stopping", "signal TERM, stopped")

        assert int(run[1:]) == seen.app.table.key


async def test_what_cannot_be_is_refused_in_words(shared: Place) -> None:
    """A key that does not fit the run says which states it is for, and asks nothing."""
    run = await cli(shared, "run", "-H", "local", "--wait", "--", "true")
    async with watching(shared) as seen:
        await seen.on(run)
        await seen.press("s")
        await seen.until(f"stop: {run} is success; this is for")


async def test_rerun_folds_behind_the_new_one(shared: Place) -> None:
    """The new run stands for both, with the time of the first; unfolding shows the first below it."""
    run = await cli(shared, "run", "-H", "local", "--wait", "--", "echo once")
    async with watching(shared) as seen:
        await seen.on(run)
        await seen.press("r")
        await seen.until(f"rerun {run}?", "a new run; of a job, as that is now")
        await seen.press("y")
        await seen.until(f"{run} runs again, as r", "+1", "first at")
        await seen.press("plus")
        await seen.until(f"└ {run}")


async def test_what_has_not_begun_is_held_released_started_and_skipped(shared: Place) -> None:
    """Each key asks, each answer is told, and the run stands as it was wished."""
    first = await cli(shared, "run", "-H", "local", "--delay", "1h", "--", "echo now")
    other = await cli(shared, "run", "-H", "local", "--delay", "1h", "--", "echo never")
    async with watching(shared) as seen:
        await seen.on(first)
        for key, asks, tells in (
            ("h", f"hold {first}?", f"hold {first}: it is scheduled: held by"),
            ("u", f"release {first}?", f"release {first}: it is scheduled"),
            ("S", f"start {first}?", f"start {first}: it is "),
        ):
            await seen.press(key)
            await seen.until(asks)
            await seen.press("y")
            await seen.until(tells)
        await seen.until(f"{first}  ", "echo now", "✔ success")
        await seen.on(other)
        await seen.press("x")
        await seen.until(f"skip {other}?", "it will not start")
        await seen.press("y")
        await seen.until(f"skip {other}: it is skipped", "» skipped")


async def test_what_has_ended_is_marked(shared: Place) -> None:
    """The outcome is chosen first, then asked; the one that it has is refused."""
    run = await cli(shared, "run", "-H", "local", "--wait", "--", "exit 3")
    async with watching(shared) as seen:
        await seen.on(run)
        await seen.press("m")
        await seen.until("mark as", "success", "skipped")
        await seen.press("f")
        await seen.until(f"mark: {run} is failure already")
        await seen.press("m", "s")
        await seen.until(f"mark {run} as success?", "goes on as after success")
        await seen.press("y")
        await until(lambda: line_of(seen, run).split()[2] == "success" and "marked by" in line_of(seen, run))


async def test_several_are_acted_on_together(shared: Place) -> None:
    """What is chosen is acted on, whatever the cursor stands on."""
    runs = [await begin(shared, "sleep", "601") for _ in range(3)]
    async with watching(shared) as seen:
        await seen.on(runs[2])
        await seen.press("space", "space")
        await seen.until("2 chosen")
        await seen.press("s")
        await seen.until("stop 2 runs?")
        await seen.press("y")
        await seen.until("stop: 2 runs")
        await until(lambda: [shared.state_of(int(run[1:])) for run in runs] == ["running", "failure", "failure"])


async def test_the_details_follow_the_cursor(shared: Place) -> None:
    """Summary, log, output and program of the run under the cursor, and the list stays where it was."""
    first = await cli(shared, "run", "-H", "local", "--wait", "--label", "blue", "--", "echo out; echo err >&2; exit 4")
    other = await cli(shared, "run", "-H", "local", "--wait", "--", "echo other")
    async with watching(shared) as seen:
        await seen.on(first)
        await seen.press("enter")
        await seen.until("labels", "blue", "exit 4", "processor", "memory")
        await seen.press("tab")
        await seen.until("starting → running", "claimed")
        await seen.press("tab")
        await seen.until("\nout", "follows")
        await seen.press("tab")
        await seen.until("\nerr")
        await seen.press("tab")
        await seen.until("command", "echo out; echo err >&2; exit 4", "KILL after")
        await seen.on(other)
        await seen.until("echo other", f" {other}  summary")
        await seen.press("z")
        await seen.gone("── now")
        await seen.press("escape")
        await seen.until("── now")


async def test_output_follows_until_somebody_scrolls(shared: Place) -> None:
    """New lines are seen as they come; scrolled up, the screen stays; End follows again; / finds."""
    run = await begin(
        shared,
        "for i in $(seq 1 5000); do echo line $i; done; for i in a b c d; do sleep 1; echo tail $i; done; sleep 600",
    )
    async with watching(shared, run=int(run[1:])) as seen:
        await seen.press("tab", "tab")
        await seen.until("tail a", "follows")
        await seen.press("pageup", "pageup")
        await seen.until("End follows", "line 49")
        before = seen.text
        await until(lambda: seen.app.detail.output().size_known == 48_893 + 4 * 7)  # type: ignore[union-attr]
        assert before.splitlines()[2:-1] == seen.lines[2:-1]
        await seen.press("slash")
        await seen.type("LINE 1234")
        await seen.press("enter")
        await seen.until("line 1234", "line 1233")
        await seen.press("end")
        await seen.until("tail d", " follows")
    await cli(shared, "stop", "--signal", "KILL", run)


async def test_the_filter_narrows_as_it_is_typed(shared: Place) -> None:
    """Each letter counts, Tab completes, Esc takes all back, Enter keeps it, and the same key takes a term out."""
    good = await cli(shared, "run", "-H", "local", "--wait", "--", "echo good")
    bad = await cli(shared, "run", "-H", "local", "--wait", "--", "exit 9")
    async with watching(shared) as seen:
        await seen.until(good, bad)
        await seen.press("slash")
        await seen.type("state:fai")
        await seen.press("tab")
        await seen.until(bad, "state:failure")
        await seen.gone(f"{good} ")
        await seen.press("escape")
        await seen.until(f"{good} ", bad)
        await seen.on(bad)
        await seen.press("right", "right", "f")
        await seen.gone(f"{good} ")
        await seen.until(bad, " state:failure ")
        await seen.press("f")
        await seen.until(f"{good} ")
        await seen.press("F")
        await seen.gone(f"{bad} ")
        await seen.press("c")
        await seen.until(f"{bad} ")


async def test_a_filter_that_cannot_be_read_changes_nothing(shared: Place) -> None:
    """It is said what is wrong, with the remedy."""
    async with watching(shared) as seen:
        await seen.press("slash")
        await seen.type("stat:running")
        await seen.press("enter")
        await seen.until("did you mean")


async def test_a_run_is_made_from_the_form(shared: Place) -> None:
    """A command on a host; a job with its params, of which a wrong one is said in the form, which stays open."""
    jobs = shared.config / "jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    (jobs / "greet.yaml").write_text(
        'host: local\nparams: {name: {}, tongue: {default: en, choices: [en, fr]}}\ncommand: "echo {{ name }}"\n'
    )
    await cli(shared, "run", "-H", "local", "--wait", "--", "true")
    async with watching(shared) as seen:
        await seen.press("a")
        await seen.until("Run now", "command, for sh -c")
        await seen.press("down", "down")
        await seen.type("echo formed")
        await seen.press("enter")
        await seen.until("r", "made", "echo formed")
        await seen.press("2")
        await seen.until("greet")
        await seen.press("a")
        await seen.until("tongue: en, fr [en]", "host (empty: local)")
        await seen.type("Ada")
        await seen.press("down")
        await seen.type("xx")
        await seen.press("enter")
        await seen.until("tongue must be one of en, fr")
        await seen.press("backspace", "backspace", "enter")
        await seen.gone("Run now")
        await seen.until("greet", "Ada")


async def test_jobs_are_a_tree_with_their_runs(shared: Place) -> None:
    """Folders fold, next and last runs are told, and Enter lists the runs of a job."""
    folder = shared.config / "jobs" / "load"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "part.yaml").write_text('host: local\nschedule: "@daily"\ncommand: "true"\n')
    await cli(shared, "run", "load/part", "--wait")
    async with watching(shared) as seen:
        await seen.press("2")
        await seen.until("▾ load/", "part", "✔", "in ")
        await seen.press("home", "end", "up")
        await until(lambda: seen.app.table.key == "load/")
        await seen.press("enter")
        await seen.until("▸ load/")
        await seen.gone("part")
        await seen.press("enter", "down")
        await seen.press("enter")
        await seen.until(" job:load/part ", "success")


async def test_hosts_are_told_with_their_links(shared: Place) -> None:
    """Each host with its link, and Enter lists its runs."""
    await cli(shared, "run", "-H", "local", "--wait", "--", "true")
    async with watching(shared) as seen:
        await seen.press("3")
        await seen.until("local", "● up")
        await seen.press("enter")
        await seen.until(" host:local ")


async def test_copying_offers_what_can_be_pasted(shared: Place) -> None:
    """The run's id, the place of its output, the ssh command, what it runs."""
    run = await cli(shared, "run", "-H", "local", "--wait", "--", "echo copied")
    async with watching(shared) as seen:
        await seen.on(run)
        await seen.press("y")
        await seen.until("output", f"output/{run}", "echo copied")
        await seen.press("r")
        await seen.until(f"copied: {run}")

        assert run == seen.app.clipboard


async def test_help_and_commands_tell_every_key(shared: Place) -> None:
    """? tells the keys and the grammar; the palette finds an action by its word."""
    async with watching(shared, size=(110, 60)) as seen:
        await seen.press("question_mark")
        await seen.until("end programs, and skip what has not begun", "state:running,failure", "Ctrl+P")
        await seen.press("escape")
        await seen.gone("Ctrl+P")
        await seen.press("ctrl+p")
        await seen.until("Search")
        await seen.type("theme")
        await seen.until("choose other colours")
        await seen.press("escape")


async def test_the_mouse_does_what_keys_do(shared: Place) -> None:
    """A click chooses a line, a second one opens it, a click on a view shows that."""
    run = await cli(shared, "run", "-H", "local", "--wait", "--", "echo clicked")
    async with watching(shared) as seen:
        await seen.until(run)
        row = next(index for index, line in enumerate(seen.lines) if line.startswith(run))
        await seen.pilot.click("#runs", offset=(2, row - 1))
        await until(lambda: seen.app.table.key == int(run[1:]))
        await seen.pilot.click("#runs", offset=(2, row - 1), times=2)
        await seen.until(f" {run}  summary")
        column = seen.lines[0].index("3 hosts")
        await seen.pilot.click("#top", offset=(column, 0))
        await seen.until("LINK")


async def test_a_small_terminal_is_no_harm(shared: Place) -> None:
    """Down to 20 x 5 and back, in every view and with details open, everything is still there."""
    run = await cli(shared, "run", "-H", "local", "--wait", "--", "echo small")
    async with watching(shared) as seen:
        await seen.on(run)
        for keys in (
            ["enter"],
            ["tab", "tab"],
            ["escape", "question_mark"],
            ["escape", "a"],
            ["escape", "2"],
            ["3"],
            ["1"],
        ):
            await seen.press(*keys)
            await seen.pilot.resize_terminal(20, 5)
            await seen.pilot.pause()
            assert all(len(line) <= 20 for line in seen.lines)
            await seen.pilot.resize_terminal(110, 26)
            await seen.pilot.pause()
        await seen.press("escape")
        await seen.until(run, "── now", "WHY")


async def test_without_colours_there_are_none(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: bold, reverse, marks and words tell all, in the list, in details and in boxes."""
    monkeypatch.setenv("NO_COLOR", "1")
    run = await cli(shared, "run", "-H", "local", "--wait", "--", "printf '\\033[31mred'; exit 5")
    async with watching(shared) as seen:
        await seen.on(run)
        for keys in ("enter", "tab tab", "y", "escape r", "n 2", "3", "question_mark"):
            await seen.press(*keys.split())
            await seen.pilot.pause(0.1)
            colours = {
                colour.name
                for strip in seen.app.screen._compositor.render_strips()
                for _, style, _ in strip
                if style is not None
                for colour in (style.color, style.bgcolor)
                if colour is not None
            }

            assert {"default"} >= colours


async def test_a_scheduler_that_goes_is_missed_and_found_again(place: Place) -> None:
    """The banner says since when; what happened meanwhile is known once a scheduler is back, without a key."""
    run = await begin(place, "sleep", "2")
    async with watching(place) as seen:
        await seen.until(run, "● running")
        await asyncio.to_thread(place.kill_scheduler, signal.SIGKILL)
        await seen.until("no scheduler since", run)
        again = await cli(place, "run", "-H", "local", "--", "echo back")
        await seen.gone("no scheduler since")
        await seen.until(again)
        await seen.until("✔ success")
        await until(lambda: "success" in line_of(seen, run), within=15)


# The scheduler that it starts is a child of this process here, and lives on until the place is closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_actions_without_a_scheduler_start_one_or_say_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An action needs a scheduler, and gets one, as on the command line."""
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    run = await cli(place, "run", "-H", "local", "--wait", "--", "echo first")
    await asyncio.to_thread(place.kill_scheduler, signal.SIGTERM)
    async with watching(place) as seen:
        await seen.until("no scheduler since", run)
        await seen.on(run)
        await seen.press("r", "y")
        await seen.until(f"{run} runs again")
        await seen.gone("no scheduler since")

    assert 2 == len(json.loads(await cli(place, "runs", "--json")))
