"""Comparison of a generated network with what an exporter wrote of the same definition."""

from __future__ import annotations

from collections import Counter

from mapopt.network.library import load_network
from mapopt.network.model import Network
from mapopt.network.reader import read_onnx

from ..graphs import DATA

Signature = tuple[object, ...]


def signature(network: Network) -> Counter[Signature]:
    """Count the nodes by operator, matrix and work, together with the operators of their predecessors."""
    return Counter(
        (
            node.op,
            node.matrix,
            node.operations,
            network.tensors[node.outputs[0]].shape,
            tuple(
                sorted(
                    network.nodes[network.producer[name]].op
                    for name in node.inputs
                    if name in network.producer
                )
            ),
        )
        for node in network.nodes
    )


def assert_same_structure(name: str, file: str) -> None:
    """Compare a built-in network with an exported file."""
    built, exported = load_network(name), read_onnx(DATA / file)
    assert built.total_macs == exported.total_macs
    assert signature(built) == signature(exported)
