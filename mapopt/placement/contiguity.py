"""Contiguous mappings: the units can be put in an order along which all data flow."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx

from mapopt.instance import Instance


def is_contiguous(instance: Instance, units: Sequence[int]) -> bool:
    """Return whether the graph of data between units has no cycle.

    Parameters
    ----------
    units
        The unit of every node.

    References
    ----------
    Tarnawski et al., Efficient Algorithms for Device Placement of DNN Graph Operators, NeurIPS 2020: every unit holds
    a contiguous part of the graph.
    """
    flow = nx.DiGraph(
        (units[before], units[after]) for before, after, _ in instance.edges if units[before] != units[after]
    )
    return bool(nx.is_directed_acyclic_graph(flow))
