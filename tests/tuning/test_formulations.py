"""The options of a formulation, CP-SAT's own among them, are tuned as those of a mapper are."""

import json

import msgspec
import pytest
from typer.testing import CliRunner

from formulations.latency_modulo import LatencyModulo
from mapopt.cli.app import app
from mapopt.errors import InputError
from mapopt.studies.expansion import expand
from mapopt.studies.folder import Folder
from mapopt.studies.methods import SolveMethod
from mapopt.studies.study import parse_study
from mapopt.tuning import evaluation
from mapopt.tuning.concluding import conclude, parameters_of
from mapopt.tuning.running import Budgeted, run_tuning
from mapopt.tuning.setup import existing
from mapopt.tuning.subject import Subject
from mapopt.tuning.trials import load_study
from mapopt.tuning.tuning import parse_tuning, read_tuning
from tests.tuning.tuning_files import Here, write_tuning

pytestmark = pytest.mark.usefixtures("tunable", "cheap")

CPSAT = 'tuned = ["linearization_level", "symmetry_level", "branching"]\n'

SHY = 'tuned = ["shy"]\nseeds = 1\nparameters.shy.choices = ["very", "little"]\n'
"""A study that starts from an option with which there are no mappings."""


def write(top, formulation="shy-modulo", head="", effort="time_s = 0.5", **more):
    path = write_tuning(top, more=f"[effort]\n{effort}\n", each=1, **more)
    named = f'formulation = "{formulation}"\n{head}'
    path.write_text(path.read_text().replace('mapper = "tunable"\n', named, 1))
    return path


def tune(path, top, trials):
    return run_tuning(path, top / "results", None, Budgeted(trials=trials))


def test_solvers_own_parameters_are_tuned(tmp_path):
    setup, progress = tune(
        write(tmp_path, "latency-modulo", f"{CPSAT}seeds = 2\n", "time_s = 0.2"), tmp_path, 4
    )
    assert (progress.done, progress.completed) == (4, 4)
    trials = load_study(setup).trials
    default = {"linearization_level": 1, "symmetry_level": 2, "branching": "automatic"}
    assert trials[0].params == default
    assert len({tuple(trial.params.items()) for trial in trials}) > 1
    keys = [record.key for record in setup.folder.store.records()]
    for trial in trials:
        found = [key for key in keys if trial.params.items() <= key.parameters.items()]
        assert {key.seed for key in found} == {0, 1}
        assert {key.method for key in found} == {"formulation latency-modulo"}
        assert {key.limits["time_s"] for key in found} == {0.2}
        assert all(key.limits["deterministic"] for key in found)


def test_the_better_options_are_found_compared_and_exported(tmp_path):
    path = write(tmp_path, head=SHY)
    setup, progress = tune(path, tmp_path, 4)
    assert progress.best < progress.default
    findings = conclude(setup, Here())
    assert (findings.mapper, findings.formulation) == (None, "shy-modulo")
    assert findings.methods[:3] == ("shy-modulo (tuned)", "shy-modulo (default)", "shy-modulo (start)")
    assert (findings.options["shy"], findings.default_options["shy"]) == ("little", "no")
    for split in ("train", "validation", "test"):
        tuned, default, start = (findings.summary(split, name).score for name in findings.methods[:3])
        assert tuned == default < 1 < start
    trained = findings.summary("train", "shy-modulo (tuned)").score
    assert trained == pytest.approx(progress.best)

    file = tmp_path / "mine.json"
    parameters_of(findings).save(file)
    assert json.loads(file.read_bytes())["formulation"] == "shy-modulo"
    spec = f"tuned:{file}"
    method = SolveMethod.of("period,latency", formulation=spec)
    assert method == SolveMethod.of("period,latency", formulation="shy-modulo", options=findings.options)

    instance = str(setup.folder.instance_file(setup.cases[0].instance.digest))
    words = [
        "solve",
        instance,
        "--objective",
        "period,latency",
        "--deterministic",
        "--time-limit",
        "0.5",
        "--json",
    ]
    done = CliRunner().invoke(app, [*words, "--formulation", spec])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["status"] in ("optimal", "feasible")
    shy = [*words, "--formulation", "shy-modulo", "--set", "shy=very"]
    assert "shy as told" in str(CliRunner().invoke(app, shy).exception)

    text = 'schema = "mapopt.study/1"\nname = "s"\n[[instances]]\nfiles = ["a/*.json"]\n'
    text += f'[[solves]]\nformulation = "{spec}"\n'
    expansion = expand(parse_study(text.encode(), "s"), tmp_path, Folder(tmp_path / "s"))
    key = expansion.tasks[0].method.key(expansion.tasks[0].digest, 0)
    assert key.parameters["shy"] == "little"
    assert key.method == "formulation shy-modulo"


