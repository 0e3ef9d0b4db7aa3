"""What jobs ask of each other, and of hosts.yaml and config.yaml: what no file alone can be wrong about.

Rule: each thing is said once, at the line that asks for it. A job that may be in a file that cannot be read is never
called missing, and what is a template until a run is made is looked at only in a run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from sshsched.config.circles import Circles
from sshsched.config.hosts import Hosts
from sshsched.config.kinded import is_open
from sshsched.config.settings import Settings
from sshsched.config.templates import is_template
from sshsched.domain.nearest import nearest, unknown
from sshsched.domain.plan import NO_PLAN, Plan
from sshsched.errors import Problem
from sshsched.kinds.jobs import Bound, Job, Render
from sshsched.kinds.targets import depends, follows, is_alternative

Args = Mapping[str, str]


class Links:
    """Looks at runs as they would be made next. `hosts` of None are those of a file that has problems.

    `unread` names the files of jobs that have problems, `aliases` the hosts of ssh_config.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        hosts: Hosts | None,
        settings: Settings,
        unread: Collection[str],
        render: Render,
        aliases: Collection[str] = (),
    ) -> None:
        self._jobs = jobs
        self._hosts = hosts
        self._aliases = aliases
        self._settings = settings
        self._hidden = {_base(file) for file in unread}
        self._render = render
        self._circles = Circles(jobs, render)
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}
        self._unsent = False
        self._meant: dict[str, str | None] = {}

    def look(self, job: Job, bound: Bound | None, at: float) -> None:
        """At one run of a job that is due at an instant; None is any run of it, of which no args are known."""
        if job.plan is NO_PLAN and not is_template(job.host):
            self._place(job, job.host, "host")  # most jobs ask for nothing else
            return
        plan, host, args = (job.plan, job.host, {}) if bound is None else (bound.plan, bound.host, bound.args)
        if bound is None:
            plan = _closed(plan)
        self._plan(job, plan, host, args)
        if plan.conditions:
            self._circles.add(job, args, plan, at)
        for step in plan.flow.steps if plan.flow else ():
            self._plan(job, _closed(step.plan or NO_PLAN), step.host, {}, f"steps.{step.name.partition('[')[0]}")

    def _plan(self, job: Job, plan: Plan, host: str, args: Args, step: str = "") -> None:
        """The plan of a job, or of one of its steps: then that is the place of all that is wrong with it."""
        self._place(job, host, step or "host")
        self._locks(job, plan, step or ("locks" if "locks" in job.places else "concurrency"))
        self._secrets(job, plan, step or "secrets")
        self._actions(job, plan, args, step)
        self._dependencies(job, plan, args, step)

    def problems(self) -> list[Problem]:
        """What is wrong for certain."""
        for circle in self._circles.found():
            first, *others = (self._jobs[name] for name in circle)
            there = ", ".join(f"{job.id} in {job.file}:{_line(job)}" for job in others)
            told = f"waits for itself in a circle: {' -> '.join([*circle, first.id])} ({there})"
            self._note(self._problems, first, _line(first), told)
        return list(self._problems)

    def warnings(self) -> list[Problem]:
        """What keeps a run waiting, but may be there tomorrow."""
        return list(self._warnings)

    # Beside other files ---------------------------------------------------------------------------------------------

    def _place(self, job: Job, asked: str, where: str) -> None:
        if self._hosts is None or is_template(asked):
            return
        if asked.startswith("@") and asked[1:] not in self._hosts.groups:
            there = _unknown(asked[1:], self._hosts.groups)
            self._warn(job, where, f"no such group: {there}; see `groups:` in hosts.yaml")
        if asked.startswith("tags:"):
            wanted = set(asked.removeprefix("tags:").split(","))
            if not any(wanted <= set(host.tags) for host in self._hosts.values()):
                self._warn(job, where, f"no host of hosts.yaml has all of the tags {', '.join(sorted(wanted))}")
        elif near := self._misspelt(asked):
            told = f"the host '{asked}' is neither in hosts.yaml nor in ssh_config; did you mean '{near}'?"
            self._warn(job, where, told)

    def _misspelt(self, asked: str) -> str | None:
        if asked not in self._meant:
            self._meant[asked] = misspelt(asked, {*(self._hosts or ()), *self._aliases})
        return self._meant[asked]

    def _locks(self, job: Job, plan: Plan, where: str) -> None:
        for name, count in plan.locks.items():
            there = self._settings.locks.get(name, 1)
            if count > there and not is_template(name):
                told = f"asks for {count} of the lock '{name}', of which there is {there}, so it can never start"
                self._warn(job, where, f"{told}; see `locks:` in config.yaml")

    def _secrets(self, job: Job, plan: Plan, where: str) -> None:
        for name in plan.secrets.values():
            if name not in self._settings.secrets:
                told = _unknown(name, self._settings.secrets)
                self._warn(job, where, f"no such secret: {told}; say under `secrets:` in config.yaml where it is")

    # Beside other jobs ------------------------------------------------------------------------------------------------

    def _actions(self, job: Job, plan: Plan, own: Args, step: str) -> None:
        for index, deed in enumerate(plan.actions):
            if deed.kind == "notify" and deed.options.get("email") and self._settings.smtp is None and not self._unsent:
                self._unsent = True  # once for all jobs: there is one line to be added
                told = "tells by email, and config.yaml names no server for it; add smtp: {host: ..., from: ...}"
                self._warn(job, step or f"action[{index}]", told)
            for name, args in follows(deed):
                target = self._filled(name, job, own)
                if not is_template(target):
                    self._target(job, step or f"action[{index}]", target, args)

    def _filled(self, text: str, job: Job, own: Args) -> str:
        """As far as that follows from the args alone; what a run tells is not known yet."""
        try:
            return self._render(text, {"job_id": job.id, **own})
        except ValueError:
            return text

    def _dependencies(self, job: Job, plan: Plan, own: Args, step: str) -> None:
        for rule in plan.conditions:
            where = step or _where(job, rule.kind, rule.options)
            for name, args in depends(rule, own):
                same = all(own.get(arg) == value for arg, value in args.items())
                if name == job.id and same and not step and not is_alternative(rule):
                    self._wrong(job, where, "waits for itself; name another job, or other args")
                else:
                    self._target(job, where, name, args)

    def _target(self, job: Job, where: str, name: str, args: Args) -> None:
        other = self._jobs.get(name)
        if other is None:
            if not self._may_be_hidden(name):
                self._wrong(job, where, f"no such job: {_unknown(name, self._jobs)}")
            return
        params = {param.name: param for param in other.params}
        for arg, value in args.items():
            if arg not in params:
                takes = f"it takes {', '.join(params)}" if params else "it takes no args"
                self._wrong(job, where, f"the job '{name}' has no param '{arg}'; {takes}")
            elif (choices := params[arg].choices) and value not in choices and not is_template(value):
                self._wrong(job, where, f"{arg} of the job '{name}' is one of {', '.join(choices)}, not {value!r}")

    def _may_be_hidden(self, name: str) -> bool:
        words = name.split("/")
        return any("/".join(words[:length]) in self._hidden for length in range(len(words) + 1))

    # Notes --------------------------------------------------------------------------------------------------------

    def _wrong(self, job: Job, where: str, message: str) -> None:
        self._note(self._problems, job, job.places.get(where, job.line), message)

    def _warn(self, job: Job, where: str, message: str) -> None:
        self._note(self._warnings, job, job.places.get(where, job.line), message)

    def _note(self, notes: dict[Problem, None], job: Job, line: int, message: str) -> None:
        notes[Problem(job.file, line, 1, "", f"job '{job.id}': {message}")] = None


