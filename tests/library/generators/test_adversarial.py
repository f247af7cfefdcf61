import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from benchmarks.adversarial import BEGIN, CASES, END, FOLDER, find, row
from mapopt import check, map_instance, schedule
from mapopt.errors import InputError, NoMappingError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.library.generators.adversarial import Proof, generate, generate_cnn, prove
from mapopt.library.generators.candidates import Changes, Family
from mapopt.library.generators.designs import SEED, Design, Redesigns
from mapopt.library.generators.parts import transfer_model, units_of
from mapopt.mapping import Mapping
from mapopt.platform.library import load_platform
from mapopt.solvers.model import Limits
from tests.library.generators.oracle import least_latency, least_load

README = FOLDER / "README.md"


def graham(units):
    """Chained short nodes first, then one as long as the optimum: the worst case of list scheduling."""
    short = units * (units - 1)
    return Instance(
        "graham",
        classes=("imc",),
        units=tuple(Unit(f"u{at}", "imc") for at in range(units)),
        nodes=(
            *(InstanceNode(f"n{at}", (1,)) for at in range(short)),
            InstanceNode("long", (units,)),
        ),
        tensors=tuple(InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",)) for at in range(short - 1)),
    )


@pytest.mark.parametrize("units", [2, 3, 4, 6])
def test_lblp_attains_the_worst_case_of_list_scheduling(units):
    proof = prove(graham(units), "period")
    assert proof.lblp == 2 * units - 1
    assert proof.optimum == units
    assert proof.ratio == 2 - Fraction(1, units)


def test_the_search_finds_what_brute_force_confirms():
    instance = generate(steps=400, max_nodes=6, seed=1)
    proof = prove(instance, "period")
    assert proof.optimum == least_load(instance)
    assert proof.lblp == int(map_instance(instance, "lblp").claims.max_load_ticks)
    assert proof.ratio > Fraction(5, 4)


def test_latencies_are_of_schedules_no_slower_than_lblp():
    instance = generate(objective="latency", steps=300, max_nodes=4, max_ticks=4, seed=2)
    proof = prove(instance, "latency")
    claims = schedule(instance, map_instance(instance, "lblp")).claims
    assert (proof.period, proof.scheduled) == (int(claims.period_ticks), claims.latency_ticks)
    periods = range(least_load(instance), proof.period + 1)
    assert proof.optimum == min(least_latency(instance, period) for period in periods)
    assert proof.optimum < proof.lblp <= proof.scheduled


@pytest.mark.parametrize("dpus", [0, 2])
@pytest.mark.parametrize("capacities", [False, True])
def test_every_change_leaves_a_candidate_that_its_units_can_hold(dpus, capacities):
    family = Family(2, dpus, capacities, False, "links", max_nodes=6, max_ticks=9, send_ticks=4)
    changes = Changes(family, Random(5))
    candidate = changes.first()
    seen = set()
    for _ in range(400):
        candidate = changes.neighbour(candidate)
        instance = candidate.instance(family, "candidate")
        assert check(instance, Mapping.of(instance, candidate.units)) == ()
        times = instance.times
        assert times.min() >= 1
        assert times.max() <= 9
        assert all(1 <= tensor.size_bytes <= 4 for tensor in instance.tensors)
        seen.add((len(instance.nodes), len(instance.edges)))
    assert len(seen) > 20
    assert {nodes for nodes, _ in seen} == {2, 3, 4, 5, 6}


def test_a_chain_stays_one():
    instance = generate(imcs=3, chain=True, steps=500, seed=0)
    assert [edge[:2] for edge in instance.edges] == [(at, at + 1) for at in range(len(instance.nodes) - 1)]


def test_an_optimum_that_is_not_proven_is_no_optimum():
    instance = Instance.load(FOLDER / "period-identical-3-links.json")
    with pytest.raises(NoMappingError, match="not proven"):
        prove(instance, "period", Limits(time_s=1e-6))


def test_the_hash_seed_changes_nothing():
    code = (
        "from mapopt.library.generators.adversarial import generate;"
        "print(generate(imcs=2, dpus=1, capacities=True, transfer='links', steps=100, seed=4).to_json())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(said[0]) > 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("objective", "energy"),
        ("transfer", "wifi"),
        ("imcs", 0),
        ("dpus", -1),
        ("capacities", 1),
        ("chain", "yes"),
        ("max_nodes", 1),
        ("max_ticks", 0),
        ("send_ticks", 0),
        ("steps", 0),
        ("restarts", 3001),
        ("seed", -1),
    ],
)
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=f"parameter {name}: is .*must be"):
        generate(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("objective", "energy"), ("max_nodes", 1), ("steps", 0), ("restarts", 3001), ("seed", -1)],
)
def test_those_of_cnns_as_well(name, value):
    with pytest.raises(InputError, match=f"parameter {name}: is .*must be"):
        generate_cnn("imc", **{name: value})


