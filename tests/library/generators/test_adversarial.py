import os
import subprocess
import sys
from fractions import Fraction
from math import exp
from pathlib import Path
from random import Random

import pytest

from benchmarks.adversarial import BEGIN, CASES, END, FOLDER, row
from mapopt import check, map_instance, schedule
from mapopt.errors import InputError, NoMappingError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.library.generators.adversarial import NODE_COST, Proof, _score, generate, prove
from mapopt.library.generators.candidates import Changes, Family
from mapopt.mapping import Mapping
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


@pytest.mark.parametrize("transfer", ["free", "delay", "links"])
def test_the_search_never_overstates(transfer):
    family = Family(2, 1, transfer == "free", False, transfer, max_nodes=6, max_ticks=5, send_ticks=3)
    for seed in range(3):
        changes = Changes(family, Random(seed))
        candidate = changes.first()
        for _ in range(30):
            candidate = changes.neighbour(candidate)
        for objective in ("period", "latency"):
            score = _score(candidate, family, objective) + NODE_COST * len(candidate.units)
            proof = prove(candidate.instance(family, "candidate"), objective)
            assert exp(score) <= proof.ratio * (1 + 1e-9)


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
        ("transfer", "host"),
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


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_searches_find_them_again(name):
    found, kept = generate(**CASES[name]), Instance.load(FOLDER / f"{name}.json")
    assert found.digest == kept.digest


def without_prover(line):
    cells = line.split("|")
    return [*cells[:-3], cells[-2]]


def test_ratios_are_exact():
    assert Proof("period", 3, 3, 2, 3, "").ratio == Fraction(3, 2)
