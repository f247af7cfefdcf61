"""A certificate holds as it was made; whatever is altered in it, it does not."""

import json

import msgspec
import pytest

from mapopt.bounds.witnesses import MeanLoad, Patterns, SharedUnit
from mapopt.certificate import Certificate, Claim, certify, verify_certificate
from mapopt.emulator.schedule import schedule
from mapopt.errors import InputError
from mapopt.evidence import RejectedError
from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.mapping import Mapping
from mapopt.solvers.model import Objective
from mapopt.solvers.outcome import Level, Outcome
from mapopt.transfers import Delay

INSTANCE = Instance(
    "five nodes",
    classes=("imc", "dpu"),
    units=(Unit("a", "imc"), Unit("b", "imc"), Unit("d", "dpu")),
    nodes=(
        *(InstanceNode(f"n{at}", (time, None), energy=(time, 0)) for at, time in enumerate((4, 5, 6, 9))),
        InstanceNode("end", (None, 4), energy=(0, 2)),
    ),
    tensors=(
        InstanceTensor("t0", "n0", ("n1", "end"), 7),
        InstanceTensor("t1", "n1", ("n2",), 3),
        InstanceTensor("t3", "n3", ("end",), 5),
    ),
    transfer=Delay(10**9),
)
BEST = Mapping.of(INSTANCE, [0, 1, 1, 0, 2])
"""Loads 13, 11 and 4; 24 ticks of work for two units, and the sums of 4, 5, 6, 9 leave 13 the least above 12."""

WORSE = Mapping.of(INSTANCE, [0, 0, 0, 1, 2])


def claim(certificate, objective=Objective.PERIOD):
    return next(each for each in certificate.claims if each.objective is objective)


def sealed(certificate, **changes):
    """Alter a certificate and give it the digest of what it then says."""
    altered = msgspec.structs.replace(certificate, **changes)
    return msgspec.structs.replace(altered, digest=altered.content_digest)


def with_claim(certificate, objective=Objective.PERIOD, **changes):
    claims = (
        msgspec.structs.replace(each, **changes) if each.objective is objective else each
        for each in certificate.claims
    )
    return sealed(certificate, claims=tuple(claims))


def reasons(certificate):
    verdict = verify_certificate(certificate)
    assert verdict.ok is not bool(verdict.reasons)
    assert bool(verdict.claims) is verdict.ok
    return " / ".join(verdict.reasons)


@pytest.mark.parametrize("mapping", [BEST, WORSE, schedule(INSTANCE, BEST)])
def test_a_certificate_holds_after_travelling(mapping, tmp_path):
    made = certify(INSTANCE, mapping)
    made.save(tmp_path / "c.json")
    read = Certificate.load(tmp_path / "c.json")
    assert read == made
    verdict = verify_certificate(read)
    assert verdict.ok
    assert [each.objective for each in verdict.claims] == [Objective.PERIOD, Objective.LATENCY]
    assert all(each.proof == "witnessed" for each in verdict.claims)


def test_what_is_claimed():
    best = claim(certify(INSTANCE, BEST))
    assert (best.status, best.value, best.bound, best.proof) == ("optimal", 13, 13, "witnessed")
    worse = claim(certify(INSTANCE, WORSE))
    assert (worse.status, worse.value, worse.bound) == ("feasible", 15, 13)
    latency = claim(certify(INSTANCE, BEST), Objective.LATENCY)
    assert (latency.value, latency.bound) == (4 + 7 + 5 + 6, 9 + 5 + 4)


def test_a_schedule_is_certified_with_its_period_and_latency():
    timed = schedule(INSTANCE, WORSE)
    made = certify(INSTANCE, timed)
    assert (made.period_ticks, made.latency_ticks) == ("15", timed.claims.latency_ticks)
    assert claim(made, Objective.LATENCY).value == timed.claims.latency_ticks
    assert "period and latency" in reasons(sealed(made, period_ticks="14"))
    assert "period and latency" in reasons(sealed(made, latency_ticks=made.latency_ticks + 1))
    assert "period and latency" in reasons(sealed(made, period_ticks=None, latency_ticks=None))


