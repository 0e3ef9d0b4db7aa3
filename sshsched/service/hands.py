"""What people do to runs: stop, skip, start, hold, release, mark, repeat; and what would happen if a run were made.

Rule: whatever is refused is refused before anything is done, naming the run and what can be done instead.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

import msgspec
from starlette.requests import Request

from sshsched.domain.draft import Draft, host_flaw
from sshsched.domain.events import FailedWanted, HoldWanted, MarkWanted, ReleaseWanted, StartWanted
from sshsched.domain.keys import EVERYTHING
from sshsched.domain.model import Run, StopAsked
from sshsched.domain.resume import taken
from sshsched.domain.shape import Shape
from sshsched.domain.sound import seconds_flaw
from sshsched.domain.states import FINISHED, MARKS, State
from sshsched.errors import RefusedError, UsageError
from sshsched.service import bodies
from sshsched.service.asking import Asking, body_of, shapes

UNSTARTED = (State.SCHEDULED, State.WAITING)


class Hands(Asking):
    """The handlers, each named in the table of endpoints."""

    async def stop(self, request: Request) -> Shape:
        body = await body_of(request, bodies.StopRunsBody)
        wishes = _Wishes(body, self.now())
        runs = await self.find_all(body.runs)
        alive = [run for run in runs.values() if not run.finished]
        if not alive:
            ended = ", ".join(f"{run.name} ({run.state})" for run in runs.values())
            raise RefusedError(f"nothing to stop, it has ended already: {ended}")
        for asked, ids in wishes.grouped(alive).items():
            await self.facade.stop(ids, asked)
        return await self._as_they_are(runs)

    async def rerun(self, request: Request) -> Shape:
        body = await body_of(request, bodies.RerunBody)
        runs = await self.find_all(body.runs)
        if body.failed:
            return {"runs": shapes(await self._failed_again(runs, body.by))}
        for run in runs.values():
            if not run.finished:
                raise RefusedError(f"{run.name} is still {run.state}; wait for its end, or stop it first")
        drafts = [self._again(run, body) for run in runs.values()]
        return {"runs": shapes(await self.facade.submit(drafts))}

    async def start(self, request: Request) -> Shape:
        body = await body_of(request, bodies.RunsBody)
        runs = await self.find_all(body.runs)
        _only(runs, UNSTARTED, "only a run that has not begun can be started past its conditions")
        await self.facade.want(StartWanted(self.now(), tuple(runs), body.by))
        return await self._as_they_are(runs)

    async def mark(self, request: Request) -> Shape:
        body = await body_of(request, bodies.MarkBody)
        try:
            state = State(body.state)
        except ValueError:
            raise UsageError(f"state: {body.state!r} is none of {', '.join(sorted(FINISHED))}") from None
        if state not in FINISHED:
            raise UsageError(f"state: a run is marked with one of {', '.join(sorted(FINISHED))}, not {state}")
        async with nullcontext() if self.history is None else self.history.still:  # from here it stays as it is found
            runs = await self.find_all(body.runs)
            _only(runs, tuple(FINISHED), "only a run that has ended can be marked; `sshsched stop` ends it")
            for run in runs.values():
                if state not in MARKS[run.state]:
                    raise RefusedError(f"{run.name} is {run.state} already")
            changed = await self.facade.want(MarkWanted(self.now(), tuple(runs.values()), state, body.by))
        return {"runs": shapes(changed.get(number, run) for number, run in runs.items())}

    async def hold(self, request: Request) -> Shape:
        body = await body_of(request, bodies.HoldBody)
        runs, keys = await self._held(body)
        _only(runs, UNSTARTED, "only a run that has not begun can be held")
        await self.facade.want(HoldWanted(self.now(), tuple(runs), keys, body.by))
        return {**await self._as_they_are(runs), "holds": self.facade.holds()}

    async def release(self, request: Request) -> Shape:
        body = await body_of(request, bodies.HoldBody)
        runs, keys = await self._held(body)
        for run in runs.values():
            if not run.held:
                raise RefusedError(f"{run.name} is not held; it is {run.state}: {run.message}")
        holds = self.facade.holds()
        for key in keys:
            if key not in holds:
                raise RefusedError(f"{_words(key)} is not held; {_all_held(holds)}")
        await self.facade.want(ReleaseWanted(self.now(), tuple(runs), keys, body.by))
        return {**await self._as_they_are(runs), "holds": self.facade.holds()}

    async def explain(self, request: Request) -> Shape:
        drafts = bodies.drafts(await body_of(request, bodies.SubmitBody))
        return {"explained": self.facade.explain(drafts)}

    # Inside ----------------------------------------------------------------------------------------------------------

    async def _as_they_are(self, runs: dict[int, Run]) -> Shape:
        """Read again: a run that was skipped has ended with that, and the engine holds it no more."""
        return {"runs": shapes([await self.find(number) for number in runs])}

    async def _held(self, body: bodies.HoldBody) -> tuple[dict[int, Run], tuple[str, ...]]:
        keys = [EVERYTHING] if body.everything else []
        for name in body.hosts:
            if message := host_flaw(name):
                raise UsageError(f"hosts: {message}")
            keys.append(f"host:{name}")
        keys += [f"job:{name}" for name in body.jobs]
        if not keys and not body.runs:
            raise UsageError("name runs, jobs or hosts, or say everything")
        return await self.find_all(body.runs) if body.runs else {}, tuple(keys)

    def _lives(self, root: int | None) -> bool:
        """Whether a workflow is still there for a step to be part of."""
        found = None if root is None else self.facade.run(root)
        return found is not None and found.state is State.RUNNING

    async def _failed_again(self, runs: dict[int, Run], by: str) -> list[Run]:
        """The new runs of steps that had failed; of a workflow that has ended, the new workflow that goes on there."""
        live = {number: run for number, run in runs.items() if not run.finished}
        for run in runs.values():
            if run.plan.flow is None:
                raise RefusedError(f"{run.name} is no workflow; `sshsched rerun {run.name}` runs it again")
            if run.state is State.SUCCESS:
                raise RefusedError(
                    f"nothing of {run.name} has failed; `sshsched rerun {run.name}` runs all of it again"
                )
            if run.id in live and run.state is not State.RUNNING:
                raise RefusedError(f"{run.name} is {run.state}; wait for its end")
        made = [await self._taken_up(run, by) for run in runs.values() if run.finished]
        if not live:
            return made
        changed = await self.facade.want(FailedWanted(self.now(), tuple(live), by))
        for run in live.values():
            if run.id not in changed:
                raise RefusedError(f"nothing of {run.name} has failed; {run.message}")
        return [*made, *(run for run in changed.values() if run.root in live and run.rerun_of is not None)]

    async def _taken_up(self, root: Run, by: str) -> Run:
        """A new workflow in the place of one that has ended."""
        steps = await self.in_thread(lambda: self.past.steps(root.id))
        flow = root.plan.flow
        (made,) = await self.facade.submit([self._same(root, by)], taken(flow, steps) if flow is not None else ())
        return made

    def _again(self, run: Run, body: bodies.RerunBody) -> Draft:
        same = self._same(run, body.by)
        if body.same or run.job_id is None or run.root is not None:
            return same
        try:
            now = self.facade.draft(run.job_id, run.args, body.by)
        except ValueError as error:
            raise RefusedError(f"{run.name}: {error}; --same repeats it as it was") from None
        return replace(now, labels=run.labels, rerun_of=run.id, stop_rule=run.stop_rule)

    def _same(self, run: Run, by: str) -> Draft:
        return Draft(
            run.asked,
            run.program,
            run.job_id,
            run.args,
            run.labels,
            by,
            rerun_of=run.id,
            root=run.root if self._lives(run.root) else None,
            step=run.step if self._lives(run.root) else "",
            plan=run.plan,
            start_within=run.start_within,
            stop_rule=run.stop_rule,
        )


@dataclass(frozen=True)
class _Wishes:
    """How each run is to be stopped: as the request says, else as the run's own program says."""

    body: bodies.StopRunsBody
    at: float

    def grouped(self, runs: list[Run]) -> dict[StopAsked, list[int]]:
        """Runs that are to be stopped in the same way, together. Raises UsageError."""
        groups: dict[StopAsked, list[int]] = {}
        for run in runs:
            groups.setdefault(self._of(run), []).append(run.id)
        return groups

    def _of(self, run: Run) -> StopAsked:
        asked = StopAsked(self.at, self.body.by, signal=run.program.stop.signal, grace=run.program.stop.grace)
        if self.body.signal is not msgspec.UNSET:
            asked = replace(asked, signal=bodies.signal_of(self.body.signal, "signal"))
        if self.body.grace is not msgspec.UNSET:
            if message := seconds_flaw(self.body.grace):
                raise UsageError(f"grace: {message}")
            asked = replace(asked, grace=self.body.grace)
        return asked


def _only(runs: dict[int, Run], states: tuple[State, ...], remedy: str) -> None:
    for run in runs.values():
        if run.state not in states:
            raise RefusedError(f"{run.name} is {run.state}; {remedy}")


def _words(key: str) -> str:
    return "everything" if key == EVERYTHING else key.replace(":", " ", 1)


def _all_held(holds: dict[str, str]) -> str:
    return f"held are: {', '.join(map(_words, sorted(holds)))}" if holds else "nothing is"
