"""Expansion gives each run once, counts before it expands, and refuses what could not run."""

import shlex
import sys
import time
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from mapopt.cli import main
from mapopt.errors import InputError
from mapopt.library.references import Finding, Level, Reference
from mapopt.solvers.model import Limits
from mapopt.studies.expansion import expand
from mapopt.studies.folder import Folder
from mapopt.studies.plan import KnownBound
from mapopt.studies.runs import solve_run
from mapopt.studies.store import RunStore
from mapopt.studies.study import MAX_RUNS, read_study
from tests.library.libraries import write_library
from tests.studies.study_files import instance, write_study

ROOT = Path(__file__).parents[2]
HEAD = 'schema = "mapopt.study/1"\nname = "s"\n{top}\n[[instances]]\n{instances}\n'
FILES = 'files = ["four.instance.json"]'
LPT = '[[mappers]]\nname = "lpt"'


def expanded(tmp_path, text=""):
    path = write_study(tmp_path, text)
    return expand(read_study(path), tmp_path, Folder(tmp_path / "results"))


def test_seeds_are_for_random_mappers(tmp_path):
    expansion = expanded(tmp_path)
    runs = [(run.instance, run.method, run.seed, run.role) for run in expansion.plan.runs]
    assert runs == [
        (f"{name}.instance", method, seed, "mapper")
        for name in ("four", "three")
        for method, seed in (("rd", 0), ("rd", 1), ("rd", 2), ("lpt", 0))
    ]
    assert [task.id for task in expansion.tasks] == [run.id for run in expansion.plan.runs]
    assert len({run.id for run in expansion.plan.runs}) == len(runs)
    assert sorted(each.name for each in expansion.instances.values()) == ["four nodes", "three nodes"]


def test_lists_of_values_expand_to_products(tmp_path):
    text = HEAD.format(top="", instances=FILES) + (
        '[[mappers]]\nname = "lblp"\noptions = { path_order = ["merged", "decreasing"], avoid = ["tied", "off"] }'
    )
    assert [run.method for run in expanded(tmp_path, text).plan.runs] == [
        f"lblp path_order={order} avoid={avoid}"
        for order in ("merged", "decreasing")
        for avoid in ("tied", "off")
    ]


def test_networks_times_platforms_times_parameters(tmp_path):
    text = HEAD.format(
        top="",
        instances='networks = ["resnet8"]\nplatforms = ["imce", "imc:dpu=2"]\nparameters = { imc = [2, 4] }',
    )
    expansion = expanded(tmp_path, text + LPT)
    assert [run.instance for run in expansion.plan.runs] == [
        "resnet8 imce:imc=2",
        "resnet8 imce:imc=4",
        "resnet8 imc:dpu=2,imc=2",
        "resnet8 imc:dpu=2,imc=4",
    ]
    counts = [len(each.units) for each in expansion.instances.values()]
    assert counts[1] - counts[0] == 2 == counts[3] - counts[2]


def test_instances_of_the_library(tmp_path):
    library = write_library(tmp_path / "instances")
    text = HEAD.format(top="", instances=f'library = ["small/p*", "small/five"]\n{FILES}')
    expansion = expanded(tmp_path, text + LPT)
    assert [run.instance for run in expansion.plan.runs] == ["small/five", "small/planted", "four.instance"]
    made = [member.make().instance for member in library]
    assert list(expansion.instances.values())[:2] == made
    assert [run.instance_digest for run in expansion.plan.runs][:2] == [each.digest for each in made]
    whole = HEAD.format(top='library = "instances"', instances='library = ["small"]')
    assert [run.instance for run in expanded(tmp_path, whole + LPT).plan.runs] == [
        "small/five",
        "small/planted",
    ]


def test_the_plan_knows_what_the_library_proved(tmp_path):
    member = next(iter(write_library(tmp_path / "instances")))
    made = member.make().instance
    bounds = (Finding(9, "by hand", "0.1.0", "2026-01-30"), Finding(10, "counting", "0.1.0", "2026-01-31"))
    reference = msgspec.structs.replace(Reference.of(made), period=Level(bounds=bounds))
    member.keep(reference)
    text = HEAD.format(top="", instances='library = ["small"]') + LPT
    assert expanded(tmp_path, text).plan.known == (
        KnownBound(made.digest, "period", 10, "counting", "small/five"),
    )
    other = Reference.of(instance(1, 2))
    member.keep(other)
    with pytest.raises(InputError, match="small/five: its reference is of another instance; run `mapopt lib"):
        expanded(tmp_path, text)


