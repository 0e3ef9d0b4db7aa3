"""Email over real SMTP servers: those that work, and those that do not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

import pytest
import trustme

from sshsched.engine import mail, notices
from tests.engine.telling import FAILED, T0, Bench, notice
from tests.receivers import Silent, Smtpd
from tests.support import until

ME = {"email": ["me@example.com"]}


def text_of(letter: Message) -> str:
    data = letter.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode().replace("\r\n", "\n")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.with_run()
    async with made.working():
        yield made


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server needs in order to be believed that it is `localhost`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def test_delivered(bench: Bench) -> None:
    """A failure comes by email, and says job, run, host, outcome, the last lines of output, and how to look closer."""
    bench.prints.streams = {
        "stdout": b"".join(b"line %d\n" % n for n in range(50)),
        "stderr": b"\x1b[31mno space\x1b[0m\a\n",
    }
    async with Smtpd().serving() as server:
        bench.mail(server.port)
        await bench.tell(notice(**ME))
        await until(lambda: bench.told()["r7-failure-0"].done_at)
    (letter,) = server.received
    text = text_of(letter)

    assert "backup on nas failed: exit code 3 (r7)" == letter["Subject"]
    assert "me@example.com" == letter["To"]
    assert "sched@example.com" == letter["From"]
    assert "<r7-failure-0.0123456789ab@sshsched.invalid>" == letter["Message-ID"]
    assert "arg       date=2027-01-15" in text
    assert "    line 30\n" in text
    assert "    line 29\n" not in text
    assert "    no space\\x07\n" in text
    assert "sshsched output r7" in text
    assert [] == bench.store.log(7)


async def test_words_of_ones_own(bench: Bench) -> None:
    """Subject and text may be templates over the run and its args."""
    async with Smtpd().serving() as server:
        bench.mail(server.port)
        words = {"subject": "{{ job }}, {{ date }}:\n{{ state }} ☃", "body": "look at {{ run }}\n{{ usual_subject }}"}
        await bench.tell(notice(**ME, **words))
        await until(lambda: server.received)
    (letter,) = server.received

    assert "backup, 2027-01-15: failure ☃" == str(make_header(decode_header(letter["Subject"])))
    assert "look at r7\nbackup on nas failed: exit code 3 (r7)" == text_of(letter).strip()


async def test_a_bad_template_costs_only_its_own_words(bench: Bench) -> None:
    """Where a template fails the usual words go out, and say so."""
    async with Smtpd().serving() as server:
        bench.mail(server.port)
        await bench.tell(notice(**ME, subject="{{ nowhere }}"))
        await until(lambda: server.received)
    (letter,) = server.received

    assert "backup on nas failed: exit code 3 (r7)" == letter["Subject"]
    assert "'nowhere' is undefined" in text_of(letter)


@pytest.mark.parametrize("starttls", [True, False])
async def test_tls_and_login(bench: Bench, certified: ssl.SSLContext, starttls: bool) -> None:
    """Over TLS from the start or after STARTTLS, with a login whose password is a secret."""
    bench.safe.values = {"mail": "pa ss"}
    async with Smtpd(certified, starttls=starttls, login=("me", "pa ss")).serving() as server:
        bench.mail(server.port, security="starttls" if starttls else "ssl", user="me", password="mail")
        await bench.tell(notice(**ME))
        await until(lambda: bench.told()["r7-failure-0"].done_at)

    assert ["me"] == server.logins
    assert 1 == len(server.received)


async def test_an_unknown_certificate(bench: Bench, certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot prove its name is told nothing."""
    monkeypatch.delenv("SSL_CERT_FILE")
    async with Smtpd(certified).serving() as server:
        bench.mail(server.port, security="ssl")
        await bench.tell(notice(**ME))
        await until(lambda: bench.told()["r7-failure-0"].tries)

    assert "certificate" in bench.told()["r7-failure-0"].problem.lower()
    assert [] == server.received


