import os
import signal

import pytest
from ortools.sat.python import cp_model

from mapopt.search.small_models import solve_small


def test_a_solution_and_none_where_there_is_none():
    model = cp_model.CpModel()
    x = model.new_int_var(0, 9, "x")
    model.maximize(2 * x)
    assert solve_small(model, seed=0, effort=1.0).value(x) == 9
    model.add(x > 9)
    assert solve_small(model, seed=0, effort=1.0) is None


def test_an_interrupt_afterwards_is_still_the_callers():
    model = cp_model.CpModel()
    model.new_int_var(0, 1, "x")
    solve_small(model, seed=2**40, effort=1.0)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
