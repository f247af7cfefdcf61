import pytest

from mapopt.errors import InputError
from mapopt.library.making import GENERATORS, make
from mapopt.library.manifest import Entry
from mapopt.sources import load_instance
from mapopt.verification import verify

from .libraries import five


def test_networks_are_those_of_the_command(tmp_path):
    made = make(Entry("r8", network="resnet8", platform="imc:imc=2,dpu=1"), tmp_path / "nets")
    assert made.instance.digest == load_instance("resnet8", platform="imc:imc=2,dpu=1").digest
    assert made.instance.name == "nets/r8"
    assert made.known is None


def test_files_are_in_the_family(tmp_path):
    five().save(tmp_path / "five.json")
    assert make(Entry("a", file="five.json"), tmp_path).instance.digest == five().digest


@pytest.mark.parametrize("generator", [name for name in GENERATORS if name != "adversarial"])
def test_generators_give_the_same_bytes_again(tmp_path, generator):
    entry = Entry("a", generator=generator, parameters={"imcs": 2, "dpus": 1, "seed": 5})
    first, second = make(entry, tmp_path), make(entry, tmp_path)
    assert first.instance.to_json() == second.instance.to_json()


def test_planted_instances_come_with_their_optimum(tmp_path):
    made = make(Entry("a", generator="planted", parameters={"transfer": "links"}), tmp_path)
    assert made.known is not None
    assert verify(made.instance, made.known.mapping).ok
    assert made.known.mapping.claims.latency_ticks == made.known.latency_ticks


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (Entry("a", file="no.json"), "cannot be read"),
        (Entry("a", network="resnet9", platform="imc"), "did you mean"),
        (Entry("a", network="resnet8", platform="imd"), "did you mean 'imc'"),
        (Entry("a", generator="plantd"), "generator 'plantd' does not exist; did you mean 'planted'"),
        (
            Entry("a", generator="tight", parameters={"laod": 1}),
            "parameter 'laod' does not exist; did you mean 'load'",
        ),
        (Entry("a", generator="tight", parameters={"load": 7}), "parameter load: is 7"),
    ],
)
def test_what_cannot_be_made_is_named(tmp_path, entry, says):
    with pytest.raises(InputError, match=r"^instance fam/a: ") as caught:
        make(entry, tmp_path / "fam")
    assert says in str(caught.value)
