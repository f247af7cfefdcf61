"""A mapping is judged in the class in which the study compares."""

import pytest

from mapopt.emulator.schedule import schedule
from mapopt.mappers.run import map_instance, with_claims
from mapopt.mapping import Mapping
from mapopt.sources import load_instance
from mapopt.studies.methods import MapperMethod
from mapopt.studies.outcomes import judged_record
from tests.studies.study_files import instance


@pytest.fixture(scope="module")
def resnet8():
    return load_instance("resnet8", platform="imce:imc=4,dpu=1,transfer=free")


def judged(problem, mapping, compared):
    key = MapperMethod.of("lblp", (), compared).key(problem.digest)
    return judged_record(key, problem, mapping, compared, 0.5)


def test_time_triggered_latency_is_that_of_the_schedule(resnet8):
    mapping = map_instance(resnet8, "lblp")
    record = judged(resnet8, mapping, "time-triggered")
    claims = schedule(resnet8, mapping).claims
    assert record.level("period").value == int(claims.period_ticks) == int(claims.max_load_ticks)
    assert record.level("latency").value == claims.latency_ticks == record.latency_ticks
    assert claims.latency_ticks > claims.latency_single_ticks
    assert record.schedule_class == "time-triggered, one pattern (K = 1), free transfers"
    assert [(entry.objective, entry.time_s) for entry in record.trace] == [("period", 0.5), ("latency", 0.5)]


def test_starts_that_a_mapping_brings_are_kept(resnet8):
    brought = schedule(resnet8, map_instance(resnet8, "rr"))
    late = tuple(start + 7 for start in brought.patterns[0].starts)
    shifted = Mapping(
        brought.nodes,
        (type(brought.patterns[0])(brought.patterns[0].units, late),),
        brought.horizon,
        claims=brought.claims,
    )
    record = judged(resnet8, shifted, "time-triggered")
    assert record.level("latency").value == brought.claims.latency_ticks + 7
    assert record.mapping.patterns == shifted.patterns


def test_single_frame_latency_is_that_of_a_frame_alone(resnet8):
    mapping = map_instance(resnet8, "lblp")
    record = judged(resnet8, mapping, "single-frame")
    assert [level.objective for level in record.levels] == ["latency"]
    assert record.level("latency").value == mapping.claims.latency_single_ticks
    assert record.schedule_class == "time-triggered, one frame alone, free transfers"
    assert not record.mapping.is_time_triggered


def test_a_period_that_is_no_whole_number_of_ticks_is_a_ratio():
    problem = instance(4, 5)
    mapping = with_claims(problem, Mapping.of(problem, [0, 1], [1, 0]))
    record = judged(problem, mapping, "time-triggered")
    assert record.period_ticks == "9/2"
    assert [level.objective for level in record.levels] == ["latency"]
    assert "2 patterns (K = 2)" in record.schedule_class
