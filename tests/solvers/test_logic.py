from itertools import product

from ortools.sat.python import cp_model

from mapopt.solvers.logic import Logic, negated


def solutions(model: cp_model.CpModel, wanted: list[object]) -> list[tuple[int, ...]]:
    found = []

    class Collector(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            found.append(tuple(int(self.value(each)) for each in wanted))

    solver = cp_model.CpSolver()
    solver.parameters.enumerate_all_solutions = True
    solver.solve(model, Collector())
    return sorted(found)


def test_conjunction_and_disjunction_are_equivalences():
    for make, truth in (("all_of", all), ("any_of", any)):
        for signs in product([False, True], repeat=2):
            model = cp_model.CpModel()
            logic = Logic(model)
            a, b = model.new_bool_var("a"), model.new_bool_var("b")
            one, two = negated(a) if signs[0] else a, negated(b) if signs[1] else b
            made = logic.all_of(one, two) if make == "all_of" else logic.any_of([one, two])
            want = [
                (x, y, int(truth([bool(x) != signs[0], bool(y) != signs[1]])))
                for x, y in product([0, 1], [0, 1])
            ]
            assert solutions(model, [a, b, made]) == sorted(want)


def test_what_is_decided_costs_nothing():
    model = cp_model.CpModel()
    logic = Logic(model)
    a = model.new_bool_var("a")
    assert logic.all_of(a, False) is False
    assert logic.all_of() is True
    assert logic.all_of(a, True) is a
    assert logic.any_of([a, True]) is True
    assert logic.any_of([]) is False
    assert (negated(True), negated(False)) == (False, True)
    logic.clause(a, True)
    logic.require(a == 1, False)
    assert len(model.proto.constraints) == 0
    b = model.new_bool_var("b")
    assert logic.all_of(a, b) is logic.all_of(b, a)


def test_rules_hold_where_they_are_asked_for():
    model = cp_model.CpModel()
    logic = Logic(model)
    a, b, c = (model.new_bool_var(name) for name in "abc")
    logic.require(c == 1, a, True, b)
    logic.clause(a, False, b)
    want = [x for x in product([0, 1], repeat=3) if (x[0] or x[1]) and (not (x[0] and x[1]) or x[2])]
    assert solutions(model, [a, b, c]) == sorted(want)
