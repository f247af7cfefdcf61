import pytest

from mapopt import check, lower_bounds, map_instance
from mapopt.errors import InputError
from mapopt.library.generators.layered import FEW, TIMES, TRANSFERS, generate


def layers(instance):
    """The longest path in edges to every node."""
    depth = [0] * len(instance.nodes)
    for node in instance.topological_order:
        depth[node] = max((depth[other] + 1 for other in instance.predecessors[node]), default=0)
    return depth


def test_every_node_stands_in_its_layer():
    for seed in range(20):
        instance = generate(layers=9, width=5, seed=seed)
        depth = layers(instance)
        assert max(depth) == 8
        assert depth == sorted(depth), "each node reads from the layer before its own"
        assert all(1 <= depth.count(layer) <= 5 for layer in range(9))


def test_probabilities_of_edges():
    chain = generate(layers=20, width=1, skip_probability=0)
    assert [(one, two) for one, two, _ in chain.edges] == [(at, at + 1) for at in range(19)]
    dense = generate(layers=6, width=4, edge_probability=1, skip_probability=1)
    depth = layers(dense)
    pairs = {(one, two) for one in range(len(depth)) for two in range(len(depth)) if depth[one] < depth[two]}
    assert {(one, two) for one, two, _ in dense.edges} == pairs


@pytest.mark.parametrize("times", TIMES)
def test_times_are_in_range(times):
    instance = generate(layers=100, width=6, times=times, min_ticks=20, max_ticks=90, dpu_share=0.4)
    columns = [[int(tick) for tick in column if tick >= 0] for column in instance.times.T]
    assert min(map(min, columns)) >= 20
    assert max(map(max, columns)) <= 90
    if times == "few":
        assert all(2 <= len(set(column)) <= FEW for column in columns)
    else:
        assert all(len(set(column)) > 30 for column in columns)
    means = [sum(column) / len(column) for column in columns]
    assert times != "uniform" or all(50 < mean < 60 for mean in means)
    assert times != "log-uniform" or all(42 < mean < 51 for mean in means)


def test_shares_of_nodes():
    instance = generate(layers=200, width=4, dpu_share=0.25, flexible=0.5, slowdown=3)
    imc, dpu = instance.times.T
    count = len(instance.nodes)
    assert 0.2 < (imc < 0).sum() / count < 0.3
    both = (imc >= 0) & (dpu >= 0)
    assert 0.4 < both.sum() / (imc >= 0).sum() < 0.6
    assert (dpu[both] == 3 * imc[both]).all()


def test_capacities_are_tight_and_some_mapping_keeps_them():
    for seed in range(20):
        instance = generate(crossbar_slack=0, seed=seed)
        mapping = map_instance(instance, "wb")
        assert check(instance, mapping) == ()
        needs = int(instance.crossbars.sum())
        room = sum(unit.crossbars or 0 for unit in instance.units)
        assert needs <= room < needs + 9 * 4


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_every_transfer_model(transfer):
    instance = generate(transfer=transfer, latency_ticks=2)
    assert type(instance.transfer).__name__.lower() == transfer
    assert lower_bounds(instance).period.ticks > 0


def test_seeds_differ():
    assert len({generate(seed=seed).digest for seed in range(5)}) == 5
    assert generate(seed=3) == generate(seed=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("imcs", 0),
        ("layers", 0),
        ("width", 10_000),
        ("edge_probability", -0.1),
        ("skip_probability", 2),
        ("dpu_share", "half"),
        ("flexible", 1.5),
        ("slowdown", 0),
        ("times", "normal"),
        ("min_ticks", -1),
        ("max_ticks", 9),
        ("transfer", "bus"),
        ("max_bytes", 1.5),
        ("latency_ticks", None),
        ("crossbar_slack", -1),
        ("seed", 1.0),
        ("dpus", -1),
    ],
)
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=f"parameter {name}: is .*must be"):
        generate(**{name: value})


def test_nodes_for_dpus_need_one():
    with pytest.raises(InputError, match="parameter dpus"):
        generate(dpus=0)
    assert generate(dpus=0, dpu_share=0).classes == ("imc",)