async def test_nobody_listens(bench: Bench) -> None:
    """A server that refuses the connection is tried again with growing pauses, and the run's log says so once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bench.mail(port)
    await bench.tell(notice(**ME))
    pauses = []
    for tries in range(1, 4):
        await until(lambda tries=tries: bench.told()["r7-failure-0"].tries == tries)
        now = bench.told()["r7-failure-0"]
        pauses.append(now.next_at - bench.clock.now)
        bench.clock.now = now.next_at
    (entry,) = bench.store.log(7)

    assert [10, 20, 40] == pauses
    assert "notify email me@example.com (failure): Error connecting to localhost" in entry.message
    assert "3 days" in entry.message


async def test_it_comes_back(bench: Bench) -> None:
    """What could not be delivered is delivered when the server is back, under the same id, and the log says so."""
    server = Smtpd(answers=["451 later", "451 later"])
    async with server.serving():
        bench.mail(server.port)
        await bench.tell(notice(**ME))
        for tries in (1, 2):
            await until(lambda tries=tries: bench.told()["r7-failure-0"].tries == tries)
            bench.clock.now = bench.told()["r7-failure-0"].next_at
        await until(lambda: bench.told()["r7-failure-0"].done_at)

    assert 1 == len({letter["Message-ID"] for letter in server.received})
    assert 1 == len({letter["Date"] for letter in server.received})
    assert ["451 later", "told at last"] == [
        next(word for word in ("451 later", "told at last") if word in entry.message) for entry in bench.store.log(7)
    ]


@pytest.mark.parametrize(("where", "answer"), [("recipient", "550 no such user"), ("message", "554 spam")])
async def test_refused_for_good(bench: Bench, where: str, answer: str) -> None:
    """What a mail server refuses for good is given up at once, and that is said."""
    server = Smtpd(refuses={"me@example.com": answer} if where == "recipient" else {}, answers=[answer])
    async with server.serving():
        bench.mail(server.port)
        await bench.tell(notice(**ME))
        await until(lambda: bench.told()["r7-failure-0"].done_at)
    found = bench.told()["r7-failure-0"]

    assert answer in found.problem
    assert "given up" in bench.store.log(7)[-1].message


async def test_a_wrong_password_may_be_mended(bench: Bench, certified: ssl.SSLContext) -> None:
    """A login that fails is no refusal for good: config.yaml may be mended."""
    bench.safe.values = {"mail": "wrong"}
    async with Smtpd(certified, login=("me", "right")).serving() as server:
        bench.mail(server.port, security="ssl", user="me", password="mail")
        await bench.tell(notice(**ME))
        await until(lambda: bench.told()["r7-failure-0"].tries)
        bench.safe.values = {"mail": "right"}
        bench.clock.now = bench.told()["r7-failure-0"].next_at
        await until(lambda: bench.told()["r7-failure-0"].done_at)

    assert "" == bench.told()["r7-failure-0"].problem
    assert 1 == len(server.received)


async def test_too_old(bench: Bench) -> None:
    """After three days a notice is no news any more: it is given up, and that is said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bench.mail(port)
    bench.clock.now = T0 + notices.GIVE_UP + 21
    await bench.tell(notice(**ME))
    await until(lambda: bench.told()["r7-failure-0"].done_at)

    assert "given up after 1 attempts" in bench.store.log(7)[-1].message


@pytest.mark.parametrize("says", [b"", b"220 mail.test ESMTP\r\n", b"220 mail.test"])
async def test_a_server_that_hangs(bench: Bench, monkeypatch: pytest.MonkeyPatch, says: bytes) -> None:
    """A server that hangs costs its own notices their time limit, and others nothing."""
    monkeypatch.setattr(mail, "TIMEOUT", 0.5)
    async with AsyncExitStack() as stack:
        hanging = await stack.enter_async_context(Silent(says).serving())
        bench.mail(hanging.port)
        many = [notice(f"r7-failure-{n}", **ME) for n in range(notices.MOST_ON_A_ROUTE * 3)]
        await bench.tell(*many, notice("other", "exec", command="true"))
        await until(lambda: bench.told()["other"].done_at)
        pending = [each for each in bench.told().values() if not each.tries]
        await until(lambda: bench.told()["r7-failure-0"].problem)

    assert notices.MOST_ON_A_ROUTE < len(pending)
    assert hanging.accepted <= 3 * notices.MOST_ON_A_ROUTE


async def test_accepted_and_died(bench: Bench) -> None:
    """A server that takes a message and dies before it says so gets it a second time, with the same Message-ID."""
    async with Smtpd(dies=1).serving() as server:
        bench.mail(server.port)
        await bench.tell(notice(**ME))
        await until(lambda: bench.told()["r7-failure-0"].tries == 1)
        bench.clock.now = bench.told()["r7-failure-0"].next_at
        await until(lambda: bench.told()["r7-failure-0"].done_at)

    assert 2 == len(server.received)
    assert 1 == len({letter["Message-ID"] for letter in server.received})


async def test_no_server_is_named(bench: Bench) -> None:
    """Without a server in config.yaml the remedy is said, and the notice waits for it."""
    await bench.tell(notice(**ME))
    await until(lambda: bench.told()["r7-failure-0"].tries)

    assert "add smtp:" in bench.told()["r7-failure-0"].problem
    assert bench.told()["r7-failure-0"].done_at is None


async def test_nothing_waits_for_output_for_ever(bench: Bench) -> None:
    """The last lines are waited for while a run's output is on its way, and are in the letter then."""
    bench.live[7] = replace(FAILED, cleaned=False, output=replace(FAILED.output, complete=False))
    async with Smtpd().serving() as server:
        bench.mail(server.port)
        await bench.tell(notice(**ME))
        await asyncio.sleep(0)
        bench.prints.streams = {"stdout": b"the end\n"}
        bench.live[7] = FAILED
        await until(lambda: server.received)

    assert "    the end" in text_of(server.received[0])
