import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapopt.network.fusion import MAX_LOOKAHEAD, Step, fused_groups

from .graphs import node, read


def chain(*steps: tuple[str, str, bool]) -> list[Step]:
    return [Step(tuple(i.split()), tuple(o.split()), elementwise, 8) for i, o, elementwise in steps]


def test_single_follower_joins_and_a_shared_output_does_not() -> None:
    assert fused_groups(chain(("x", "a", False), ("a", "y", True)), ["y"]) == [[0, 1]]
    shared = chain(("x", "a", False), ("a", "b", True), ("a b", "y", False))
    assert fused_groups(shared, ["y"]) == [[0], [1], [2]]


def test_network_output_stays_visible() -> None:
    assert fused_groups(chain(("x", "a", False), ("a", "y", True)), ["a", "y"]) == [[0], [1]]


def test_follower_must_keep_the_number_of_elements() -> None:
    steps = [
        Step(("x",), ("a",), elementwise=False, elements=8),
        Step(("a",), ("y",), elementwise=True, elements=16),
    ]
    assert fused_groups(steps, ["y"]) == [[0], [1]]


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param([node("Sigmoid", "c", "s"), node("Mul", "c s", "y")], id="SiLU"),
        pytest.param([node("Sigmoid", "c", "s"), node("Mul", "s c", "y")], id="SiLU, operands exchanged"),
        pytest.param([node("HardSigmoid", "c", "s"), node("Mul", "c s", "y")], id="HardSwish"),
        pytest.param(
            [
                node("Add", "c three", "a"),
                node("Clip", "a zero six", "b"),
                node("Mul", "c b", "d"),
                node("Div", "d six", "y"),
            ],
            id="HardSwish of arithmetic",
        ),
        pytest.param(
            [node("Softplus", "c", "p"), node("Tanh", "p", "t"), node("Mul", "c t", "y")], id="Mish"
        ),
        pytest.param(
            [
                node("Div", "c three", "a"),
                node("Erf", "a", "b"),
                node("Add", "b six", "d"),
                node("Mul", "c d", "e"),
                node("Mul", "e three", "y"),
            ],
            id="Gelu of arithmetic",
        ),
        pytest.param([node("PRelu", "c slope", "y")], id="PRelu"),
        pytest.param([node("Add", "c bias", "b"), node("LeakyRelu", "b", "y")], id="bias"),
    ],
)
def test_activation_functions_join_whole(tail: list) -> None:  # type: ignore[type-arg]
    import numpy as np

    scalars = {name: np.array(value, np.float32) for name, value in (("zero", 0), ("three", 3), ("six", 6))}
    network = read(
        node("Conv", "x w", "c"),
        *tail,
        weights={"w": (4, 4, 1, 1), "slope": (4, 1, 1), "bias": (4, 1, 1)},
        values=scalars,
    )
    assert [(entry.op, entry.fused) for entry in network.nodes] == [("Conv", tuple(n.op_type for n in tail))]


def test_gate_with_a_detour_stays_apart() -> None:
    """Squeeze-and-excitation: the scaling waits for a global pooling of the same tensor."""
    network = read(
        node("Conv", "x w", "c"),
        node("GlobalAveragePool", "c", "g"),
        node("Sigmoid", "g", "s"),
        node("Mul", "c s", "y"),
        weights={"w": (4, 4, 1, 1)},
    )
    assert [(entry.op, entry.fused) for entry in network.nodes] == [
        ("Conv", ()),
        ("GlobalAveragePool", ("Sigmoid",)),
        ("Mul", ()),
    ]


@given(st.integers(0, 10**6))
@settings(max_examples=300, deadline=None)
def test_random_graphs_against_the_definition(seed: int) -> None:
    """Groups partition the steps, are convex, show one tensor, and what could trivially join has joined."""
    rng = random.Random(seed)
    steps: list[Step] = []
    names = ["x"]
    for index in range(rng.randrange(1, 16)):
        inputs = tuple(dict.fromkeys(rng.choice(names[-4:]) for _ in range(rng.choice((1, 1, 2)))))
        steps.append(Step(inputs, (f"t{index}",), rng.random() < 0.7, 8))
        names.append(f"t{index}")
    read_by = {name: [i for i, step in enumerate(steps) if name in step.inputs] for name in names}
    outputs = {name for name in names if not read_by[name]}
    groups = fused_groups(steps, outputs)
    assert sorted(index for group in groups for index in group) == list(range(len(steps)))
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)
    for group in groups:
        inner = {steps[index].outputs[0] for index in group}
        visible = [
            name for name in inner if name in outputs or any(reader not in group for reader in read_by[name])
        ]
        assert visible == [steps[group[-1]].outputs[0]]
        for index in group[1:]:
            assert steps[index].elementwise
            assert set(steps[index].inputs) <= inner
        (last,) = visible
        if last not in outputs and len(read_by[last]) == 1:
            (reader,) = read_by[last]
            assert not (steps[reader].elementwise and steps[reader].inputs == (last,))


def test_wide_fan_out_is_not_searched() -> None:
    fan = [Step(("a",), (f"b{index}",), elementwise=True, elements=8) for index in range(MAX_LOOKAHEAD + 1)]
    join = Step(tuple(step.outputs[0] for step in fan), ("y",), elementwise=True, elements=8)
    head = Step(("x",), ("a",), elementwise=False, elements=8)
    assert len(fused_groups([head, *fan, join], ["y"])) == MAX_LOOKAHEAD + 3
