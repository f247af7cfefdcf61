import pytest

SPEC = ("resnet8", "--platform", "imce:imc=3,dpu=1")


def test_rows_of_all_mappers(mapopt):
    result = mapopt("compare", *SPEC, "--seeds", 2, "--json").json
    rows = {row["mapper"]: row for row in result["rows"]}
    assert {
        "lblp",
        "wb",
        "rr",
        "rd",
        "lpt",
        "heft",
        "cpop",
        "heft-tp",
        "cpop-tp",
        "maxtp",
        "pipeline",
        "annealed-elastic",
        "annealed-list",
    } <= rows.keys()
    assert rows["annealed-cyclic"]["status"] == "rejected"
    assert "occupy units or links" in rows["annealed-cyclic"]["reason"]
    for row in rows.values():
        if row["status"] == "rejected":
            continue
        assert row["status"] == "mapped"
        assert row["gap"] == pytest.approx(row["period_ns"] / result["bound_period_ns"] - 1)
        assert row["gap"] >= 0
        assert row["latency_single_ns"] >= result["bound_latency_ns"]
        assert row["latency_ns"]["mean"] >= row["latency_single_ns"] * 0.999
    assert rows["rd"]["spread"]["seeds"] == 2
    assert rows["rd"]["spread"]["min"] <= rows["rd"]["period_ns"] <= rows["rd"]["spread"]["max"]
    assert rows["lblp"]["spread"] is None


def test_time_triggered_periods_are_the_max_load(mapopt):
    result = mapopt("compare", *SPEC, "--seeds", 2, "--dispatch", "time-triggered", "--json").json
    for row in result["rows"]:
        assert row["period_ns"] == row["max_load_ns"]


def test_the_table_for_people(mapopt):
    shown = mapopt("compare", *SPEC, "--mappers", "lblp,wb").out
    assert "lower bound" in shown
    assert "lblp" in shown
    assert "period bound:" in shown


def test_fewer_seeds_of_searches_are_announced(mapopt):
    said = "annealed-list: takes long and was run with 5 seeds; --seeds sets the number for all"
    shown = mapopt("compare", *SPEC, "--mappers", "annealed-list:iterations=500,lblp").out
    assert said.replace("annealed-list", "annealed-list:iterations=500") in shown
    told = mapopt("compare", *SPEC, "--mappers", "annealed-list:iterations=500", "--seeds", 1).out
    assert "--seeds sets" not in told
    assert "--seeds sets" not in mapopt("compare", *SPEC, "--mappers", "lblp,rr").out


def test_mappers_that_find_nothing_say_so_and_the_rest_goes_on(mapopt):

    ran = mapopt("compare", "resnet18", "--platform", "imc:imc=4,dpu=1", "--seeds", 1, "--json")
    assert ran.code == 0
    assert {row["status"] for row in ran.json["rows"]} <= {"mapped", "none found", "rejected"}
    assert any(row["status"] == "mapped" for row in ran.json["rows"])
    for row in ran.json["rows"]:
        assert (row["period_ns"] is None) == (row["status"] != "mapped")
        assert bool(row["reason"]) == (row["status"] != "mapped")


@pytest.mark.parametrize(
    "arguments",
    [
        ("resnet8",),
        (*SPEC, "--mappers", "lblp,nonsense"),
        (*SPEC, "--mappers", "lblp:nonsense=1"),
        (*SPEC, "--seeds", 0),
        ("resnet18", "--platform", "imc:imc=1,dpu=1"),
        ("vgg16", "--platform", "imc:imc=4,dpu=1"),
    ],
)
def test_bad_input_exits_with_2(mapopt, arguments):
    ran = mapopt("compare", *arguments)
    assert ran.code == 2
    assert ran.err.startswith("mapopt: ") or "Usage" in ran.err


def test_numbers_out_of_range_exit_with_2_before_any_work(mapopt):
    for option in (("--window", 10**11), ("--seeds", 10**21)):
        ran = mapopt("compare", *SPEC, *option)
        assert ran.code == 2
        assert "it must be in 1.." in ran.err


def test_ctrl_c_prints_what_is_done_and_exits_with_130(mapopt, monkeypatch):
    from mapopt import comparison

    class Impatient(comparison._Judge):
        def row(self, spec, mapper, seeds):
            if spec == "wb":
                raise KeyboardInterrupt
            return super().row(spec, mapper, seeds)

    monkeypatch.setattr(comparison, "_Judge", Impatient)
    ran = mapopt("compare", *SPEC, "--mappers", "lblp,wb,rr", "--json")
    assert ran.code == 130
    assert [row["mapper"] for row in ran.json["rows"]] == ["lblp"]
    assert "interrupted" in ran.err


def test_figures_without_recurrence_are_marked(mapopt):
    shown = mapopt("compare", "resnet50", "--platform", "imce:imc=16,dpu=4", "--mappers", "heft-tp").out
    assert " ~" in shown
    assert "~ no recurrence within the budget" in shown


def test_the_table_is_whole_on_a_narrow_terminal(mapopt, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    shown = mapopt("compare", *SPEC, "--mappers", "lblp").out
    row = next(line for line in shown.splitlines() if "lblp" in line)
    assert row.split()[-1].endswith("%")
    assert "latency [us]" in shown
