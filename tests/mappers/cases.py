"""The published example of HEFT and CPOP."""

from mapopt.instance import Instance, InstanceNode, InstanceTensor, Unit
from mapopt.transfers import Delay

TIMES = [
    (14, 16, 9),
    (13, 19, 18),
    (11, 13, 19),
    (13, 8, 17),
    (12, 13, 10),
    (13, 16, 9),
    (7, 15, 11),
    (5, 11, 14),
    (18, 12, 20),
    (21, 7, 16),
]
EDGES = [
    (1, 2, 18),
    (1, 3, 12),
    (1, 4, 9),
    (1, 5, 11),
    (1, 6, 14),
    (2, 8, 19),
    (2, 9, 16),
    (3, 7, 23),
    (4, 8, 27),
    (4, 9, 23),
    (5, 9, 13),
    (6, 8, 15),
    (7, 10, 17),
    (8, 10, 11),
    (9, 10, 13),
]


def topcuoglu() -> Instance:
    """Ten tasks on three processors: figure 4 of the paper."""
    return Instance(
        "topcuoglu",
        classes=("p1", "p2", "p3"),
        units=(Unit("P1", "p1"), Unit("P2", "p2"), Unit("P3", "p3")),
        nodes=tuple(InstanceNode(f"n{number}", times) for number, times in enumerate(TIMES, 1)),
        tensors=tuple(
            InstanceTensor(f"{before}-{after}", f"n{before}", (f"n{after}",), size)
            for before, after, size in EDGES
        ),
        transfer=Delay(10**9),
    )
