from itertools import product

from mapopt.emulator.analysis import max_load
from mapopt.emulator.lower import lower
from mapopt.mappers.registry import get
from mapopt.mapping import Mapping
from mapopt.testing import check_mapper
from tests.bounds.cases import random_instance
from tests.search.test_elastic import chain


def load(instance, mapping):
    return int(max_load(lower(instance, mapping)).ticks)


def test_contract():
    check_mapper(get("genetic", {"generations": 5}))


def test_the_least_largest_load_of_small_instances_is_found():
    instance = chain((53, 47, 31, 29, 23, 19, 17), 3)
    least = min(load(instance, Mapping.of(instance, units)) for units in product(range(3), repeat=7))
    assert [load(instance, get("genetic").map(instance, seed=seed)) for seed in range(4)] == [least] * 4


def test_generations_only_improve():
    for case in range(6):
        instance = random_instance(case, max_nodes=14, constrained=False)
        few, many = (
            load(instance, get("genetic", {"generations": count, "repairs": 0}).map(instance, seed=2))
            for count in (0, 40)
        )
        assert many <= few


def test_ten_seeds_agree_within_one_per_cent():
    instance = chain([97 + 31 * at % 53 for at in range(30)], 4)
    loads = [
        load(instance, get("genetic", {"generations": 20}).map(instance, seed=seed)) for seed in range(10)
    ]
    assert max(loads) <= 1.01 * min(loads)
