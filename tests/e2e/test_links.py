"""Links that break, stall and come back: no start doubled, no outcome and no byte lost, and exact words meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.cable import Cable, cable
from tests.e2e.kit import Lab, Wire, lab
from tests.sshd import Sshd
from tests.support import wait_until
from tests.tcp_proxy import TO_CLIENT, TO_SERVER

BACK_WITHIN = 10.0


def counts(made: Lab, seconds: float = 3.0) -> str:
    """A command that writes a line every 10 ms for so long, then ends with 7."""
    lines = int(seconds * 100)
    return f"{made.mark()}; i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo $i; sleep 0.01; done; exit 7"


def numbers(seconds: float = 3.0) -> bytes:
    return b"".join(b"%d\n" % i for i in range(1, int(seconds * 100) + 1))


def ended_well(made: Lab, name: str, seconds: float = 3.0) -> None:
    made.settled()
    run = made.run(name)

    assert ("failure", 7) == (run["state"], run["exit_code"])
    assert numbers(seconds) == made.output(name)
    assert [name] == made.marked()
    assert run["unreachable_since"] is None


def test_a_cut_connection(wired: Lab, wire: Wire) -> None:
    """A connection cut in the middle of a program costs neither outcome nor output."""
    (name,) = wired.submit(counts(wired))
    wired.reaches(name, "running")
    for count in range(2, 5):
        wire.cut()
        _accepts(wire, count)
    ended_well(wired, name)


def test_a_short_stall(wired: Lab, wire: Wire) -> None:
    """A silence shorter than the keepalive is nobody's business: the same connection goes on."""
    (name,) = wired.submit(counts(wired, 2))
    wired.reaches(name, "running")
    wire.stall()
    wait_until(lambda: len(numbers(2)) == _written(wired), within=10)
    wire.resume()
    ended_well(wired, name, 2)

    assert 1 == wire.accepted
    assert "unreachable" not in str(wired.client.run(name)["log"])


def test_a_long_silence(wired: Lab, wire: Wire) -> None:
    """A link that is silent for longer than the keepalive is given up, said to be away since then, and made anew.

    What the old one still held arrives when everything is over, and no claim is left: it starts nothing.
    """
    (name,) = wired.submit(counts(wired, 2))
    wired.reaches(name, "running")
    wire.forget()
    silent = time.time()
    late = wired.submit(wired.mark("late"), count=5)
    away = wired.once(name, lambda run: run["unreachable_since"], within=25)
    ended_well(wired, name, 2)
    wire.revive()
    wait_until(lambda: wire.lines == 1)
    wait_until(lambda: not wired.spools())

    assert "running" == away["state"]
    assert 0 < datetime.fromisoformat(away["unreachable_since"]).timestamp() - silent < 15
    assert 2 == wire.accepted
    assert late == sorted(wired.marked("late"))


LOST = {"all packets": (Cable.pull_out, Cable.plug_in), "answers": (Cable.mute, Cable.unmute)}


@pytest.mark.parametrize("lost", LOST)
def test_packets_are_lost(tmp_path: Path, lost: str) -> None:
    """For less than the keepalive, the connection goes on; for longer, the outcome is here soon after the return."""
    down, up = LOST[lost]
    with cable() as wire, lab(tmp_path, server := Sshd(tmp_path / "far", cable=wire)) as made:
        server.start()
        try:
            made.start()
            (name,) = made.submit(counts(made, 4))
            made.reaches(name, "running")
            down(wire)
            wait_until(_passed(2))
            up(wire)
            (short,) = made.submit("echo short")
            made.finished(short, within=BACK_WITHIN)
            links = server.log.read_text().count("Connection from")
            down(wire)
            (late,) = made.submit(made.mark("late"))  # sent into the void, or heard without an answer
            away = made.once(name, lambda run: run["unreachable_since"], within=25)
            wait_until(_passed(6), within=10)  # attempts to connect go on meanwhile
            meanwhile = made.run(name)
            up(wire)
            back = time.monotonic()
            for each in (name, late):
                made.finished(each, within=BACK_WITHIN)
            took = time.monotonic() - back
            ended_well(made, name, 4)
        finally:
            server.remove()

    assert 1 == links
    assert ("running", away["unreachable_since"]) == (meanwhile["state"], meanwhile["unreachable_since"])
    assert BACK_WITHIN > took
    assert [late] == made.marked("late")


def test_sshd_is_away(tmp_path: Path, sshd: Sshd) -> None:
    """While sshd is away a run is unreachable since then and no failure; its outcome is here soon after the return."""
    with lab(tmp_path, sshd) as made:
        made.start()
        (name,) = made.submit(counts(made, 2))
        made.reaches(name, "running")
        sshd.stop()
        run = made.once(name, lambda run: run["unreachable_since"])
        (waits,) = made.submit(made.mark("second"))
        host = next(host for host in made.client.hosts() if host["host"] == "box")
        wait_until(lambda: len(numbers(2)) == _written(made), within=10)
        wait_until(lambda: "refused" in made.run(waits)["message"])
        wait_until(_passed(15), within=20)
        sshd.start()
        back = time.monotonic()
        made.finished(name, within=BACK_WITHIN)
        made.finished(waits, within=BACK_WITHIN)
        took = time.monotonic() - back
        ended_well(made, name, 2)

        assert ("running", "unreachable") == (run["state"], host["state"])
        assert BACK_WITHIN > took
        assert [waits] == made.marked("second")


