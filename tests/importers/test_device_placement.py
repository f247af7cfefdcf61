import json
from pathlib import Path

import pytest

from mapopt.errors import InputError
from mapopt.feasibility import check, obstacles
from mapopt.importers.device_placement import read_split, read_workload, workload_to_instance
from mapopt.sources import read_instance

DATA = Path(__file__).parents[2] / "instances" / "device-placement"
EXPERT = {"bert24": 20.08, "gnmt": 46.21, "inceptionv3": 102.5, "resnet50": 43.92}


@pytest.mark.parametrize(("graph", "published"), EXPERT.items())
def test_the_experts_load_is_the_published_one(graph, published):
    from mapopt.emulator.analysis import max_load
    from mapopt.emulator.lower import lower

    problem = read_workload(DATA / f"{graph}_inference.json")
    split = read_split(DATA / f"{graph}_inference_expert.json", problem)
    assert obstacles(problem) == ()
    assert check(problem, split) == ()
    assert float(max_load(lower(problem, split)).ticks) / 1e6 == pytest.approx(published, rel=5e-4)


def test_workloads_are_recognised_wherever_an_instance_is_expected():
    path = DATA / "bert24_inference.json"
    assert read_instance(path) == read_workload(path)
    assert "rounding error at most" in read_workload(path).source


WORKLOAD = {
    "maxSizePerFPGA": 10.0,
    "maxFPGAs": 1,
    "maxCPUs": 1,
    "nodes": [
        {
            "name": f"n{number}",
            "id": number,
            "supportedOnFpga": number,
            "cpuLatency": 2.0,
            "fpgaLatency": 0.5,
            "colorClass": 7,
            "size": 3.0,
            "isBackwardNode": 0,
        }
        for number in (0, 1)
    ],
    "edges": [{"sourceId": 0, "destId": 1, "cost": 0.25, "size": 1.0}],
}


def test_fields_arrive_where_they_belong():
    problem = workload_to_instance(WORKLOAD, "w")
    assert [node.times for node in problem.nodes] == [(None, 2_000_000), (500_000, 2_000_000)]
    assert problem.tensors[0].size_bytes == 250_000
    assert problem.side_constraints.colocate == (("0", "1"),)
    assert [unit.memory_bytes for unit in problem.units] == [10, None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": [{"sourceId": 0, "destId": 9, "cost": 1.0}]}, "names node 9"),
        (
            {"edges": [{"sourceId": 0, "destId": 1, "cost": 1.0}, {"sourceId": 0, "destId": 1, "cost": 2.0}]},
            "different costs",
        ),
        ({"edges": [{"sourceId": 0, "destId": 1, "cost": -1.0}]}, ">= 0"),
        ({"maxFPGAs": "six"}, "maxFPGAs is 'six': expected `int`"),
        ({"nodes": [WORKLOAD["nodes"][0]] * 2, "edges": []}, "appears twice"),
    ],
)
def test_bad_workloads(change, message):
    with pytest.raises(InputError, match=message):
        workload_to_instance({**WORKLOAD, **change}, "w")


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"cpus": [{"nodes": [0]}], "fpgas": []}, "node 1 is not placed"),
        ({"cpus": [{"nodes": [0, 0, 1]}], "fpgas": []}, "placed twice"),
        ({"cpus": [{"nodes": [0, 1, 5]}], "fpgas": []}, "unknown"),
        ({"cpus": [], "fpgas": [{"nodes": []}, {"nodes": [0]}]}, "uses device acc1"),
        ({"cpus": []}, "fpgas"),
    ],
)
def test_bad_splits(tmp_path, split, message):
    path = tmp_path / "split.json"
    path.write_text(json.dumps(split))
    with pytest.raises(InputError, match=message):
        read_split(path, workload_to_instance(WORKLOAD, "w"))


def test_not_a_workload(tmp_path):
    path = tmp_path / "w.json"
    path.write_text("{}")
    with pytest.raises(InputError, match="not a device-placement workload"):
        read_workload(path)
    path.write_text("{")
    with pytest.raises(InputError, match="truncated"):
        read_workload(path)
