import pytest

from mapopt.errors import InputError
from mapopt.platform.library import PRESETS, load_platform, preset_text


def test_presets_load_and_explain_themselves():
    for name in PRESETS:
        chip = load_platform(name)
        assert chip.name == name
        assert chip.summary
        assert chip.reference
        assert preset_text(name).startswith("#")


def test_parameters_change_counts_model_and_interconnect():
    chip = load_platform(
        "imce:imc=3,dpu=0,transfer=blocking,bytes_per_s=125000000,model=mvm,activation_bits=4"
    )
    assert [unit_class.count for unit_class in chip.classes] == [3, 0]
    assert chip.classes[0].base_model == "mvm"
    assert chip.classes[1].base_model is None
    assert (chip.interconnect.transfer, chip.interconnect.bytes_per_s) == ("blocking", 125_000_000)
    assert chip.activation_bits == 4


def test_a_file_takes_parameters_too(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(preset_text("imc"))
    assert load_platform(str(path)) == load_platform("imc")
    assert load_platform(f"{path}:imc=5").classes[0].count == 5


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("imcee", "did you mean 'imce'"),
        ("", "must be a preset"),
        ("none.toml", "cannot be read"),
        ("imce:gpu=1", "unknown key 'gpu'; valid keys are imc, dpu, transfer"),
        ("imce:imc", "'imc' is not key=value"),
        ("imce:", "is not key=value"),
        ("imce:imc=1,imc=2", "key 'imc' appears twice"),
        ("imce:imc=two", "must be a whole number"),
        ("imce:imc=-1", ">= 0"),
        ("imce:imc=1000000000", "<= 100000"),
        ("imce:imc=0,dpu=0", "has no units"),
        ("imce:transfer=magic", "magic"),
        ("imce:bytes_per_s=0", ">= 1"),
        ("imce:tick_ps=0", ">= 1"),
        ("imce:model=fast", "fast"),
    ],
)
def test_bad_specifications_name_the_remedy(spec, message):
    with pytest.raises(InputError, match=message):
        load_platform(spec)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("count = 8", "count = 8\ncolour = 1"), "colour"),
        (('base_model = "mvm"', ""), None),
        (("mvm_ps = 100_000", "mvm_ps = -5"), ">= 0"),
        (("mvm_ps = 100_000", "mvm_ps = nan"), "mvm_ps"),
        (("rows = 256", "rows = 0"), ">= 1"),
        (("mapopt.platform/1", "mapopt.platform/9"), "schema version 9"),
        (('name = "dpu"', 'name = "imc"'), "'imc' appears twice"),
        (("operations_per_s = 16_000_000_000", ""), "can run nothing"),
        (("latency_ps = 10_000", 'host_classes = ["cpu"]'), "host class 'cpu'"),
        (("mvm_ps = 100_000", ""), "needs mvm_ps and crossbars"),
        (("[interconnect]", "[interconnect"), "not valid TOML"),
    ],
)
def test_bad_files_name_the_rule(tmp_path, change, message):
    path = tmp_path / "my.toml"
    text = preset_text("imc")
    assert change[0] in text
    path.write_text(text.replace(change[0], change[1], 1))
    if message is None:
        with pytest.raises(InputError):
            load_platform(str(path))
    else:
        with pytest.raises(InputError, match=message):
            load_platform(str(path))


def test_not_text(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(b"\xff\xff")
    with pytest.raises(InputError, match="UTF-8"):
        load_platform(str(path))