def test_every_altered_leaf_is_noticed():
    """Of the document as it travels; some leave no certificate at all."""
    document = json.loads(certify(INSTANCE, schedule(INSTANCE, WORSE)).to_json())
    noticed = 0
    for path, value in list(_leaves(document)):
        if path == ("schema",):
            continue
        altered = json.loads(json.dumps(document))
        at = altered
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value + 1 if isinstance(value, int) else f"{value}0" if isinstance(value, str) else 1
        try:
            assert not verify_certificate(Certificate.from_data(altered)).ok, path
        except InputError:
            continue
        noticed += 1
    assert noticed > 50


def _leaves(value, path=()):
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each, (*path, key))
    else:
        yield path, value


def test_forged_digests_do_not_help():
    made = certify(INSTANCE, WORSE)
    assert "the instance" in reasons(sealed(made, instance_digest="sha256:" + "0" * 64))
    assert "the mapping" in reasons(sealed(made, mapping_digest="sha256:" + "0" * 64))
    other = msgspec.structs.replace(INSTANCE, tick_ps=500)
    assert "mapping is for" in reasons(sealed(made, instance=other, instance_digest=other.digest))
    swapped = sealed(made, mapping=BEST, mapping_digest=certify(INSTANCE, BEST).mapping_digest)
    assert "is claimed to be 15, but is 13" in reasons(swapped)


def test_false_claims_do_not_hold_even_if_sealed():
    made = certify(INSTANCE, WORSE)
    assert "is claimed to be 14, but is 15" in reasons(with_claim(made, value=14))
    assert "exceeds its value" in reasons(with_claim(made, bound=16))
    assert "is called optimal" in reasons(with_claim(made, status="optimal"))
    assert "is called feasible" in reasons(with_claim(certify(INSTANCE, BEST), status="feasible"))
    moved = msgspec.structs.replace(claim(made), objective=Objective.ENERGY)
    assert "energy: is claimed to be 15, but is 26" in reasons(sealed(made, claims=(moved,)))


def test_a_witness_has_to_prove_what_it_says():
    made = certify(INSTANCE, WORSE)
    witness = claim(made).witness
    more = msgspec.structs.replace(witness, ticks=witness.ticks + 1)
    assert "does not hold" in reasons(with_claim(made, bound=14, witness=more))
    fewer = msgspec.structs.replace(witness, nodes=witness.nodes[:-1])
    assert "does not hold" in reasons(with_claim(made, witness=fewer))
    latency = claim(made, Objective.LATENCY).witness
    assert "about the latency" in reasons(with_claim(made, witness=latency))
    other = MeanLoad(5, ("a", "b"), ("n0", "end"))
    assert "can also run outside" in reasons(with_claim(made, witness=other))


def test_a_bound_above_its_witness_is_only_claimed():
    made = with_claim(certify(INSTANCE, WORSE), bound=14, bound_by="formulation x")
    verdict = verify_certificate(made)
    assert verdict.ok
    period = verdict.claims[0]
    assert (period.bound, period.proof, period.witnessed, period.bound_by) == (
        14,
        "claimed",
        13,
        "formulation x",
    )
    bare = verify_certificate(with_claim(made, witness=None, bound=None))
    assert (bare.claims[0].proof, bare.claims[0].witnessed) == ("absent", None)


def outcome(mapping, *levels):
    return Outcome("one pattern", levels, mapping, (), 1.0)


def test_the_bounds_of_a_run_are_claimed():
    timed = schedule(INSTANCE, BEST)
    latency = timed.claims.latency_ticks
    run = outcome(
        timed,
        Level(Objective.PERIOD, 13, 12, "lpt", "weak"),
        Level(Objective.LATENCY, latency, latency, "x", "latency-modulo"),
    )
    made = certify(INSTANCE, timed, run)
    assert made.schedule_class == "one pattern"
    assert (claim(made).bound, claim(made).bound_by) == (13, "reachable load")
    best = claim(made, Objective.LATENCY)
    assert (best.status, best.bound_by, best.proof) == ("optimal", "latency-modulo", "claimed")
    assert verify_certificate(made).ok


