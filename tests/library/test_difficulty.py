import msgspec
import pytest

from mapopt.library.difficulty import difficulty

from .libraries import STAMP, best_of_five


def proven(nodes, solved_s):
    reference = best_of_five()
    latency = reference.latency.with_bound(STAMP.finding(29, "latency-modulo"))
    return msgspec.structs.replace(reference, nodes=nodes, solved_s=solved_s, latency=latency)


@pytest.mark.parametrize(
    ("nodes", "solved_s", "kind"),
    [
        (10, None, "toy"),
        (11, 0.1, "toy"),
        (11, 0.2, "easy"),
        (11, 1.0, "easy"),
        (11, 1.1, "medium"),
        (11, 10.1, "hard"),
        (11, None, "hard"),
    ],
)
def test_the_class_follows_from_size_and_time_of_proof(nodes, solved_s, kind):
    assert difficulty(proven(nodes, solved_s)) == kind


def test_without_a_proof_of_both_levels_it_is_open():
    assert difficulty(best_of_five()) == "open"
