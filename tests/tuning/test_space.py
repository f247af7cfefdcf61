from dataclasses import dataclass
from typing import Literal

import pytest

from mapopt.errors import InputError
from mapopt.mappers import registry as mappers
from mapopt.options import Options, Tune, option
from mapopt.solvers import registry as formulations
from mapopt.tuning.space import Parameter, Space


@dataclass(frozen=True)
class Sample(Options):
    order: Literal["path", "time", "none"] = option("path", "which first", tune=Tune())
    weight: float = option(
        1.0, "how much", ge=0, tune=Tune(0.1, 10.0, log=True), only_if=("order", ("path", "time"))
    )
    repair: bool = option(True, "whether", tune=Tune(), only_if=("order", "path"))
    rounds: int = option(3, "how often", ge=1, tune=Tune(1, 9), only_if=("repair", True))
    effort: int = option(100, "never tuned", ge=1)


SPACE = Space.of(Sample)


def test_the_space_is_what_the_options_declare() -> None:
    assert SPACE.parameters == (
        Parameter("order", "choice", None, None, False, ("path", "time", "none"), "path", None),
        Parameter("weight", "float", 0.1, 10.0, True, (), 1.0, ("order", ("path", "time"))),
        Parameter("repair", "choice", None, None, False, (False, True), True, ("order", ("path",))),
        Parameter("rounds", "int", 1, 9, False, (), 3, ("repair", (True,))),
    )
    assert SPACE.default() == {"order": "path", "weight": 1.0, "repair": True, "rounds": 3}


def test_conditions_switch_off_what_depends_on_what_is_off() -> None:
    values = {"order": "time", "weight": 2.0, "repair": True, "rounds": 7}
    assert SPACE.active(values) == {"order": "time", "weight": 2.0, "repair": True, "rounds": 3}
    assert SPACE.active({**values, "order": "path"})["rounds"] == 7
    assert SPACE.active({**values, "order": "none"})["weight"] == 1.0


def test_a_subset_fixes_the_rest_at_its_defaults() -> None:
    space = SPACE.restricted(["rounds"])
    assert space.names == ("rounds",)
    assert space.parameters[0].only_if is None
    assert space.active({"rounds": 5}) == {"order": "path", "weight": 1.0, "repair": True, "rounds": 5}


def test_overrides_fix_narrow_and_switch_off() -> None:
    space = SPACE.restricted({"order": "none", "rounds": Tune(5, 7)})
    assert space.parameters == ()
    assert space.default() == {"order": "none", "weight": 1.0, "repair": True, "rounds": 3}
    space = SPACE.restricted({"weight": Tune(2.0, 4.0), "order": Tune(choices=("none", "time"))})
    assert [(one.name, one.low, one.high, one.default) for one in space.parameters[:2]] == [
        ("order", None, None, "none"),
        ("weight", 2.0, 4.0, 2.0),
    ]
    assert space.restricted({"order": "time"}).active({"weight": 3.0})["weight"] == 3.0


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (["round"], "parameter 'round': is not tuned here; did you mean 'rounds'; there are order, weight"),
        ({"effort": 5}, "parameter 'effort': is not tuned here"),
        ({"rounds": 10}, "parameter 'rounds': is 10; it must be int 1 to 9"),
        ({"rounds": 2.5}, "it must be int 1 to 9"),
        ({"rounds": Tune(0, 5)}, "parameter 'rounds': is 0"),
        ({"rounds": Tune(choices=(1, 2))}, "give low and high"),
        ({"order": Tune(1, 2)}, "give choices"),
        ({"order": "fast"}, "it must be path | time | none"),
        ({"repair": 1}, "it must be False | True"),
    ],
)
def test_refused_restrictions_say_what_is_possible(which: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        SPACE.restricted(which)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_space_without_parameters_is_refused_by_name() -> None:
    SPACE.require_any("mapper 'sample'")
    with pytest.raises(InputError, match=r"mapper 'rr': has a space without parameters; tune another"):
        Space.of(mappers.get("rr").options_type).require_any("mapper 'rr'")
    with pytest.raises(InputError, match=r"fixed \(order, weight, repair, rounds\)"):
        SPACE.restricted([]).require_any("mapper 'sample'")


def declared(default: object, hint: object, **rule: object) -> type[Options]:
    space = {
        "__annotations__": {"first": int, "it": hint},
        "first": option(1, ""),
        "it": option(default, "", **rule),
    }
    return dataclass(frozen=True)(type("Declared", (Options,), space))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (lambda: declared(5, int, tune=Tune(6, 9)), "parameter 'it': is 5"),
        (lambda: declared(5, int, ge=3, tune=Tune(1, 9)), "option 'it': is 1"),
        (lambda: declared("a", str, tune=Tune()), "Tune() has no values"),
        (lambda: declared("a", str, tune=Tune(1, 2)), "only an int or a float"),
        (lambda: declared(5, int, tune=Tune(1, 9), only_if=("later", 1)), "no earlier option"),
    ],
)
def test_contradictions_of_a_declaration_are_refused(kind: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Space.of(kind())  # type: ignore[operator]
    assert message in str(caught.value)


def test_a_condition_on_what_is_not_tuned_is_decided_by_its_default() -> None:
    assert Space.of(declared(5, int, tune=Tune(1, 9), only_if=("first", 1))).parameters[0].only_if is None
    assert Space.of(declared(5, int, tune=Tune(1, 9), only_if=("first", 2))).parameters == ()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tune(1), "has one end"),
        (lambda: Tune(2, 2), "low must be below high"),
        (lambda: Tune(0, 2, log=True), "log needs low > 0"),
        (lambda: Tune(1, 2, choices=(1, 2)), "comes with choices"),
        (lambda: Tune(choices=("a", "a")), "two or more, all different"),
    ],
)
def test_a_range_has_two_ends_and_values_differ(make: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()  # type: ignore[operator]
    assert message in str(caught.value)


TUNED = {
    "annealed-cyclic", "annealed-elastic", "annealed-list", "annealed-retimed", "genetic", "lblp", "lns-cpsat",
    "parametric-list",
    "latency-modulo", "latency-modulo-transfers", "latency-single",
}  # fmt: skip


def test_every_registered_space_is_sound_and_its_default_is_that_of_the_options() -> None:
    tuned = set()
    for registry in (mappers, formulations):
        for name in registry.names():
            kind = type(registry.get(name)).options_type
            space = Space.of(kind)
            assert kind.of(space.default()) == kind(), name
            if space.parameters:
                tuned.add(name)
    assert tuned >= TUNED