def test_the_library_may_be_elsewhere(tmp_path, monkeypatch):
    write_library(tmp_path / "there" / "mine")
    text = HEAD.format(top='library = "there/mine"', instances='library = ["small/five"]') + LPT
    assert len(expanded(tmp_path, text).tasks) == 1
    (tmp_path / "study").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(expanded(tmp_path / "study", text).tasks) == 1


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        ('"smal"', "instances[0]: library: family 'smal' does not exist; did you mean 'small'"),
        (
            '"small", "small/fife*"',
            "instances[0]: library: no instance matches small/fife*; names look like",
        ),
    ],
)
def test_unknown_instances_of_the_library_are_refused(tmp_path, patterns, says):
    write_library(tmp_path / "instances")
    with pytest.raises(InputError) as error:
        expanded(tmp_path, HEAD.format(top="", instances=f"library = [{patterns}]") + LPT)
    assert says in str(error.value)


def test_without_a_library_the_study_says_where_to_name_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        expanded(tmp_path, HEAD.format(top='library = "none"', instances='library = ["small"]') + LPT)
    assert "instances[0]: library: none: is no instance library" in str(error.value)
    assert 'at the top, library = "DIR"' in str(error.value)


def test_an_instance_of_the_library_that_comes_twice_is_refused(tmp_path):
    write_library(tmp_path / "instances")
    sets = 'library = ["small/five"]\n[[instances]]\nfiles = ["instances/small/five.json"]'
    with pytest.raises(InputError, match="instance 'five' is the same as 'small/five'; drop one"):
        expanded(tmp_path, HEAD.format(top="", instances=sets) + LPT)


def test_a_solve_has_the_id_of_the_same_solve_outside_a_study(tmp_path):
    text = HEAD.format(top="", instances=FILES) + '[[solves]]\nobjective = "period,latency"\nslack = 0.1\n'
    (run,) = expanded(tmp_path, text + "limits = { time_s = 2, workers = 2 }").plan.runs
    assert (run.method, run.role) == ("solve period,latency slack=0.1 time_s=2", "reference")
    record, _ = solve_run(
        RunStore(tmp_path / "other"),
        instance(4, 5, 6, 9),
        "period,latency",
        slack=Fraction(1, 10),
        limits=Limits(2.0, 2),
    )
    assert record.id == run.id


def test_the_command_repeats_the_run(tmp_path, mapopt_command):
    text = HEAD.format(top="", instances=FILES) + (
        '[[mappers]]\nname = "rd"\nseeds = [7]\n[[solves]]\nobjective = "period"\nlimits = { time_s = 2 }'
    )
    expansion = expanded(tmp_path, text)
    for each in expansion.instances.values():
        Folder(tmp_path / "results").keep(each)
    for run in expansion.plan.runs:
        assert mapopt_command(run.command) == 0


@pytest.fixture
def mapopt_command(monkeypatch, tmp_path):
    def run(command):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        try:
            main()
        except SystemExit as exit_:
            return exit_.code or 0
        return 0

    return run


def test_labels_of_instances_are_unique(tmp_path):
    (tmp_path / "other").mkdir()
    instance(1, 1).save(tmp_path / "other" / "four.instance.json")
    text = HEAD.format(top="", instances='files = ["four.instance.json", "other/*.json"]') + LPT
    assert [run.instance for run in expanded(tmp_path, text).plan.runs] == [
        "four.instance",
        "four.instance (2)",
    ]


