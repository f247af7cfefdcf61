import pytest

from mapopt.errors import InfeasibleError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mappers.base import NoOptions
from mapopt.mappers.run import BrokenMapperError, map_instance, run_mapper
from mapopt.mapping import Mapping

PROBLEM = Instance(
    "p",
    ("a",),
    (Unit("u", "a", 1), Unit("v", "a", 1)),
    (InstanceNode("n", (3,), "", (1,)), InstanceNode("m", (4,), "", (1,))),
)


class Careless:
    name = "careless"
    summary = reference = ""
    options_type = NoOptions
    is_random = False
    options = NoOptions()

    def rejects(self, instance):
        return None

    def map(self, instance, *, seed=0):
        return Mapping.of(instance, [0] * len(instance.nodes))


def test_a_mapping_that_breaks_a_rule_is_the_mappers_defect():
    with pytest.raises(
        BrokenMapperError, match="'careless' returned a mapping that breaks the rule 'crossbars'"
    ):
        run_mapper(Careless(), PROBLEM)


def test_a_crash_names_the_mapper():
    class Crashing(Careless):
        def map(self, instance, *, seed=0):
            raise ZeroDivisionError("oops")

    with pytest.raises(
        BrokenMapperError, match=r"mapper 'careless' \(.*\) failed with ZeroDivisionError: oops"
    ):
        run_mapper(Crashing(), PROBLEM)


def test_an_infeasible_instance_never_reaches_the_mapper():
    full = Instance("p", ("a",), (Unit("u", "a", 1),), PROBLEM.nodes)
    with pytest.raises(InfeasibleError, match="need 2 crossbars"):
        run_mapper(Careless(), full)


def test_the_claims_are_measured():
    claims = map_instance(PROBLEM, "lblp").claims
    assert (claims.max_load_ticks, claims.latency_single_ticks) == ("4", 4)
