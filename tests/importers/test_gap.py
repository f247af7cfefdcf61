import itertools

import pytest

from formulations.energy_assignment import EnergyAssignment
from mapopt.errors import InputError
from mapopt.importers.gap import read_gap
from mapopt.solvers.model import Objective, Status
from tests.formulations.period_cases import answered

COSTS = [[4, 7, 3, 9], [6, 2, 5, 5]]
NEEDS = [[3, 4, 2, 6], [5, 3, 4, 2]]
CAPACITIES = [6, 8]
TEXT = "2 4\n" + "\n".join(" ".join(map(str, row)) for row in (*COSTS, *NEEDS, CAPACITIES)) + "\n"


def write(tmp_path, text):
    path = tmp_path / "tiny.txt"
    path.write_text(text)
    return path


def test_costs_needs_and_capacities_arrive_where_they_belong(tmp_path):
    instance = read_gap(write(tmp_path, TEXT))
    assert instance.energy.T.tolist() == COSTS
    assert instance.crossbars.T.tolist() == NEEDS
    assert [unit.crossbars for unit in instance.units] == CAPACITIES
    assert not instance.times.any()


def test_the_least_energy_is_the_least_cost(tmp_path):
    costs = [
        sum(COSTS[agent][job] for job, agent in enumerate(agents))
        for agents in itertools.product(range(2), repeat=4)
        if all(
            sum(NEEDS[agent][job] for job in range(4) if agents[job] == agent) <= CAPACITIES[agent]
            for agent in range(2)
        )
    ]
    answer = answered(EnergyAssignment(), read_gap(write(tmp_path, TEXT)), Objective.ENERGY)
    assert (answer.status, answer.value) == (Status.OPTIMAL, min(costs))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "numbers of agents and jobs"),
        ("0 4 1", "both must be >= 1"),
        (TEXT + "1", "has 19 numbers after its first two"),
        (TEXT.replace("7", "-7"), "'-7' where a number is expected"),
        (TEXT.replace("7", "1.5"), "'1.5' where a number"),
        (TEXT.replace("7", "9" * 5000), "integers in 0.."),
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_gap(write(tmp_path, text))


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.txt"):
        read_gap(tmp_path / "none.txt")