def test_a_platform_needs_units_for_every_layer():
    with pytest.raises(InputError, match="parameter platform: cannot run"):
        generate_cnn("imce:imc=0,dpu=1")


@pytest.mark.parametrize("preset", ["imce:imc=2,dpu=1", "imc:imc=2,dpu=1"])
def test_a_cnn_is_found_on_a_preset(preset):
    instance = generate_cnn(preset, max_nodes=5, steps=120, restarts=2, seed=1)
    assert prove(instance, "period").lblp == int(map_instance(instance, "lblp").claims.max_load_ticks)
    assert [unit.name for unit in instance.units] == ["imc0", "imc1", "dpu0"]
    assert instance.name == f"period-{preset.partition(':')[0]}-2-1"


@pytest.mark.parametrize("transfer", ["blocking", "host"])
def test_there_is_no_limit_where_transfers_occupy_units(transfer):
    """A chain of short nodes that LBLP spreads: every longer way between its units is a longer period."""
    ratios = []
    for size in (5, 50, 500):
        chain = Instance(
            "chain",
            classes=("imc",),
            units=units_of(2, 0),
            nodes=tuple(InstanceNode(f"n{at}", (1,)) for at in range(4)),
            tensors=tuple(InstanceTensor(f"t{at}", f"n{at}", (f"n{at + 1}",), size) for at in range(3)),
            transfer=transfer_model(transfer, units_of(2, 0)),
        )
        proof = prove(chain, "period")
        assert proof.optimum == 4
        ratios.append(proof.ratio)
    assert ratios[0] > 1
    assert ratios[1] > 5 * ratios[0]
    assert ratios[2] > 5 * ratios[1]


def test_one_unit_leaves_no_choice():
    with pytest.raises(InputError, match="parameter imcs: is 1"):
        generate(imcs=1)


def table():
    text = README.read_text().partition(BEGIN)[2].partition(END)[0]
    return {line.split("`")[1]: line for line in text.splitlines(keepends=True) if line.startswith("| `")}


def test_every_case_has_its_file_and_its_line():
    assert sorted(table()) == sorted(CASES) == sorted(path.stem for path in Path(FOLDER).glob("*.json"))


@pytest.mark.parametrize("name", CASES)
def test_the_ratios_are_proven_again(name):
    """The prover may be another; all figures are the same."""
    instance = Instance.load(FOLDER / f"{name}.json")
    proof = prove(instance, CASES[name]["objective"], Limits(time_s=120))
    assert without_prover(row(instance, proof)) == without_prover(table()[name])


@pytest.mark.parametrize("name", [name for name in CASES if "platform" in CASES[name]])
def test_presets_have_their_own_costs(name):
    instance = Instance.load(FOLDER / f"{name}.json")
    platform = load_platform(CASES[name]["platform"])
    simple = Redesigns(platform, 2, Random(0)).instance(Design(32, SEED, (0, 0)))
    assert (instance.units, instance.classes) == (simple.units, simple.classes)
    assert (instance.transfer, instance.tick_ps) == (simple.transfer, simple.tick_ps)
    if platform.name == "imc":
        assert all(node.times[0] is None or node.times[0] % 100 == 0 for node in instance.nodes)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_searches_find_them_again(name):
    found, kept = find(name), Instance.load(FOLDER / f"{name}.json")
    assert found.digest == kept.digest


def without_prover(line):
    cells = line.split("|")
    return [*cells[:-3], cells[-2]]


def test_ratios_are_exact():
    assert Proof("period", 3, 3, 2, 3, "").ratio == Fraction(3, 2)