def test_parameter_files_say_what_they_are_of(tmp_path):
    from mapopt.mappers import registry as mappers
    from mapopt.mappers.tuned import Parameters
    from mapopt.solvers import registry as formulations

    file = tmp_path / "mine.json"
    options = formulations.get("latency-modulo").options.as_dict()
    known = Parameters(None, options, "s", 1, "sha256:" + "0" * 64, formulation="latency-modulo")
    known.sealed().save(file)
    assert formulations.get(f"tuned:{file}").name == "latency-modulo"
    with pytest.raises(
        InputError, match="holds options of formulation 'latency-modulo'; use it with --formulation"
    ):
        mappers.get(f"tuned:{file}")
    with pytest.raises(
        InputError, match="holds options of mapper 'parametric-list'; use it with --mapper tuned:fast"
    ):
        formulations.get("tuned:fast")
    with pytest.raises(InputError, match="option 'windows' is set by the parameter file"):
        formulations.get(f"tuned:{file}", ["windows=false"])
    msgspec.structs.replace(known, options={"old": 1}).sealed().save(file)
    with pytest.raises(InputError, match=r"'old'.*its parameter file is of another version"):
        formulations.get(f"tuned:{file}")
    with pytest.raises(InputError, match="of a mapper or of a formulation"):
        Parameters("lblp", {}, "s", 1, "", formulation="latency-modulo")


def test_an_interrupted_solve_gives_no_score(tmp_path, monkeypatch):
    path = write(tmp_path, "latency-modulo", f"{CPSAT}seeds = 1\n", "time_s = 0.1")
    original = evaluation.execute
    stopped = [True]

    def execute(run):
        return msgspec.structs.replace(original(run), interrupted=stopped.pop())

    monkeypatch.setattr(evaluation, "execute", execute)
    with pytest.raises(KeyboardInterrupt):
        tune(path, tmp_path, 1)
    setup = existing(path, tmp_path / "results", None)
    assert not list(setup.folder.store.records())
    stopped.append(False)
    assert tune(path, tmp_path, 1)[1].completed == 1


def test_a_changed_effort_is_refused(tmp_path):
    path = write(tmp_path, head=SHY)
    tune(path, tmp_path, 1)
    path.write_text(path.read_text().replace("time_s = 0.5", "time_s = 0.6"))
    with pytest.raises(InputError, match="changed since the study began: effort;"):
        tune(path, tmp_path, 1)


@pytest.mark.parametrize(
    ("formulation", "said"),
    [
        ("latency-modulos", "did you mean 'latency-modulo'"),
        ("latency-single", "does not minimise the latency of a stream"),
        ("period-assignment", "does not minimise the latency of a stream"),
        ("tuned:x", "name the formulation that it tunes"),
        ("not-counted", "runs on highs, whose effort cannot be counted; set deterministic = false"),
    ],
)
def test_rules_of_the_formulation(tmp_path, formulation, said):
    with pytest.raises(InputError, match=said):
        Subject.of(read_tuning(write(tmp_path, formulation)))


def test_instances_that_it_does_not_support_are_refused(tmp_path, monkeypatch):
    path = write(tmp_path, "latency-modulo")
    monkeypatch.setattr(LatencyModulo, "rejects", lambda *_: "as told")
    with pytest.raises(
        InputError, match=r"'latency-modulo': does not support instance 'a0.*: as told; tune another"
    ):
        tune(path, tmp_path, 1)


def test_seconds_may_limit_what_cannot_be_counted(tmp_path):
    subject = Subject.of(
        read_tuning(write(tmp_path, "not-counted", effort="deterministic = false\ntime_s = 3"))
    )
    assert (subject.limits.time_s, subject.limits.deterministic) == (3, False)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('formulation = "shy-modulo"', "", "has neither of mapper and formulation"),
        ('formulation = "shy-modulo"', 'formulation = "shy-modulo"\nmapper = "lblp"', "has both of mapper"),
        ('formulation = "shy-modulo"', 'mapper = "rd"', "effort is of the solves with a formulation"),
        ("time_s = 0.5", "time_s = 0", "time_s"),
        ("time_s = 0.5", "times = 1", "times"),
    ],
)
def test_rules_of_the_file(tmp_path, old, new, said):
    text = write(tmp_path).read_text().replace(old, new)
    with pytest.raises(InputError, match=said):
        parse_tuning(text.encode(), "tuning.toml")
