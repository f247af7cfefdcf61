from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from mapopt.emulator.gantt import _duration, draw_gantt, gantt
from mapopt.emulator.schedule import schedule
from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mapping import MapperRef, Mapping
from mapopt.transfers import Blocking, Free

from .test_lower import GBYTE, ports, star


def test_bars_of_the_steady_state() -> None:
    instance = star(ports(60))
    mapping = Mapping.of(instance, (0, 1, 2, 3), mapper=MapperRef("hand"))
    picture = gantt(instance, mapping)
    assert picture.title == "star, mapped by hand"
    assert "self-timed" in picture.subtitle
    assert picture.end_ns - picture.begin_ns == pytest.approx(4 * picture.band_ns)
    assert picture.begin_ns <= picture.band_at_ns <= picture.end_ns - picture.band_ns
    assert all(picture.begin_ns <= bar.start_ns < bar.end_ns <= picture.end_ns for bar in picture.bars)
    assert {bar.resource for bar in picture.bars} >= {"u0", "u1", "u2", "u3", "out0", "in3"}
    # whole periods of a steady state hold the same work each
    busy = [
        sum(max(0.0, min(bar.end_ns, at + picture.band_ns) - max(bar.start_ns, at)) for bar in picture.bars)
        for at in (picture.begin_ns, picture.begin_ns + picture.band_ns * 3)
    ]
    assert busy[0] == pytest.approx(busy[1])


def test_a_short_pipeline_is_shown_from_the_empty_machine() -> None:
    instance = star(Free())
    picture = gantt(instance, Mapping.of(instance, (0, 0, 0, 0)))
    assert picture.begin_ns == 0
    assert min(bar.frame for bar in picture.bars) == 0


def test_holds_are_stall() -> None:
    instance = star(Blocking(GBYTE, 2))
    picture = gantt(instance, schedule(instance, Mapping.of(instance, (0, 1, 2, 3))))
    assert {bar.kind for bar in picture.bars} == {"work", "stall"}
    assert "time-triggered" in picture.subtitle


def test_files(tmp_path: Path) -> None:
    instance = star(ports(1))
    mapping = Mapping.of(instance, (0, 1, 2, 3))
    draw_gantt(tmp_path / "g.svg", instance, mapping, interval=Fraction(40))
    text = (tmp_path / "g.svg").read_text()
    assert text.startswith("<svg")
    assert "star, mapped by mapping" in text
    assert "period 40 ns" in text
    draw_gantt(tmp_path / "g.png", instance, mapping, interval="saturated", window=3)
    assert (tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match=r"written as \.svg or \.png"):
        draw_gantt(tmp_path / "g.pdf", instance, mapping)


def test_pictures_have_a_limit() -> None:
    instance = star(Free())
    with pytest.raises(InputError, match="bars"):
        gantt(instance, Mapping.of(instance, (0, 1, 2, 3)), periods=6000)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0.5, "0.5 ns"),
        (1999, "1,999 ns"),
        (2000, "2 µs"),
        (1_999_000, "1,999 µs"),
        (2.5e6, "2.5 ms"),
        (2e9, "2 s"),
    ],
)
def test_durations_are_in_the_largest_unit_of_which_there_are_two(ns: float, text: str) -> None:
    assert _duration(ns) == text


def test_the_band_of_two_patterns_is_what_repeats() -> None:
    instance = Instance(
        "p", ("a",), (Unit("u", "a"), Unit("v", "a")), (InstanceNode("n", (10,)), InstanceNode("m", (4,)))
    )
    picture = gantt(instance, schedule(instance, Mapping.of(instance, (0, 1), (1, 0))))
    assert picture.band == "2 periods of 7 ns"
    assert picture.band_ns == 14
