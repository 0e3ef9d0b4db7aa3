"""What actions of a run come to: runs and notices, with ids that tell a repeated one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from sshsched.config.templates import render
from sshsched.domain.draft import Draft
from sshsched.domain.instructions import Make, Notice, SaveNotice
from sshsched.domain.plan import Deed
from sshsched.domain.program import Program
from sshsched.domain.view import View
from sshsched.kinds.actions.base import Action, Means
from sshsched.kinds.actions.facts import facts_of, values_of, what
from sshsched.kinds.actions.follow import follow
from sshsched.kinds.actions.told import LONGEST_SUBJECT, harmless, one_line, subject_of
from sshsched.kinds.drafts import draft_of
from sshsched.kinds.jobs import Job, Param
from sshsched.kinds.rules import KindRules, action
from tests.engine.telling import FAILED, T0

PUBLISH = Job("publish", "web", Program("publish {{ date }} {{ what }}"), params=(Param("date"), Param("what", "all")))


def draft(job_id: str, args: Any, spare: Any, by: str) -> Draft:
    if job_id != "publish":
        raise ValueError(f"no job is called '{job_id}'")
    return draft_of(PUBLISH, args, spare, by, render)


class Broken(Action, frozen=True):
    """One with a mistake."""

    text: Annotated[str, Meta(description="anything")] = ""

    def runs(self, run: Any, occasion: str, view: View, at: float) -> Any:
        raise RuntimeError("a mistake")

    async def deliver(self, notice: Notice, means: Means) -> None: ...


def view() -> View:
    """A view of nothing but the kinds."""
    empty: Any = {}
    given = dict.fromkeys((field for field in View.__dataclass_fields__), empty)
    return View(**{**given, "rules": KindRules(render, draft)})


def followed(*deeds: Deed, occasion: str = "failure") -> list[Make | SaveNotice]:
    return list(follow(action, deeds, FAILED, occasion, view(), T0))


def test_only_on_its_occasions() -> None:
    """An action follows the occasions that it names, and no other."""
    deed = Deed("notify", {"email": "me@example.com"}, ("error", "late"))

    assert 0 == len(followed(deed))
    assert 1 == len(followed(deed, occasion="late"))


def test_one_notice_for_each_recipient() -> None:
    """Each recipient is a notice of its own, with an id of its own."""
    options = {"email": ["a@example.com", "b@example.com"], "webhook": "http://x/", "apprise": ["ntfy://y", "json://z"]}
    notices = [step.notice for step in followed(Deed("notify", options, ("failure",))) if isinstance(step, SaveNotice)]

    assert ["email0", "email1", "webhook", "apprise0", "apprise1"] == [each.id.rpartition("-")[2] for each in notices]
    assert ["smtp", "smtp", "http//x", "ntfy//y", "json//z"] == [action(each.deed).route for each in notices]
    assert {(7, "backup", T0)} == {(each.run_id, each.job_id, each.next_at) for each in notices}


def test_ids_are_stable() -> None:
    """The same occasion at the same instant gives the same id; the id holds what tells runs and schedulers apart."""
    deed = Deed("exec", {"command": "true"}, ("failure",))
    (first,), (second,) = followed(deed), followed(deed)
    assert isinstance(first, SaveNotice)

    assert first == second
    assert f"r7-5be1f00d-failure-0-{round(T0 * 1000)}" == first.notice.id


def test_what_is_confidential_is_not_told() -> None:
    """Neither the environment nor the standard input of a program is told to anybody."""
    program = Program("true", env={"TOKEN": "x"}, stdin="y")

    assert {"command", "accept", "stop"} == set(facts_of(replace(FAILED, program=program))["program"])


def test_schedule() -> None:
    """A run of another job follows: its args are templates, and those that are missing are the run's own, by name."""
    (made,) = followed(Deed("schedule", {"job": "publish", "args": {"what": "{{ job }} {{ state }}"}}, ("failure",)))
    assert isinstance(made, Make)

    assert {"date": "2027-01-15", "what": "backup failure"} == made.draft.args
    assert ("publish 2027-01-15 backup failure", "r7", 7) == (made.draft.program.command, made.draft.by, made.follows)


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (Deed("schedule", {"job": "nowhere"}, ("failure",)), "no job is called 'nowhere'"),
        (Deed("schedule", {"job": "publish", "args": {"x": "y"}}, ("failure",)), "unknown arg 'x'"),
        (Deed("schedule", {"job": "{{ nothing }}"}, ("failure",)), "'nothing' is undefined"),
        (Deed("gone.Kind", {}, ("failure",)), "gone"),
        (Deed("notify", {"mail": "x"}, ("failure",)), "did you mean 'email'?"),
        (Deed("tests.kinds.actions.test_follow.Broken", {}, ("failure",)), "a mistake"),
    ],
)
def test_a_mistake_costs_that_action_only(deed: Deed, words: str) -> None:
    """What is wrong with an action is a notice that is given up, with a note on the run; the others follow."""
    bad, good = followed(deed, Deed("exec", {"command": "true"}, ("failure",)))
    assert isinstance(bad, SaveNotice)
    assert isinstance(good, SaveNotice)

    assert words in bad.notice.problem
    assert bad.notice.problem == bad.note
    assert T0 == bad.notice.done_at
    assert good.notice.done_at is None


@pytest.mark.parametrize(
    ("occasion", "subject"),
    [
        ("success", "backup on nas succeeded (r7)"),
        ("late", "backup on nas has not started in time: exit code 3 (r7)"),
        ("long", "backup on nas is still running: exit code 3 (r7)"),
        ("retry", "backup on nas did not succeed, and is tried again: exit code 3 (r7)"),
        ("held", "backup on nas waits for your decision (r7)"),
        ("running", "backup on nas is running: exit code 3 (r7)"),
    ],
)
def test_subjects(occasion: str, subject: str) -> None:
    """The subject alone says job, run, host and what has happened."""
    assert subject == subject_of(Notice("n", Deed("notify"), occasion, facts_of(FAILED), T0, 7))


@given(st.text())
def test_a_subject_is_one_line(text: str) -> None:
    """Whatever a job or a host is called, it brings no header of its own into a message."""
    made = one_line(text)

    assert LONGEST_SUBJECT >= len(made)
    assert 1 >= len(made.splitlines())
    made.encode()


@given(st.binary(max_size=40))
def test_output_is_harmless(data: bytes) -> None:
    """What a program prints cannot act on whoever reads the letter."""
    made = harmless(data.decode(errors="backslashreplace"))

    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(made)


def test_args_do_not_hide_the_run() -> None:
    """A template may use args by name, but `run` is always the run."""
    values = values_of(facts_of(replace(FAILED, args={"run": "x", "date": "d"})), "failure")

    assert ("r7", "d", "", "failure") == (values["run"], values["date"], values["exit_code"], values["occasion"])


def test_what() -> None:
    """A log says in a few words what was to be done."""
    (step,) = followed(Deed("notify", {"email": "a@b"}, ("failure",)))
    assert isinstance(step, SaveNotice)

    assert "notify email a@b (failure)" == what(step.notice)
