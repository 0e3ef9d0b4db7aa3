"""Workflows as text: every step is there, every arrow ends where it should, nothing is wider than it may be."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sshsched.domain.drawing import Line, drawing, listing, mermaid
from sshsched.domain.graph import circle, flow_flaws, graph_of, layers
from sshsched.domain.outline import Place, outline, steps_shape
from sshsched.domain.plan import Flow, Plan
from tests.domain.workflows import Shop, step

DIAMOND = (step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c", when="always"))


def plain(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line).rstrip() for line in lines]


def places(*needs: tuple[str, ...]) -> list[Place]:
    return [Place(f"s{number}", each, "success") for number, each in enumerate(needs)]


def test_boxes() -> None:
    """Boxes stand in layers, with lines from each step to those that need it."""
    shop = Shop(Flow(DIAMOND))
    shop.end("a")

    assert [
        "        ┌────────────┐",
        "        │ a          │",
        "        │ r2 success │",
        "        └────────────┘",
        "       ┌───────┴───────┐",
        "┌────────────┐  ┌────────────┐",
        "│ b          │  │ c          │",
        "│ r3 waiting │  │ r4 waiting │",
        "└────────────┘  └────────────┘",
        "       └───────┬───────┘",
        "          ┌────────┐",
        "          │ d      │",
        "          │ always │",
        "          └────────┘",
    ] == plain(drawing(outline(shop.flow, shop.steps.values()), 80))


def test_an_arrow_passes_by() -> None:
    """An arrow to a step further down goes round those between."""
    lines = plain(drawing(places((), ("s0",), ("s0", "s1")), 80))

    assert [
        " ┌────┐",
        " │ s0 │",
        " │ -  │",
        " └────┘",
        "   ┌┴───┐",
    ] == lines[:5]


def test_narrow_is_a_list() -> None:
    """Where the boxes do not fit, each step is a line, further in the later it can begin."""
    assert [
        "a  -",
        "  b  -  after a",
        "  c  -  after a",
        "    d  always  after b, c",
    ] == plain(drawing(outline(Flow(DIAMOND)), 10))


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 9), st.integers(10, 120))
def test_any_workflow_can_be_drawn(data: st.DataObject, count: int, width: int) -> None:
    """Every step is drawn, and boxes are drawn only where they fit."""
    needs = [data.draw(st.sets(st.integers(0, max(0, number - 1)))) if number else set() for number in range(count)]
    given_places = places(*(tuple(f"s{need}" for need in sorted(each)) for each in needs))
    drawn = plain(drawing(given_places, width))

    assert all(any(place.name in line for line in drawn) for place in given_places)
    assert drawn == plain(listing(given_places)) or width >= max(map(len, drawn))


def test_mermaid() -> None:
    """Mermaid gets safe names, states as classes, and the case of a step on its arrows."""
    shop = Shop(Flow((step("t[os=a]"), step("z", "t[os=a]", when="failure"))))

    assert (
        "flowchart TD\n"
        '    s1["t#91;os=a#93;<br/>r2 waiting"]:::waiting\n'
        '    s2["z"]\n'
        "    s1 -. failure .-> s2\n"
        "    classDef waiting fill:#fd9\n"
    ) == mermaid(outline(shop.flow, shop.steps.values()))


def test_the_outline_has_every_item() -> None:
    """What a step was repeated for stands in its place, also in the needs of others."""
    shop = Shop(Flow((step("t", foreach="x\ny"), step("z", "t"))))
    shape = steps_shape(shop.flow, shop.steps.values())

    assert [("t[x]", "r2"), ("t[y]", "r3"), ("z", None)] == [(each["step"], each["run"]) for each in shape]
    assert ["t[x]", "t[y]"] == shape[2]["needs"]


def test_circle() -> None:
    """A circle is told from its first step to the same one again; unknown names are none."""
    assert ("a", "b", "a") == circle({"a": ["b"], "b": ["a"]})
    assert ("b", "c", "b") == circle({"a": ["b"], "b": ["c"], "c": ["b", "x"]})
    assert () == circle({"a": ["b", "c"], "b": ["c"], "c": ["x"]})


def test_deep_graphs() -> None:
    """A chain of ten thousand steps is no deeper than any other."""
    chain = {f"s{number}": [f"s{number - 1}"] if number else [] for number in range(10_000)}

    assert () == circle(chain)
    assert 10_000 == len(layers(chain))


def test_a_graph_is_worked_out_once() -> None:
    """The same workflow gets the same graph; an equal one has its own."""
    flow = Flow(DIAMOND)

    assert graph_of(flow) is graph_of(flow)
    assert graph_of(Flow(DIAMOND)) is not graph_of(flow)


def test_flaws_of_a_workflow() -> None:
    """What did not come from a job file is looked at as well."""
    nested = step("n", plan=Plan(flow=Flow(DIAMOND)))
    flow = Flow((step("a", "b"), step("b", "a"), step("c", "x"), step("d#", outputs={"v": "("}), nested))
    told = " ".join(message for _, message in flow_flaws(flow, "flow"))

    assert "a -> b -> a" in told
    assert "there is no step 'x'" in told
    assert "'d#' is no name of a step" in told
    assert "'(' is no regular expression" in told
    assert "a step cannot be a workflow itself" in told
    assert ["flow.steps"] == [path for path, _ in flow_flaws(Flow(()), "flow")]
    assert [] == list(flow_flaws(Flow(DIAMOND), "flow"))
