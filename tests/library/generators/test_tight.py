from fractions import Fraction

import pytest

from mapopt import lower_bounds, map_instance, verify
from mapopt.errors import InputError
from mapopt.library.generators.tight import generate


@pytest.mark.parametrize("load", [0.99, 0.995, 1.0])
@pytest.mark.parametrize("transfer", ["free", "delay"])
def test_the_period_is_proven_and_attained_and_missed(load, transfer):
    for seed in range(6):
        tight = generate(
            imcs=3 + seed,
            dpus=seed % 3,
            nodes_per_unit=3 + seed % 3,
            period_ticks=1000 + seed,
            load=load,
            transfer=transfer,
            seed=seed,
        )
        instance = tight.instance
        assert lower_bounds(instance).period.ticks == tight.period_ticks
        assert verify(instance, tight.mapping).ok
        assert tight.mapping.claims.period_ticks == str(tight.period_ticks)
        assert tight.latency_ticks is None
        for mapper in ("lpt", "lblp"):
            assert int(map_instance(instance, mapper).claims.max_load_ticks) > tight.period_ticks


@pytest.mark.parametrize("load", [0.9, 0.99, 1.0])
def test_the_class_is_loaded_as_asked(load):
    tight = generate(imcs=5, load=load, dpu_load=0.5, dpus=2, missed=False)
    imc, dpu = tight.instance.times.T
    assert Fraction(int(imc[imc > 0].sum()), 5 * 1000) == Fraction(str(load))
    assert int(dpu[dpu > 0].sum()) == 1000


def test_the_graph_is_nearly_a_chain():
    chain = generate(branch=0.0, nodes_per_unit=8).instance
    assert [edge[:2] for edge in chain.edges] == [(at, at + 1) for at in range(len(chain.nodes) - 1)]
    branched = generate(branch=0.3, nodes_per_unit=30, missed=False).instance
    depth = [0] * len(branched.nodes)
    for node in branched.topological_order:
        depth[node] = max((depth[other] + 1 for other in branched.predecessors[node]), default=0)
    widths = [depth.count(level) for level in range(max(depth) + 1)]
    assert set(widths) == {1, 2}
    assert 0.1 < widths.count(2) / len(widths) < 0.4
    assert sum(not after for after in branched.successors) <= 2


def test_beside_a_full_unit_stand_two():
    with pytest.raises(InputError, match="parameter imcs: is 2; it must be an integer from 3"):
        generate(imcs=2, load=0.99)
    assert generate(imcs=2).period_ticks == 1000


def test_packings_that_anybody_finds_are_no_answer():
    with pytest.raises(InputError, match=r"parameter nodes_per_unit: is 12, .*use fewer"):
        generate(imcs=3, nodes_per_unit=12, load=0.92)
    assert len(generate(imcs=3, nodes_per_unit=12, load=0.92, missed=False).instance.nodes) > 24


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("imcs", 1),
        ("load", "1"),
        ("dpus", -1),
        ("nodes_per_unit", 2),
        ("period_ticks", 49),
        ("load", 0.89),
        ("load", 1.01),
        ("dpu_load", 1),
        ("branch", -1),
        ("transfer", "links"),
        ("send_ticks", 0),
        ("latency_ticks", -1),
        ("seed", "0"),
    ],
)
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=f"parameter {name}: is .*must be"):
        generate(**{name: value})