@pytest.mark.parametrize(
    ("instances", "methods", "says"),
    [
        ("", LPT, r"instances\[0\]: names no instance"),
        ("networks = ['resnet8']", LPT, "no platforms"),
        ("platforms = ['imce']", LPT, "no networks"),
        (FILES + "\nparameters = { imc = 2 }", LPT, "parameters but no platforms"),
        ("files = ['no*.json']", LPT, "no file matches"),
        ("files = ['no.json']", LPT, "no.json: cannot be read"),
        ("files = ['x.onnx']", LPT, "networks go into networks"),
        ("networks = ['x.json']\nplatforms = ['imce']", LPT, "name it in files"),
        ("networks = ['resnet9']\nplatforms = ['imce']", LPT, "resnet9"),
        ("networks = ['resnet8']\nplatforms = ['imcf']", LPT, "imcf"),
        ("networks = ['resnet8']\nplatforms = ['imce']\nparameters = { imx = 2 }", LPT, "imx"),
        ("networks = ['resnet8']\nplatforms = ['imce']\nparameters = { imc = [] }", LPT, "empty list"),
        (FILES, "", "expands to no run; give it mappers or solves"),
        (FILES, '[[mappers]]\nname = "lptt"', r"mappers\[0\]: mapper 'lptt': is not registered"),
        (FILES, LPT + "\noptions = { x = 1 }", r"mappers\[0\]: mapper 'lpt': option 'x'"),
        (FILES, LPT + "\noptions = { x = [] }", "empty list"),
        (FILES, LPT + "\n" + LPT, "is the same run as 'lpt' with seed 0"),
        (FILES, '[[mappers]]\nname = "rd"\nseeds = [1, 1]', "is the same run as 'rd' with seed 1"),
        ("files = ['four.instance.json', '*.instance.json']", LPT, "is the same as"),
        (FILES, '[[solves]]\nformulation = "x"', r"solves\[0\]: formulation 'x'"),
        (FILES, "[[solves]]\noptions = { x = 1 }", "belong to a formulation"),
        (FILES, '[[solves]]\nobjective = "energy"', "objective is 'energy'"),
        (FILES, '[[solves]]\nobjective = "latency"', "of a frame alone"),
        (FILES, '[[solves]]\nobjective = "period"\nmax_period = 3', "max_period goes with"),
        (FILES, '[[solves]]\nobjective = "period"\nslack = 0.1', "slack goes with"),
        (FILES, "[[solves]]\nslack = -0.1", "slack is -0.1"),
        (FILES, "[[solves]]\nslack = nan", "slack is nan"),
        (FILES, "[[solves]]\ncontiguous = true", "contiguous goes with"),
        (FILES, '[[solves]]\nobjective = "period"\nsolver = "cplex"', "solver 'cplex'"),
        (FILES, '[[solves]]\nformulation = "period-assignment"', "does not minimise 'latency'"),
        (FILES, "[[solves]]\nlimits = { time_s = 1e9 }", "time_s is 1e"),
    ],
)
def test_what_could_not_run_is_refused(tmp_path, instances, methods, says):
    with pytest.raises(InputError, match=says):
        expanded(tmp_path, HEAD.format(top="", instances=instances) + methods)


def test_streams_are_not_compared_with_frames_alone(tmp_path):
    text = HEAD.format(top='class = "single-frame"', instances=FILES)
    with pytest.raises(InputError, match="of a stream of frames"):
        expanded(tmp_path, text + "[[solves]]")
    (run,) = expanded(tmp_path, text + '[[solves]]\nobjective = "latency"').plan.runs
    assert run.method == "solve latency"


@pytest.mark.parametrize(
    ("top", "instances", "methods"),
    [
        ("seeds = 1000000000", FILES, '[[mappers]]\nname = "rd"'),
        ("", FILES, "[[solves]]\nseeds = 1000000000"),
        (
            "",
            "networks = ['resnet8']\nplatforms = ['imce']\n"
            f"parameters = {{ imc = {list(range(1000))}, dpu = {list(range(1000))}, tick_ps = {list(range(1000))} }}",
            LPT,
        ),
        (
            "",
            FILES,
            LPT
            + f"\noptions = {{ a = {list(range(1000))}, b = {list(range(1000))}, c = {list(range(1000))} }}",
        ),
    ],
)
def test_a_billion_runs_are_refused_before_they_are_expanded(tmp_path, top, instances, methods):
    begin = time.monotonic()
    with pytest.raises(InputError, match=f"1,000,000,000 .*at most {MAX_RUNS:,}"):
        expanded(tmp_path, HEAD.format(top=top, instances=instances) + methods)
    assert time.monotonic() - begin < 2


def test_the_study_of_the_documentation_expands(tmp_path):
    text = (ROOT / "docs" / "studies.md").read_text().split("```toml\n")[1].split("```")[0]
    runs = expanded(tmp_path, text).plan.runs
    assert len(runs) == 2 * (1 + 5 + 2 + 1)