@pytest.mark.parametrize(("objective", "value"), [(Objective.ENERGY, 26), (Objective.TRAFFIC, 7 + 5)])
def test_energy_and_traffic_are_measured(objective, value):
    made = certify(INSTANCE, WORSE, outcome(WORSE, Level(objective, value, 3, "x", "y")))
    found = claim(made, objective)
    assert found == Claim(objective, "feasible", value, 3, "y", None, found.note)
    assert found.note.startswith("it rests on a search by y")
    assert verify_certificate(made).ok
    assert "is claimed to be" in reasons(with_claim(made, objective, value=value + 1))


def test_further_witnesses_are_used_if_they_hold():
    prices = Patterns(13, (4, 5, 6, 9, 0))
    with pytest.raises(RejectedError, match="do not refute"):
        certify(INSTANCE, WORSE, witnesses=[msgspec.structs.replace(prices, ticks=14)])
    assert claim(certify(INSTANCE, WORSE, witnesses=[prices])).witness == prices
    weak = SharedUnit(5, ("a", "b"), ("n1",))
    assert claim(certify(INSTANCE, WORSE, witnesses=[weak])).bound == 13


UNRELATED = Instance(
    "unrelated",
    classes=("x", "y"),
    units=(Unit("a", "x"), Unit("b", "y")),
    nodes=tuple(InstanceNode(f"n{at}", times) for at, times in enumerate(((4, 7), (9, 3), (2, 9)))),
)
"""Nodes 0 and 2 on a, 1 on b: 6 ticks; the bounds on loads stop at 5."""


def test_integer_duals_are_found_for_a_period_that_loads_do_not_prove():
    mapping = Mapping.of(UNRELATED, [0, 1, 0])
    alone = claim(certify(UNRELATED, mapping))
    assert isinstance(alone.witness, Patterns)
    assert (alone.value, alone.bound, alone.status, alone.proof) == (6, 6, "optimal", "witnessed")
    made = certify(UNRELATED, mapping, outcome(mapping, Level(Objective.PERIOD, 6, 6, "x", "a solver")))
    assert (claim(made).bound_by, claim(made).proof, claim(made).note) == ("patterns", "witnessed", "")
    assert verify_certificate(made).ok
    fewer = msgspec.structs.replace(claim(made).witness, prices=(0, *claim(made).witness.prices[1:]))
    assert "do not refute a period of 5" in reasons(with_claim(made, witness=fewer))


def test_what_no_duals_prove_is_claimed_with_a_note():
    """A run that claims more than is true: duals cannot prove it, and nobody takes its word for a proof."""
    mapping = Mapping.of(UNRELATED, [1, 1, 0])
    made = certify(UNRELATED, mapping, outcome(mapping, Level(Objective.PERIOD, 10, 7, "x", "a solver")))
    found = claim(made)
    assert (found.bound, found.bound_by, found.proof) == (7, "a solver", "claimed")
    assert "branch and price" in found.note
    assert verify_certificate(made).claims[0].note == found.note


def test_what_cannot_be_certified_is_said():
    with pytest.raises(InputError, match="2 patterns"):
        certify(INSTANCE, Mapping.of(INSTANCE, [0, 0, 0, 1, 2], [0, 1, 1, 0, 2]))
    with pytest.raises(InputError, match="breaks a rule"):
        certify(INSTANCE, Mapping.of(INSTANCE, [2, 0, 0, 1, 2]))
    with pytest.raises(InputError, match="certify that one's"):
        certify(INSTANCE, BEST, outcome(BEST, Level(Objective.PERIOD, 14, 3)))
    with pytest.raises(InputError, match="was made for instance"):
        certify(msgspec.structs.replace(INSTANCE, tick_ps=500), BEST)
