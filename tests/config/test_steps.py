"""Workflows in job files: what steps come to, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from sshsched.config.jobs import job_file_schema, load_job, load_jobs
from sshsched.config.matrix import included, names
from sshsched.config.nodes import Problems
from sshsched.config.strict import compose
from sshsched.domain.plan import Flow, Plan, Retry, Step
from sshsched.domain.program import Program
from sshsched.errors import ConfigError
from tests.config.reading import job_of, problems_of, write

GOOD = "host: a\nsteps:\n  x: echo 1\n"


def flow_of(folder: Path, text: str) -> Flow:
    flow = job_of(folder, text).plan.flow
    assert flow is not None
    return flow


def step_of(folder: Path, text: str) -> Step:
    """The last step of a workflow whose host is `a`."""
    return flow_of(folder, f"host: a\nsteps:\n  x: echo 1\n  y: {text}\n").steps[-1]


def y(**fields: object) -> Step:
    return Step("y", **{"host": "a", "program": Program(command="c"), **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("c", y()),
        ("{run: c}", y()),
        ("{command: c, needs: x}", y(needs=("x",))),
        ("{argv: [c, d], needs: [x, x]}", y(program=Program(argv=("c", "d")), needs=("x",))),
        ("{command: c, host: b}", y(host="b")),
        ("{run: c, runs-on: b}", y(host="b")),
        ("{command: c, host: {group: web, strategy: sticky}}", y(host="@web", plan=Plan(strategy="sticky"))),
        ("{command: c, when: always}", y(when="always")),
        ("{command: c, if: failure()}", y(when="failure")),
        ("{command: c, if: '${{ always() }}'}", y(when="always")),
        ("{command: c, foreach: [1, 2], max_parallel: 2}", y(foreach="1\n2", max_parallel=2)),
        ("{command: c, foreach: [1, 2], strategy: {max-parallel: 2}}", y(foreach="1\n2", max_parallel=2)),
        ("{command: c, strategy: {matrix: {v: [1]}, max-parallel: 2}}",
         Step("y[v=1]", "a", Program(command="c"), variables={"v": "1"}, max_parallel=2)),
        ("{command: c, retry: 2}", y(plan=Plan(retry=Retry(2)))),
        ("{command: c, timeout-minutes: 2}", y(program=Program(command="c", timeout=120))),
        ("{command: c, foreach: [1, 2]}", y(foreach="1\n2")),
        ("{command: c, loop: {until: '{{ round > 2 }}', most: 5, pause: 1s}}",
         y(until="{{ round > 2 }}", most=5, pause=1.0)),
        ("{command: c, outputs: {v: 'v=(.*)', d: json}}", y(outputs={"v": "v=(.*)", "d": "json"})),
        ("{command: c, variables: {v: 1}}", y(variables={"v": "1"})),
    ],
)  # fmt: skip
def test_a_step(tmp_path: Path, text: str, step: Step) -> None:
    """Each key of a step, and what GitHub Actions calls it, means this."""
    assert step == step_of(tmp_path, text)


def test_steps_in_a_list(tmp_path: Path) -> None:
    """Steps may stand in a list, each with its name in it."""
    listed = flow_of(tmp_path, "host: a\nsteps:\n- {name: x, run: c}\n- {name: y, run: d, needs: x}\n")

    assert flow_of(tmp_path, "host: a\nsteps: {x: c, y: {needs: x, command: d}}\n") == listed


def test_what_steps_take_over(tmp_path: Path) -> None:
    """What stands beside `steps` is for every step that does not say otherwise; env and variables one by one."""
    flow = flow_of(
        tmp_path,
        "host: a\ncwd: /w\ntimeout: 5m\nenv: {A: 1, B: 2}\nvariables: {v: 1, w: 2}\non_failure: fail\nmax_fail: 3\n"
        "steps:\n  x: c\n  y: {command: d, host: b, env: {B: 3}, variables: {w: 4}, timeout: 1s}\n",
    )

    assert ("fail", 3) == (flow.on_failure, flow.max_fail)
    assert [
        Step("x", "a", Program("c", env={"A": "1", "B": "2"}, cwd="/w", timeout=300), variables={"v": "1", "w": "2"}),
        Step("y", "b", Program("d", env={"A": "1", "B": "3"}, cwd="/w", timeout=1), variables={"v": "1", "w": "4"}),
    ] == list(flow.steps)


def test_matrix(tmp_path: Path) -> None:
    """A step with a matrix becomes one step for each combination, and who needs it needs them all."""
    flow = flow_of(
        tmp_path,
        "host: a\nsteps:\n  t:\n    matrix: {os: [d, e], py: ['3.12', '3.13'], exclude: [{os: e, py: '3.12'}]}\n"
        "    variables: {os: none, z: 1}\n    command: '{{ os }}'\n  z: {needs: t, command: c}\n",
    )

    assert ["t[os=d,py=3.12]", "t[os=d,py=3.13]", "t[os=e,py=3.13]", "z"] == [step.name for step in flow.steps]
    assert {"os": "d", "z": "1", "py": "3.12"} == flow.steps[0].variables
    assert ("t[os=d,py=3.12]", "t[os=d,py=3.13]", "t[os=e,py=3.13]") == flow.steps[3].needs


def test_include() -> None:
    """An include adds to what it does not contradict, or is an item of its own: the example of GitHub's manual."""
    items = [{"fruit": f, "animal": a} for f in ("apple", "pear") for a in ("cat", "dog")]
    extra = [{"color": "green"}, {"color": "pink", "animal": "cat"}, {"fruit": "apple", "shape": "circle"},
             {"fruit": "banana"}, {"fruit": "banana", "animal": "cat"}]  # fmt: skip

    assert [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ] == included(items, ("fruit", "animal"), extra)


