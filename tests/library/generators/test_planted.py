import os
import subprocess
import sys

import pytest

from mapopt import lower_bounds, map_instance, schedule, verify
from mapopt.errors import InputError
from mapopt.library.generators.planted import TRANSFERS, generate
from mapopt.solvers.driver import solve
from mapopt.solvers.model import Limits, Status
from mapopt.transfers import Links
from tests.library.generators.oracle import least_latency, least_load

SMALL = {"imcs": 1, "dpus": 1, "nodes_per_unit": 2, "period_ticks": 12, "stages": 1, "send_ticks": 2}


def variants():
    for transfer in TRANSFERS:
        for seed in range(18):
            yield {
                "transfer": transfer,
                "seed": seed,
                "imcs": 1 + seed % 5,
                "dpus": 1 + seed % 3,
                "nodes_per_unit": 1 + seed % 9,
                "period_ticks": (40, 997, 100_000)[seed % 3],
                "send_ticks": (1, 10)[seed % 2],
                "latency_ticks": (0, 3)[seed % 2],
                "stages": 1 + seed % 4,
                "fan_in": 1 + seed % 3,
                "flexible": (0.0, 0.5, 1.0)[seed % 3],
                "slowdown": 1 + seed % 4,
            }


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_the_bounds_prove_the_planted_figures_and_the_mapping_attains_them(transfer):
    for parameters in variants():
        if parameters["transfer"] != transfer:
            continue
        planted = generate(**parameters)
        bounds = lower_bounds(planted.instance)
        assert bounds.period.ticks == planted.period_ticks, parameters
        assert bounds.latency.ticks == planted.latency_ticks, parameters
        verdict = verify(planted.instance, planted.mapping)
        assert verdict.ok, (parameters, verdict)
        assert {claim.name for claim in verdict.claims} == {
            "max_load_ticks",
            "period_ticks",
            "latency_ticks",
        }
        assert planted.mapping.claims.period_ticks == str(planted.period_ticks)
        assert planted.mapping.claims.latency_ticks == planted.latency_ticks


def test_brute_force_finds_nothing_better():
    for transfer in ("free", "delay"):
        for seed in range(8):
            planted = generate(transfer=transfer, seed=seed, **SMALL)
            if len(planted.instance.nodes) <= 6:
                assert least_load(planted.instance) == planted.period_ticks
                assert least_latency(planted.instance, planted.period_ticks) == planted.latency_ticks


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_the_exact_models_find_the_same(transfer):
    planted = generate(
        transfer=transfer, imcs=2, nodes_per_unit=3, dpus=1, period_ticks=60, send_ticks=6, stages=2, seed=3
    )
    outcome = solve(planted.instance, "period,latency", limits=Limits(time_s=20), start=planted.mapping)
    assert outcome.status is Status.OPTIMAL
    assert [level.value for level in outcome.levels] == [planted.period_ticks, planted.latency_ticks]


def test_the_plan_is_not_found_by_chance():
    """Neither by LBLP nor by what schedules its mapping: the period is missed or the latency."""
    for seed in range(5):
        planted = generate(seed=seed)
        claims = schedule(planted.instance, map_instance(planted.instance, "lblp")).claims
        assert int(claims.period_ticks) > planted.period_ticks
        assert claims.latency_ticks > planted.latency_ticks


def test_transfers_take_place_on_links():
    planted = generate(transfer="links", seed=1)
    assert isinstance(planted.instance.transfer, Links)
    assert len(planted.mapping.patterns[0].transfers) > 5
    assert all(len(each.starts) == 2 for each in planted.mapping.patterns[0].transfers)


def test_one_class_without_transfers():
    planted = generate(imcs=5, dpus=0, transfer="free", seed=2)
    assert planted.instance.classes == ("imc",)
    assert verify(planted.instance, planted.mapping).ok


def test_stages_are_periods_of_latency():
    """A chain goes on while it finds idle units: about that many periods if there are more units."""
    for stages in (1, 2, 4):
        planted = generate(imcs=6, dpus=3, stages=stages, seed=4)
        assert stages * 1000 <= planted.latency_ticks < (stages + 1) * 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transfer", "blocking"),
        ("imcs", 0),
        ("imcs", 2.0),
        ("imcs", True),
        ("dpus", 0),
        ("nodes_per_unit", 0),
        ("period_ticks", 23),
        ("stages", 0),
        ("send_ticks", 251),
        ("latency_ticks", -1),
        ("fan_in", 0),
        ("flexible", 1.1),
        ("flexible", float("nan")),
        ("flexible", "1"),
        ("slowdown", 0),
        ("seed", -1),
    ],
)
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=f"parameter {name}: is .*must be"):
        generate(**{name: value})


def test_flexible_nodes_need_another_class():
    with pytest.raises(InputError, match="parameter flexible"):
        generate(transfer="free", dpus=0, flexible=0.5)


def test_the_hash_seed_changes_nothing():
    code = (
        "from mapopt.library.generators import layered, planted, tight;"
        "p = planted.generate(transfer='links', flexible=0.4, seed=7);"
        "t = tight.generate(seed=7);"
        "print(p.instance.digest, p.mapping.to_json(), t.instance.digest, t.mapping.to_json(),"
        "layered.generate(seed=7, crossbar_slack=0.2, flexible=0.5).digest)"
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
