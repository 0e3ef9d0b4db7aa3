"""Hosts with narrow doors, and schedulers that share one."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.kit import Lab, lab
from tests.sshd import Sshd, SshdFactory
from tests.support import wait_until


def all_well(made: Lab, names: list[str]) -> None:
    made.settled(within=60)
    runs = [made.run(name) for name in names]

    assert {("success", 0)} == {(run["state"], run["exit_code"]) for run in runs}
    assert sorted(names) == sorted(made.marked())
    assert [f"{name}\n".encode() for name in names] == [made.output(name) for name in names]


def test_two_sessions(tmp_path: Path, make_sshd: SshdFactory) -> None:
    """Where a host allows two sessions, long outputs take turns with everything else."""
    with lab(tmp_path, make_sshd("box", MaxSessions="2")) as made:
        made.start()
        (big,) = made.submit("seq 1 1000000")
        names = made.submit(f"{made.mark()}; echo $SSHSCHED_RUN_ID", count=10)
        made.finished(big)
        all_well(made, names)

        assert b"".join(b"%d\n" % i for i in range(1, 1_000_001)) == made.output(big)


def test_three_channels_at_most(tmp_path: Path, sshd: Sshd) -> None:
    """Fifty runs, long outputs and followers need one connection and three sessions on it."""
    with lab(tmp_path, sshd) as made:
        made.start()
        made.submit("seq 1 500000", count=4)
        names = made.submit(f"{made.mark()}; echo $SSHSCHED_RUN_ID", count=50)
        b"".join(made.client.output(names[-1], follow=True))
        all_well(made, names)
        words = sshd.log.read_text()

        assert 1 == words.count("Connection from")
        assert {"0", "1", "2"} >= set(re.findall(r"Starting session: .* id (\d+)", words))


def test_a_door_for_one_at_a_time(tmp_path: Path, make_sshd: SshdFactory) -> None:
    """A server that lets one stranger in at a time delays two hundred runs on five names of it, and loses none."""
    server = make_sshd("box", MaxStartups="1:100:1")
    hosts = {f"box{number}": server for number in range(5)}
    with lab(tmp_path, hosts=hosts) as made:
        made.start()
        drafts = [
            {"host": host, "program": {"command": f"{made.mark()}; echo $SSHSCHED_RUN_ID"}}
            for host in hosts
            for _ in range(40)
        ]
        names = [run["run"] for run in made.client.submit(drafts)]
        all_well(made, names)


def test_slots(tmp_path: Path, sshd: Sshd) -> None:
    """No more programs run at once than the host has slots, over a restart too, and the others say why they wait."""
    with lab(tmp_path, sshd, more=", slots: 2") as made:
        made.start()
        watch = f"{made.mark('began')}; sleep 0.4; {made.mark('ended')}"
        names = made.submit(watch, count=7)
        waiting = made.run(names[-1])
        most = 0
        for restart in (False, True, False):
            if restart:
                made.kill()
                made.start()
            goal = len(made.marked("ended")) + 2
            while len(made.marked("ended")) < goal:
                ended = len(made.marked("ended"))
                most = max(most, len(made.marked("began")) - ended)
        made.settled()

        assert 2 == most
        assert waiting["message"] in ("waits for a connection to box", "waits for one of 2 slots on box")
        assert sorted(names) == sorted(made.marked("ended"))


def test_two_schedulers_share_a_host(tmp_path: Path, sshd: Sshd) -> None:
    """Schedulers with stores of their own use the same host and spool, and neither notices."""
    with lab(tmp_path / "one", sshd) as one, lab(tmp_path / "two", sshd) as two:
        (two.config / "hosts.yaml").write_text(f'box: {{spool: "{one.root}"}}\n')
        one.start()
        two.start()
        command = "; sleep 0.2; echo $SSHSCHED_RUN_ID"
        ours = one.submit(one.mark() + command, count=10)
        theirs = two.submit(two.mark() + command, count=10)
        one.kill()
        one.start()
        all_well(one, ours)
        all_well(two, theirs)
        two.end()

        assert ours == theirs


def test_a_second_scheduler(box: Lab) -> None:
    """A second scheduler on the same store is refused, and told who has it."""
    refused = box.cli("serve")

    assert box.process
    assert 125 == refused.returncode
    assert f"pid {box.process.pid}, mode serve" in refused.stderr
    assert 1 == len(refused.stderr.strip().splitlines())


def test_serve_takes_over(tmp_path: Path, sshd: Sshd) -> None:
    """`serve` takes over from the scheduler that `run` had started in the background, and no run is lost."""
    with lab(tmp_path, sshd) as made:
        begun = made.cli("run", "-H", "box", "--", f"{made.mark()}; sleep 2; echo whole")
        wait_until(made.marked)
        before = made.client.status()
        follower = iter(made.client.output("r1", follow=True))
        made.start()
        after = made.client.status()
        run = made.finished("r1")
        made.settled()

        assert 0 == begun.returncode
        assert ("adhoc", "serve") == (before["mode"], after["mode"])
        assert made.process
        assert made.process.pid == after["pid"]
        assert ("success", b"whole\n", ["r1"]) == (run["state"], b"".join(follower), made.marked())


def test_a_background_scheduler_leaves_when_idle(tmp_path: Path, sshd: Sshd) -> None:
    """A background scheduler stays while anything is left to do, then goes, in order."""
    with lab(tmp_path, sshd) as made:
        made.start("--adhoc", "--idle-exit", "1s")
        (name,) = made.submit(f"{made.mark()}; sleep 2.5; exit 2")
        process = made.process
        assert process
        run = made.finished(name)
        wait_until(lambda: process.poll() is not None, within=10)
        code = made.gone()

        assert (0, 2, [name]) == (code, run["exit_code"], made.marked())
        assert not (made.state / "socket").exists()


def test_a_host_is_mended_while_the_scheduler_runs(tmp_path: Path, sshd: Sshd) -> None:
    """A wrong entry of hosts.yaml is mended by writing the right one: nothing has to be restarted."""
    with lab(tmp_path, sshd) as made:
        place = made.config / "hosts.yaml"
        right = place.read_text()
        place.write_text(right.replace("box: {", "box: {port: 1, slots: 1, "))
        made.start()
        first, second = made.submit(f"{made.mark()}; sleep 0.3", count=2)
        made.once(first, lambda run: "refused" in run["message"])
        place.write_text(right)
        made.finished(first)
        made.finished(second)
        slots = next(host["slots"] for host in made.client.hosts() if host["host"] == "box")

        assert [first, second] == sorted(made.marked())
        assert slots is None


def test_a_spool_is_moved_under_a_live_run(tmp_path: Path, sshd: Sshd) -> None:
    """A run is found where its spool is, whatever hosts.yaml says by then; only when none is left do spools move."""
    with lab(tmp_path, sshd) as made:
        go = made.folder / "go"
        made.start()
        (old,) = made.submit(f"{made.mark()}; until [ -e '{go}' ]; do sleep 0.05; done; exit 7")
        made.reaches(old, "running")
        made.kill()
        place = made.config / "hosts.yaml"
        place.write_text(place.read_text().replace(str(made.root), str(made.root / "moved")))
        made.start()
        go.touch()
        ended = made.finished(old)
        made.settled()
        made.kill()
        made.start()
        (new,) = made.submit("true")
        made.finished(new)

        assert (("failure", 7), [old]) == ((ended["state"], ended["exit_code"]), made.marked())
        assert str(made.root / "moved") not in made.run(old)["spool"]
        assert made.run(new)["spool"].startswith(str(made.root / "moved"))