def test_names_are_unique() -> None:
    """Values that no name can hold are replaced in it, and what would then be the same gets a number."""
    assert ["t[a=x-y]", "t[a=z]"] == names("t", ({"a": "x y"}, {"a": "z"}))
    assert ["t[a=x-y,1]", "t[a=x-y,2]"] == names("t", ({"a": "x y"}, {"a": "x#y"}))


JOBS = {
    "host: a\nsteps: {x: {needs: x, command: c}}": "2:20: steps.x.needs: step 'x' needs itself; take that out",
    "host: a\nsteps: {x: c, y: {needs: xx, command: c}}": (
        "2:26: steps.y.needs: there is no step 'xx'; did you mean 'x'?"
    ),
    "host: a\nsteps: {x: {needs: z, command: c}, y: {needs: x, command: c}, z: {needs: [y], command: c}}": (
        "2:20: steps.x.needs: the steps wait for each other in a circle: x -> z -> y -> x"
    ),
    "host: a\nsteps: {}": "2:8: steps: has no steps in it; write",
    "host: a\nsteps: {x: {needs: []}}": "is an empty list",
    "host: a\nsteps: {x: {command: c, whn: always}}": "2:25: steps.x.whn: unknown key; did you mean 'when'?",
    "host: a\nsteps: {x: {}}": "no program",
    "host: a\nsteps: {x: {host: b}}": "no program",
    "steps: {x: c}": "no host: write `host: ...` here, or beside 'steps'",
    "host: a\ncommand: c\nsteps: {x: c}": "2:1: command: belongs to one of the steps",
    "host: a\ncommand: c\nvariables: {x: 1}": "3:1: variables: means something only beside 'steps'",
    "host: a\ncommand: c\non_failure: hold": "for one job write `action:",
    "host: a\nsteps: {x y: c}": "'x y' is no name of a step",
    "host: a\nsteps: [{run: c}]": "a step in a list needs a name",
    "host: a\nsteps: [{name: x, run: c}, {name: x, run: c}]": "'x' is also the step in line 2",
    "host: a\nsteps: {x: {command: c, when: sometimes}}": "'sometimes' is no case",
    "host: a\nsteps: {x: {command: c, if: \"github.ref == 'x'\"}}": "write a `condition` for anything else",
    "host: a\nsteps: {x: {command: c, loop: {until: x}}}": "the key 'most' is missing",
    "host: a\nsteps: {x: {command: c, foreach: a, loop: {until: x, most: 2}}}": "stands beside 'foreach'",
    "host: a\nsteps: {x: {command: c, outputs: {v: jsn}}}": "unknown 'jsn'; did you mean 'json'?",
    "host: a\nsteps: {x: {command: c, outputs: {v: '('}}}": "'(' is no regular expression",
    "host: a\nsteps: {x: {command: c, matrix: {}}}": "leaves nothing to run",
    "host: a\nsteps: {x: {command: c, depends_on: y}}": "between steps it is called 'needs'",
    "host: a\nsteps: {x: {uses: actions/checkout@v4}}": "actions of GitHub do not run here",
    "host: a\nsteps: {x: {command: c, max_parallel: 2}}": "means something only beside 'matrix', 'foreach' or a group",
    "host: a\nsteps: {x: {command: c, strategy: {max-parallel: 2}}}": "means something only beside 'matrix'",
    "host: a\nmax_parallel: 0\nsteps: {x: c}": "is no whole number from 1 to",
    "host: a\nfinish_within: soon\nsteps: {x: c}": "is no duration",
    "host: a\ncommand: c\nfinish_within: 1h\n": "means something only beside 'steps'",
    "host: a\nsteps: {x: {command: c, strategy: {fail-fast: true}}}": "write `max_fail: 0` beside 'steps'",
    "host: a\nsteps: {x: {command: 'echo {{ nope }}'}}": "'nope' is not defined",
    "host: a\nsteps: {x: c, y: {command: '{{ steps.x.state }}'}}": (
        "step 'x' may not have ended by then; add it to the needs of 'y'"
    ),
    "host: a\nsteps: {x: c, y: {needs: x, command: '{{ steps.x.outputs.v }}'}}": (
        "step 'x' hands on nothing called 'v'; give it `outputs: {v: ...}`"
    ),
    "host: a\nsteps: {x: c, y: {needs: x, command: '{{ steps.x.stat }}'}}": "did you mean 'state'?",
    "host: a\nsteps: {x: c, y: {needs: x, command: '{{ steps.q.state }}'}}": "there is no step 'q'",
    "host: a\nsteps: {x: {job: other}}": "2:1: steps.x: there is no good job 'other'",
    "host: a\nsteps: {x: {job: other, command: c}}": "a step with `job: ...` gives only its args",
}


