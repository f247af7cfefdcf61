from dataclasses import dataclass
from typing import Literal

import pytest

from mapopt.errors import InputError
from mapopt.options import Options, Tune, option


@dataclass(frozen=True)
class Sample(Options):
    rounds: int = option(3, "how often", ge=1, le=9)
    share: float = option(0.5, "how much", ge=0)
    order: Literal["path", "time"] = option("path", "which first")
    strict: bool = option(False, "whether")
    limit_s: float | None = option(None, "time limit", ge=0)


def test_texts_become_values_and_the_rest_keeps_its_default() -> None:
    sample = Sample.parse(["rounds=4", "share=2", "order=time", "strict=True", "limit_s=1.5"])
    assert sample == Sample(4, 2.0, "time", True, 1.5)
    assert isinstance(sample.share, float)
    assert Sample.parse(["limit_s=none"]) == Sample()
    assert Sample.of({"rounds": 4}).as_dict() == {
        "rounds": 4,
        "share": 0.5,
        "order": "path",
        "strict": False,
        "limit_s": None,
    }


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("rounds", "has no '='"),
        ("round=3", "did you mean 'rounds'; it has rounds, share, order, strict, limit_s"),
        ("rounds=0", "option 'rounds': is '0'; it must be int >= 1 and <= 9"),
        ("rounds=10", "must be int >= 1 and <= 9"),
        ("rounds=2.5", "must be int"),
        ("share=nan", "must be float >= 0"),
        ("share=inf", "must be float >= 0"),
        ("share=-1", "must be float >= 0"),
        ("order=fast", "must be path | time"),
        ("strict=1", "must be true | false"),
        ("limit_s=soon", "must be float >= 0 | none"),
    ],
)
def test_refused_texts_say_what_is_taken(setting: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Sample.parse([setting])
    assert message in str(caught.value)


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="set twice"):
        Sample.parse(["rounds=2", "rounds=2"])


@pytest.mark.parametrize(
    "bad", [{"rounds": True}, {"rounds": 0}, {"order": "x"}, {"strict": 1}, {"share": None}]
)
def test_values_are_checked_where_the_options_are_made(bad: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(bad))):
        Sample(**bad)  # type: ignore[arg-type]


def test_options_describe_themselves() -> None:
    described = {info.name: info for info in Sample.describe()}
    assert described["rounds"].values == "int >= 1 and <= 9"
    assert described["order"].values == "path | time"
    assert described["limit_s"].default is None
    assert described["share"].help == "how much"


@dataclass(frozen=True)
class Tuned(Options):
    order: Literal["path", "time"] = option("path", "which first", tune=Tune())
    heat: float = option(1.0, "how hot", tune=Tune(0.1, 10.0, log=True), only_if=("order", ("path", "time")))
    strict: bool = option(False, "whether", tune=Tune(choices=(True, False)), only_if=("order", "time"))
    rounds: int = option(3, "how often")


def test_what_tuning_tries_is_described() -> None:
    assert [info.tuned for info in Tuned.describe()] == [
        "path | time",
        "0.1 to 10.0, logarithmic; if order is path or time",
        "true | false; if order is time",
        "",
    ]
