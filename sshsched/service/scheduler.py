"""A scheduler process: the lock, the store, the engine and the service, put together and taken apart in order.

Rule: it may be killed at any instruction. Ending it in order only spares the next one some looking.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from sshsched.config.addresses import ListenAt
from sshsched.config.renderer import renderer
from sshsched.config.settings import load_settings
from sshsched.config.watched import JobsFolder
from sshsched.domain.hosts import LOCAL, Host
from sshsched.engine.engine import Engine, Given
from sshsched.engine.history import History
from sshsched.engine.policies import load_policies
from sshsched.engine.rounds import ours
from sshsched.engine.schedules import Begin
from sshsched.errors import NoSchedulerError
from sshsched.kinds.rules import KindRules
from sshsched.remote.doors import Doors
from sshsched.remote.local import LocalTransport
from sshsched.remote.transport import Transport
from sshsched.service.client import Client
from sshsched.service.files import JobDrafts, NewestWay, group, newest_hosts, newest_settings
from sshsched.service.hub import Hub
from sshsched.service.meters import CountedHub, Meters, TimedStore
from sshsched.service.metrics import Exposition, Snapshot
from sshsched.service.server import serving
from sshsched.service.telling import telling
from sshsched.store.lock import KEEPING, hold, holder
from sshsched.store.output import OutputFiles
from sshsched.store.past import Past as PastRuns
from sshsched.store.reader import Reader
from sshsched.store.store import open_store

ADHOC, SERVE = "adhoc", "serve"
HANDOVER = 20.0  # seconds that a background scheduler has for leaving

log = logging.getLogger("sshsched")


def serve(
    config_dir: Path,
    state_dir: Path,
    mode: str,
    idle_exit: float | None,
    since: float | None = None,
    metrics: ListenAt | None = None,
) -> None:
    """Be the scheduler of this state folder until SIGTERM, SIGINT, a handover, or `idle_exit` seconds without work.

    `mode` is "serve" or "adhoc"; only the first takes over from the second, and runs schedules. Those that no scheduler
    has seen yet begin at `since`, or now. `/metrics` is served at `metrics`, or where config.yaml says. Raises
    SchedulerRunsError if another holds the folder, StoreError if the store cannot be used, ConfigError for a bad
    hosts.yaml or config.yaml, SchedulerError if the port cannot be had.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.ERROR)
    if mode == SERVE:
        take_over(state_dir)
        metrics = metrics or load_settings(config_dir).metrics
        if metrics is not None and not metrics.private:
            log.warning("metrics: everybody who reaches %s can read them; a port alone stays on this machine", metrics)
    wait_for_keeping(state_dir)
    with hold(state_dir, mode), suppress(KeyboardInterrupt):
        asyncio.run(_serve(config_dir, state_dir, mode, idle_exit, since, metrics))


def take_over(state_dir: Path) -> None:
    """Have a scheduler that `run` started in the background leave: what it had saved is found again by the next.

    Returns when it has gone, or has not within HANDOVER seconds: then it is named by who finds the folder held.
    """
    end, asked = time.monotonic() + HANDOVER, False
    while (found := holder(state_dir)) is not None and found.mode == ADHOC and time.monotonic() < end:
        if not asked:
            log.info("taking over from the background scheduler, process %d", found.pid)
            with suppress(NoSchedulerError):  # it may be just coming up, or leaving: asked again then
                Client(state_dir).shutdown(handover=True)
                asked = True
        time.sleep(0.02)


def wait_for_keeping(state_dir: Path) -> None:
    """A command that moves old runs lets go of the folder soon; who finds it held after HANDOVER seconds says so."""
    end, told = time.monotonic() + HANDOVER, False
    while (found := holder(state_dir)) is not None and found.mode == KEEPING and time.monotonic() < end:
        if not told:
            log.info("waiting for a command that moves old runs, process %d", found.pid)
            told = True
        time.sleep(0.02)


async def _serve(
    config_dir: Path,
    state_dir: Path,
    mode: str,
    idle_exit: float | None,
    since: float | None,
    metrics: ListenAt | None,
) -> None:
    hosts, settings = newest_hosts(config_dir), newest_settings(config_dir)
    doors = Doors()

    def transport(host: Host) -> Transport:
        if host.name == LOCAL:
            return LocalTransport()
        return NewestWay(host.name, hosts, doors)

    async with open_store(state_dir) as store:
        live = await store.live()
        meters = Meters(live)
        hub, outputs = CountedHub(time.time(), meters), OutputFiles(state_dir)
        cursors = await store.cursors()
        rounds = ours(cursors)
        due = {key: at for key, at in cursors.items() if key not in rounds}
        schedules = Begin(JobsFolder(config_dir), due, boot_id(), since) if mode == SERVE else None
        rules = KindRules(
            renderer(config_dir), JobDrafts(config_dir, lambda: engine.jobs()), lambda: settings().actions
        )
        engine = Engine(
            TimedStore(store, meters),
            store.instance,
            live,
            await store.last_id(),
            transport=transport,
            hosts=hosts,
            given=Given(
                rules, PastRuns(state_dir), lambda asked: group(hosts(), asked), settings().locks, await store.holds()
            ),
            outputs=outputs,
            publisher=hub,
            mode=mode,
            schedules=schedules,
            telling=await telling(store, rounds, config_dir, state_dir, outputs, settings),
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, engine.ending.set)
        work = asyncio.create_task(engine.work(), name="engine")
        history = History(
            store, state_dir, lambda: load_policies(config_dir, engine.known_jobs(), tuple(engine.live()))
        )
        beside = (
            [asyncio.create_task(task) for task in (history.run(), meters.watch_the_loop())] if mode == SERVE else []
        )
        with Reader(state_dir) as past:
            exposition = Exposition(meters, partial(_standing, engine, mode, time.time()), past.last_successes)
            async with serving(
                engine, past, outputs, hub, state_dir, history=history, exposition=exposition, metrics=metrics
            ):
                log.info("scheduler %s listens in %s", mode, state_dir)
                await _until_the_end(engine, hub, work, idle_exit)
        log.info("ending; programs on hosts go on")
        for task in (*beside, work):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await history.close()


def _standing(engine: Engine, mode: str, began: float) -> Snapshot:
    """What the figures tell of this instant."""
    known, status = engine.known_jobs(), engine.status()
    return Snapshot(
        now=time.time(),
        since=began,
        mode=mode,
        live=status["live"],
        hosts=status["hosts"],
        jobs=[] if known is None else [job.id for job in known.jobs.values() if job.schedules],
        waiting_events=engine.waiting_events,
        store_problem="" if status["store"] == "ok" else status["store"],
    )


def boot_id() -> str:
    """What names this boot of this machine; empty where nothing does: @reboot runs nothing there."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        found = subprocess.run(["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=False)
        return found.stdout.strip()


async def _until_the_end(engine: Engine, hub: Hub, work: asyncio.Task[None], idle_exit: float | None) -> None:
    """Return when the engine is to end; raise what it died of."""
    ending = asyncio.create_task(engine.ending.wait())
    busy = time.monotonic()
    try:
        while not ending.done() and not work.done():
            await asyncio.wait([ending, work], timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            if not engine.idle() or hub.watchers:
                busy = time.monotonic()
            elif idle_exit is not None and time.monotonic() - busy > idle_exit:
                log.info("nothing to do for %g s", idle_exit)
                return
    finally:
        ending.cancel()
    if work.done() and (error := work.exception()) is not None:
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]  # a damaged store has a message of its own
        raise error