@pytest.mark.parametrize("text", JOBS)
def test_what_is_wrong_is_said(tmp_path: Path, text: str) -> None:
    """Each mistake is named at its place, with what to do."""
    assert JOBS[text] in "\n".join(problems_of(tmp_path, text))


def test_a_step_that_is_a_job(tmp_path: Path) -> None:
    """A step may be a run of another job, which becomes part of the workflow with its defaults and retries."""
    write(tmp_path, save="host: nas\nparams: {disk: a, mode: fast}\ncommand: save {{ disk }}\nretry: 2\n",
          night="steps:\n  s: {job: save, args: {disk: b}}\n")  # fmt: skip
    loaded = load_jobs(tmp_path)
    flow = loaded.jobs["night"].plan.flow

    assert [] == loaded.problems
    assert flow == load_job(tmp_path, "night").plan.flow
    assert flow is not None
    assert (
        Step("s", "nas", Program("save {{ disk }}"), job="save", args={"disk": "b", "mode": "fast"},
             plan=Plan(retry=Retry(2))) == flow.steps[0]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("{job: nope}", "there is no good job 'nope'"),
        ("{job: flow}", "job 'flow' is a workflow itself; a step cannot be one"),
        ("{job: save}", "job 'save' needs the arg 'disk'"),
        ("{job: save, args: {disk: c}}", "disk must be one of a, b; it is 'c'"),
        ("{job: save, args: {disk: a, dsk: b}}", "job 'save' has no param 'dsk'; it has disk"),
    ],
)
def test_a_job_that_cannot_be_a_step(tmp_path: Path, step: str, says: str) -> None:
    """What is wrong with a job as a step is said at the step, by check and by run; other jobs are as good as before."""
    write(tmp_path, save="host: nas\nparams: {disk: {choices: [a, b]}}\ncommand: save {{ disk }}\n", flow=GOOD,
          night=f"host: a\nsteps:\n  x: c\n  s: {step}\n")  # fmt: skip
    loaded = load_jobs(tmp_path)

    assert {"save", "flow"} == set(loaded.jobs)
    assert [f"jobs/night.yaml:4:1: steps.s: {says}"] == [str(problem) for problem in loaded.problems]
    with pytest.raises(ConfigError, match=says.split(";")[0]):
        load_job(tmp_path, "night")


def test_a_default_of_the_folder_is_for_steps(tmp_path: Path) -> None:
    """A host in _defaults.yaml is the host of steps, and its command is none of theirs."""
    write(tmp_path, job="steps: {x: c}\n")
    (tmp_path / "jobs" / "_defaults.yaml").write_text("host: nas\nenv: {A: 1}\n")
    flow = load_jobs(tmp_path).jobs["job"].plan.flow

    assert flow is not None
    assert Step("x", "nas", Program("c", env={"A": "1"})) == flow.steps[0]


@pytest.mark.parametrize(
    "text",
    [GOOD, "host: a\nsteps: [{name: x, run: c, if: always()}]", "host: a\nsteps: {x: {matrix: {a: [1, 2]}, run: c}}",
     "steps: {x: {job: b, args: {d: e}, needs: [y], outputs: {v: json}}}"],
)  # fmt: skip
def test_the_schema_knows_workflows(text: str) -> None:
    """What editors are told of workflows takes what we take."""
    jsonschema.validate(_plain(text), job_file_schema())


@pytest.mark.parametrize("text", ["steps: {x: {needs: 1.5, what: c}}", "steps: []", "steps: {'x y': c}"])
def test_the_schema_refuses(text: str) -> None:
    """And refuses what we refuse."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(_plain(text), job_file_schema())


def _plain(text: str) -> object:
    import yaml

    assert compose(text, Problems("f")) is not None
    return yaml.safe_load(text)