def test_sshd_is_restarted(tmp_path: Path, sshd: Sshd) -> None:
    """A restart of sshd that ends all sessions ends no program."""
    with lab(tmp_path, sshd) as made:
        made.start()
        (name,) = made.submit(counts(made, 1.5))
        made.reaches(name, "running")
        sshd.stop()
        sshd.start()
        ended_well(made, name, 1.5)


@pytest.mark.parametrize("direction", [TO_SERVER, TO_CLIENT])
@pytest.mark.parametrize("seed", range(3))
def test_cut_while_many_start(wired: Lab, wire: Wire, direction: str, seed: int) -> None:
    """A connection cut at any byte while fifty runs start, and answers that are lost, double no start."""
    _many(wired, wire, direction, seed, 50)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("direction", [TO_SERVER, TO_CLIENT])
def test_cut_while_many_start_again_and_again(wired: Lab, wire: Wire, direction: str) -> None:
    """The same, at many more bytes."""
    for seed in range(100, 140):
        (wired.marks / "mark").unlink(missing_ok=True)
        _many(wired, wire, direction, seed, 50)


def _many(made: Lab, wire: Wire, direction: str, seed: int, count: int) -> None:
    chance = random.Random(f"{seed} {direction}")
    made.finished(made.submit("true")[0])
    for place in sorted(chance.randrange(20_000 if direction == TO_SERVER else 4_000) for _ in range(2)):
        wire.cut_after(place, direction)
    before = wire.accepted
    names = made.submit(f"{made.mark()}; echo $SSHSCHED_RUN_ID", count=count)
    made.settled(within=40)
    runs = [made.run(name) for name in names]

    assert wire.accepted > before, "nothing was cut"
    assert {("success", 0)} == {(run["state"], run["exit_code"]) for run in runs}
    assert sorted(names) == sorted(made.marked())
    assert [f"{name}\n".encode() for name in names] == [made.output(name) for name in names]


def test_a_stop_while_the_link_is_down(wired: Lab, wire: Wire) -> None:
    """A stop that is asked for while the host is away is kept, and carried out once when it is back."""
    told = f"trap '{wired.mark('signals')}' TERM; {wired.mark('ready')}"
    (name,) = wired.submit(f"{told}; until [ -s {wired.marks}/signals ]; do sleep 0.05; done; sleep 1; exit 4")
    wait_until(lambda: wired.marked("ready"))
    wire.stall()
    wire.cut()
    wait_until(lambda: wired.run(name)["unreachable_since"])
    wired.client.stop([name], grace=20, by="e2e")
    meanwhile = wired.run(name)
    wire.resume()
    run = wired.finished(name, within=30)
    wired.settled()

    assert "stopping" == meanwhile["state"]
    assert ("failure", "stopped", 4) == (run["state"], run["reason"], run["exit_code"])
    assert [name] == wired.marked("signals")


def test_start_within_passes(tmp_path: Path, sshd: Sshd) -> None:
    """A run whose host stays away for longer than start_within never starts, and the command says so with 255."""
    with lab(tmp_path, sshd) as made:
        sshd.stop()
        made.start()
        command = ("run", "-H", "box", "--start-within", "2s", "--wait", "--", made.mark())
        asked = time.monotonic()
        result = made.cli(*command)
        took = time.monotonic() - asked
        sshd.start()
        made.finished(made.submit("true")[0])
        (run, _) = made.stored()

        assert (255, ("error", "not-started")) == (result.returncode, (run["state"], run["reason"]))
        assert "not started within 2 s" in run["message"]
        assert "refused" in run["message"]
        assert 6 > took
        assert [] == made.marked()


def test_an_unknown_host_key(tmp_path: Path, sshd: Sshd) -> None:
    """A host whose key nobody has vouched for ends a run at once, and the message says what to do."""
    with lab(tmp_path, sshd) as made:
        known = sshd.known_hosts.read_text()
        sshd.known_hosts.write_text("")
        made.start()
        result = made.cli("run", "-H", "box", "--wait", "--", made.mark())
        sshd.known_hosts.write_text(known)
        again = made.cli("run", "-H", "box", "--wait", "--", "true")

        assert (255, 0) == (result.returncode, again.returncode)
        assert "sshsched hosts trust box" in result.stderr
        assert [] == made.marked()


def _accepts(wire: Wire, count: int) -> None:
    wait_until(lambda: wire.accepted >= count)


def _written(made: Lab) -> int:
    return sum(path.stat().st_size for path in made.root.glob("*/*/r1-*/stdout"))


def _passed(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end
