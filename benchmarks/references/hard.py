"""Random instances whose period is hard: few nodes per unit, tight capacities, or units with times of their own."""

from __future__ import annotations

from random import Random

from mapopt.instance import Instance, InstanceNode, Unit

KINDS = ("identical", "capacities", "unrelated")


def hard_instance(seed: int) -> Instance:
    """Return instance number ``seed``; its kind alternates.

    ``identical``: 2.2 to 4 nodes per unit of one class. ``capacities``: the same with 5% to 15% more crossbars than
    the nodes need. ``unrelated``: three classes of units, and every node has a time of its own on each.
    """
    dice, kind = Random(seed), KINDS[seed % len(KINDS)]
    units = dice.randint(4, 12)
    count = round(units * dice.uniform(2.2, 4.0))
    classes = ("a", "b", "c") if kind == "unrelated" else ("a",)
    needs = [dice.randint(1, 20) for _ in range(count)]
    room = None
    if kind == "capacities":
        room = max(max(needs), -(-round(sum(needs) * dice.uniform(1.05, 1.15)) // units))
    return Instance(
        f"hard-{seed}",
        classes=classes,
        units=tuple(Unit(f"u{at}", classes[at % len(classes)], crossbars=room) for at in range(units)),
        nodes=tuple(
            InstanceNode(
                f"n{at}",
                times=tuple(dice.randint(200, 1000) for _ in classes),
                crossbars=() if room is None else (need,),
            )
            for at, need in enumerate(needs)
        ),
        source=f"benchmarks/references/hard.py, {kind}, seed {seed}",
    )
