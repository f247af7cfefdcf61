import pytest

from mapopt.errors import InputError
from mapopt.instance import Instance, InstanceNode, Unit
from mapopt.mapping import InstanceRef, Mapping, Pattern, TransferStart

PROBLEM = Instance(
    "p", ("a",), (Unit("u", "a"), Unit("v", "a")), (InstanceNode("m", (1,)), InstanceNode("n", (2,)))
)


def test_assignment_follows_the_instance_whatever_the_order_in_the_file():
    mapping = Mapping(nodes=("n", "m"), patterns=(Pattern(("u", "v")), Pattern(("v", "v"))))
    assert mapping.assignment(PROBLEM) == ((1, 0), (1, 1))


def test_of_and_assignment_are_inverse_and_survive_the_file(tmp_path):
    mapping = Mapping.of(PROBLEM, [0, 1], [1, 0], priorities=[5, -5])
    mapping.save(tmp_path / "m.json")
    again = Mapping.load(tmp_path / "m.json")
    assert again == mapping
    assert again.assignment(PROBLEM) == ((0, 1), (1, 0))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"nodes": ("n", "n"), "patterns": (Pattern(("u", "u")),)}, "node 'n' appears twice"),
        ({"nodes": ("n",), "patterns": (Pattern(("u", "u")),)}, "pattern 0: has 2 units for 1 nodes"),
        ({"nodes": ("n",), "patterns": (Pattern(("u",), (0, 1)),), "horizon": 3}, "2 starts for 1 nodes"),
        ({"nodes": ("n",), "patterns": (Pattern(("u",), (0,)),)}, "starts and horizon go together"),
        ({"nodes": ("n",), "patterns": (Pattern(("u",)),), "horizon": 3}, "starts and horizon go together"),
        ({"nodes": ("n",), "patterns": (Pattern(("u",)),), "priorities": ()}, "0 priorities for 1 nodes"),
        (
            {"nodes": ("n",), "patterns": (Pattern(("u",), None, (TransferStart("t", "u", (0,)),)),)},
            "transfer starts but no starts",
        ),
    ],
)
def test_broken_rules_are_named(fields, message):
    with pytest.raises(InputError, match=message):
        Mapping(**fields)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (Mapping(nodes=("m",), patterns=(Pattern(("u",)),)), "node 'n' of instance 'p' is missing"),
        (
            Mapping(nodes=("m", "x"), patterns=(Pattern(("u", "u")),)),
            "in instance 'p' node 'x' does not exist",
        ),
        (Mapping(nodes=("m", "n"), patterns=(Pattern(("u", "w")),)), "node 'n' is on unit 'w'"),
        (
            Mapping(
                nodes=("m", "n"),
                patterns=(Pattern(("u", "u")),),
                instance=InstanceRef("other", "sha256:" + "0" * 64),
            ),
            "was made for instance 'other'",
        ),
    ],
)
def test_mappings_of_other_instances_are_refused(mapping, message):
    with pytest.raises(InputError, match=message):
        mapping.assignment(PROBLEM)
