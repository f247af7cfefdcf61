"""What a tuning file may say."""

import jsonschema
import pytest

from mapopt.errors import InputError
from mapopt.mappers.tuned import Parameters
from mapopt.tuning.findings import Findings
from mapopt.tuning.templates import template_text, templates
from mapopt.tuning.tuning import Tuning, parse_tuning, read_tuning
from tests.tuning.tuning_files import write_tuning

HEAD = b'schema = "mapopt.tuning/1"\nname = "n"\nmapper = "lblp"\n'
SET = b'[[instances]]\nfiles = ["a.json"]\n'


def test_defaults():
    tuning = parse_tuning(HEAD + SET, "f")
    assert (tuning.sampler, tuning.pruner, tuning.seeds, tuning.finalists) == ("tpe", "median", 3, 5)
    assert tuning.baselines == ("lblp", "heft-tp", "maxtp")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "instances"),
        (HEAD + b"instances = []", "instances"),
        (HEAD + b"trails = 3\n" + SET, "trails"),
        (HEAD + b'sampler = "grid"\n' + SET, "sampler"),
        (HEAD + b'sampler = "nsga2"\n' + SET, 'set pruner = "none"'),
        (HEAD + b"[budget]\ntrials = 0\n" + SET, "budget.trials"),
        (HEAD + b"[budget]\ntime_s = 0.0\n" + SET, "budget.time_s"),
        (HEAD + b"latency_weight = nan\n" + SET, "latency_weight"),
        (
            HEAD + b"[split]\ntrain = ['a']\ntest = ['b', 'a']\n" + SET,
            "family 'a' is in 'train' and in 'test'",
        ),
        (HEAD + b"[split]\nshares = [0.6, 0.4]\n" + SET, "must leave some for the test"),
        (HEAD + b"[parameters.slack]\nlow = 0.1\n" + SET, "give low and high"),
        (
            HEAD + b"[parameters]\nslack = { low = 0.1, high = 0.2, choices = [1] }\n" + SET,
            "low and high, or choices",
        ),
        (b"\xff", "UTF-8"),
        (b"a = ", "TOML"),
        (b'schema = "mapopt.study/1"', "is a mapopt study"),
    ],
)
def test_rules(text, said):
    with pytest.raises(InputError) as error:
        parse_tuning(text, "f.toml")
    assert said in str(error.value)


def test_templates():
    assert set(templates()) >= {"quick", "library"}
    for name, description in templates().items():
        assert description
        assert template_text(name).startswith("#")
    with pytest.raises(InputError, match="did you mean 'quick'"):
        template_text("quikc")


@pytest.mark.parametrize("kind", ["tuning", "parameters", "findings"])
def test_schemas(kind):
    schema = {"tuning": Tuning, "parameters": Parameters, "findings": Findings}[kind].json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"mapopt.{kind}/1"


def test_seeds_and_baselines_are_named_once(tmp_path):
    path = write_tuning(tmp_path, head="seeds = [1, 1]")
    with pytest.raises(InputError, match=r"seeds are \[1, 1\]; name every seed once"):
        read_tuning(path)
    path = write_tuning(tmp_path)
    path.write_text(path.read_text().replace('["rr"]', '["rr", "tunable"]'))
    with pytest.raises(InputError, match="baselines name 'tunable', the mapper that is tuned"):
        read_tuning(path)
    text = path.read_text().replace('baselines = ["rr", "tunable"]\n', "").replace("tunable", "lblp")
    path.write_text(text)
    assert read_tuning(path).others == ("heft-tp", "maxtp")
