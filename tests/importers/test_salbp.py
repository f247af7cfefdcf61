import itertools

import pytest

from formulations.period_contiguous import PeriodContiguous
from mapopt.errors import InputError
from mapopt.importers.salbp import read_salbp
from mapopt.solvers.model import Status
from tests.formulations.period_cases import answered

TIMES = (6, 2, 5, 7, 1, 2, 3)
AFTER = ((1, 2), (1, 3), (2, 4), (3, 5), (5, 6), (4, 7), (6, 7))
IN2 = "7\n" + "".join(f"{time}\n" for time in TIMES) + "".join(f"{one},{other}\n" for one, other in AFTER)
ALB = (
    "<number of tasks>\n7\n\n<cycle time>\n1000\n\n<order strength>\n0,268\n\n<task times>\n"
    + "".join(f"{number} {time}\n" for number, time in enumerate(TIMES, 1))
    + "\n<precedence relations>\n"
    + "".join(f"{one},{other}\n" for one, other in AFTER)
    + "\n<end>\n"
)


def write(tmp_path, text, name="tiny.alb"):
    path = tmp_path / name
    path.write_text(text)
    return path


def least_cycle_time(stations):
    """By enumeration of all line balances."""
    return min(
        max(sum(time for time, at in zip(TIMES, line, strict=True) if at == each) for each in range(stations))
        for line in itertools.product(range(stations), repeat=len(TIMES))
        if all(line[one - 1] <= line[other - 1] for one, other in AFTER)
    )


def test_both_formats_hold_the_same_problem(tmp_path):
    sectioned = read_salbp(write(tmp_path, ALB), 3)
    plain = read_salbp(write(tmp_path, IN2 + "-1,-1\n"), 3)
    assert sectioned == plain == read_salbp(write(tmp_path, IN2), 3)
    assert sectioned.times.T.tolist() == [list(TIMES)]
    assert [(one + 1, other + 1) for one, other, _ in sorted(plain.edges)] == sorted(AFTER)
    assert len(plain.units) == 3


@pytest.mark.parametrize("stations", [1, 2, 3, 4])
def test_the_contiguous_period_is_the_cycle_time(tmp_path, stations):
    answer = answered(PeriodContiguous(), read_salbp(write(tmp_path, ALB), stations))
    assert (answer.status, answer.value) == (Status.OPTIMAL, least_cycle_time(stations))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "number of tasks"),
        ("7\n1\n2\n", "has 2 lines after the number of tasks, 7"),
        (IN2 + "1,9\n", "precedence 1,9 names no task"),
        (IN2 + "1,2,3\n", "two numbers are expected"),
        (IN2 + "7,1\n", "cycle"),
        (IN2.replace("5\n", "x\n", 1), "'x' where a number is expected"),
        ("<number of tasks>\n7\n", "no section <task times>"),
        (ALB.replace("7 3\n", ""), "give one for each task 1..7"),
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_salbp(write(tmp_path, text), 2)


def test_no_stations(tmp_path):
    with pytest.raises(InputError, match="must be >= 1"):
        read_salbp(write(tmp_path, ALB), 0)