def _closed(plan: Plan) -> Plan:
    """Without what nobody knows before a run is made."""
    closed = (rule for rule in plan.conditions if "enabled" not in rule.options and not is_open(dict(rule.options)))
    return replace(plan, conditions=tuple(closed))


def _unknown(name: str, known: Collection[str]) -> str:
    """With all that is known, where that is not too much to be of use."""
    told = unknown(name[:60], known) if known else f"unknown {name[:60]!r}"
    return told if len(told) < 200 else f"unknown {name[:60]!r}"


def misspelt(asked: str, known: Collection[str]) -> str | None:
    """The host that was meant. A name like none, or with another number, may well be one of DNS."""
    near = nearest(asked, known) if re.fullmatch(r"[\w-]+", asked) and asked not in known else None
    return near if near and _lettered(near) != _lettered(asked) else None


def _lettered(name: str) -> str:
    return re.sub(r"[0-9]+", "", name)


def _base(file: str) -> str:
    """What the ids begin with of the jobs that a file may hold, or have defaults from."""
    return file.removeprefix("jobs/").rpartition(".")[0].removesuffix("_defaults").rstrip("/")


def _where(job: Job, kind: str, options: Mapping[str, object]) -> str:
    """The place of a bound condition: its templates are filled in, so that it is known by its kind and its options."""
    names = set(options)
    alike = (i for i, r in enumerate(job.plan.conditions) if r.kind == kind and set(r.options) - {"enabled"} == names)
    return f"condition[{next(alike, 0)}]"


def _line(job: Job) -> int:
    """Where its first dependency stands."""
    lines = [job.places.get(f"condition[{i}]", job.line) for i, r in enumerate(job.plan.conditions) if _waits(r.kind)]
    return lines[0] if lines else job.line


def _waits(kind: str) -> bool:
    return kind in ("dependency", "all")
