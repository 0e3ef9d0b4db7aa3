"""Whole schedulers whose programs are handed secrets: nothing of them is stored, logged, shown or left anywhere."""

from __future__ import annotations

from pathlib import Path

from sshsched.engine.hosts import MOST_BYTES
from sshsched.remote.link import BULK_BYTES
from tests.e2e.kit import Lab, Shape, lab
from tests.support import wait_until

HUSH = "hush-hush-4711"
JOB = """
host: local
command: |
  printf %s "${{HUSH%%-4711}}"
  until [ -e {go} ]; do sleep 0.05; done
  echo "-4711 and $HUSH"
  echo "$HUSH" >&2
  exit 3
schedule: every 1h
secrets: {{HUSH: hush}}
"""
MASKED = b"*" * len(HUSH)


def begin(made: Lab) -> Path:
    """A job with a secret in a private file; returns what lets its program go on."""
    kept = made.config / "hush"
    kept.touch(0o600)
    kept.write_text(HUSH + "\n")
    (made.config / "config.yaml").write_text(f"secrets: {{hush: {{file: {kept}}}}}\n")
    (made.config / "jobs").mkdir()
    (made.config / "jobs" / "job.yaml").write_text(JOB.format(go=made.folder / "go"))
    return made.folder / "go"


def run(made: Lab) -> Shape:
    assert 0 == made.cli("run", "job").returncode
    return made.reaches("r1", "running")


def holds_secret(made: Lab) -> list[str]:
    """The files of scheduler and host that hold the secret, apart from where it is kept."""
    data = HUSH.encode()
    places = [*made.state.rglob("*"), *made.root.rglob("*"), made.log]
    return [str(path) for path in places if path.is_file() and path.name[:3] != "std" and data in path.read_bytes()]


def test_masked(tmp_path: Path) -> None:
    """A secret reaches the program; what it prints of it is stars, also where it comes in two pieces."""
    with lab(tmp_path) as made:
        go = begin(made)
        run(made.start())
        on_host = list(made.root.glob("*/*/r1-*/stdout"))
        wait_until(lambda: on_host[0].read_bytes() == b"hush-hush")
        early = made.output("r1")
        found = holds_secret(made)
        go.touch()
        ended = made.finished("r1")
        made.settled()

        assert b"" == early
        assert ("failure", 3) == (ended["state"], ended["exit_code"])
        assert MASKED + b" and " + MASKED + b"\n" == made.output("r1")
        assert MASKED + b"\n" == made.output("r1", "stderr")
        assert [] == found
        assert [] == holds_secret(made)
        assert HUSH not in made.cli("show", "r1", "--json").stdout


def test_masked_after_a_kill(tmp_path: Path) -> None:
    """The next scheduler masks too: it looks the secret up again."""
    with lab(tmp_path) as made:
        go = begin(made)
        run(made.start())
        made.kill()
        go.touch()
        made.start()
        made.finished("r1")
        made.settled()

        assert MASKED + b" and " + MASKED + b"\n" == made.output("r1")
        assert [] == holds_secret(made)


def test_masked_over_many_pieces(tmp_path: Path) -> None:
    """Output that is fetched in pieces is masked where they meet, too, and none of it is lost or comes twice."""
    size = 2 * BULK_BYTES + 2 * MOST_BYTES
    with lab(tmp_path) as made:
        begin(made)
        job = f'host: local\ncommand: yes "$HUSH" | head -c {size}\nsecrets: {{HUSH: hush}}\n'
        (made.config / "jobs" / "many.yaml").write_text(job)
        made.start()
        assert 0 == made.cli("run", "many").returncode
        made.finished("r1")
        made.settled()
        got = made.output("r1")

    whole, rest = divmod(size, len(HUSH) + 1)
    assert (MASKED + b"\n") * whole + HUSH[:rest].encode() == got


def test_not_to_be_found(tmp_path: Path) -> None:
    """A run whose secret cannot be found has not started, and says what to do."""
    with lab(tmp_path) as made:
        begin(made)
        (made.config / "hush").chmod(0o644)
        made.start()
        assert 0 == made.cli("run", "job").returncode
        ended = made.finished("r1")

        assert ("error", "not-started") == (ended["state"], ended["reason"])
        assert "chmod 600" in ended["message"]
        assert made.output("r1") == b""


def test_lost_before_the_output_has_come(tmp_path: Path) -> None:
    """Output whose secret cannot be masked is kept back, the outcome is not, and it comes when the secret is back."""
    with lab(tmp_path) as made:
        go = begin(made)
        run(made.start())
        made.kill()
        kept = made.config / "hush"
        kept.rename(made.config / "away")
        go.touch()
        made.start()
        ended = made.finished("r1")
        wait_until(lambda: "its output is kept back" in made.words())
        early = made.output("r1")
        (made.config / "away").rename(kept)
        made.settled(within=30)

        assert "failure" == ended["state"]
        assert b"" == early
        assert MASKED + b" and " + MASKED + b"\n" == made.output("r1")
