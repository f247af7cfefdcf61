import pytest

from mapopt.errors import InputError
from mapopt.library.manifest import Entry, Manifest


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{ name = 'a' }", "has no way to make it"),
        ("{ name = 'a', file = 'a.json', generator = 'tight' }", "has generator and file"),
        ("{ name = 'a', network = 'resnet8' }", "network and platform go together"),
        ("{ name = 'a', file = 'a.json', platform = 'imc' }", "network and platform go together"),
        ("{ name = 'a', file = 'a.json', parameters = { seed = 1 } }", "parameters are for a generator"),
        ("{ name = 'a', file = '../a.json' }", "not a file in the family's folder"),
        ("{ name = 'a', file = '/a.json' }", "not a file in the family's folder"),
        ("{ name = '../a', file = 'a.json' }", "name"),
        ("{ name = 'a', file = 'a.json', size = 3 }", "unknown field `size`"),
        ("{ name = 'a', file = 'a.json' }, { name = 'a', file = 'b.json' }", "'a' appears twice"),
        ("", "instances"),
        ("{ name = }", "not valid TOML"),
    ],
)
def test_bad_manifests_are_refused(tmp_path, content, says):
    path = tmp_path / "family.toml"
    path.write_text(f'schema = "mapopt.family/1"\nsummary = "s"\ninstances = [{content}]\n')
    with pytest.raises(InputError, match=r"family\.toml") as caught:
        Manifest.read(path)
    assert says in str(caught.value)


def test_a_manifest_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Manifest.read(tmp_path / "family.toml")
    (tmp_path / "family.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="UTF-8"):
        Manifest.read(tmp_path / "family.toml")


def test_entries_say_how_they_are_made():
    assert Entry("a", network="resnet8", platform="imc:imc=2").origin == "resnet8 on imc:imc=2"
    parameters = {"missed": False, "load": 0.5, "seed": 1}
    assert (
        Entry("b", generator="tight", parameters=parameters).origin == "tight(missed=false, load=0.5, seed=1)"
    )
    assert Entry("c", file="c.json").origin == "c.json"


def test_names_that_differ_in_case_alone_are_refused(tmp_path):
    path = tmp_path / "family.toml"
    head = 'schema = "mapopt.family/1"\nsummary = "s"\n'
    path.write_text(f"{head}instances = [{{ name = 'r8', file = 'a' }}, {{ name = 'R8', file = 'b' }}]")
    with pytest.raises(InputError, match="instance 'R8': differs from 'r8' in upper and lower case alone"):
        Manifest.read(path)
    path.write_text(f"{head}instances = [{{ name = 'r8', file = 'a' }}, {{ name = 'r8', file = 'b' }}]")
    with pytest.raises(InputError, match="instance 'r8' appears twice"):
        Manifest.read(path)
