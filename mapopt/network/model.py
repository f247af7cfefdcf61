"""A network: the DAG of nodes that a platform has to execute, free of any ONNX type."""

from __future__ import annotations

from dataclasses import dataclass, field

from mapopt.errors import InputError


@dataclass(frozen=True, slots=True)
class WeightMatrix:
    """The im2col weight matrix of a base node.

    Parameters
    ----------
    rows
        Rows of one group's matrix: ``kernel_height * kernel_width * channels_in / groups``.
    columns
        Columns of one group's matrix: ``channels_out / groups``.
    groups
        Independent matrices of this size (1 for a dense convolution, the channels for a depthwise one).
    vectors
        Input vectors multiplied per frame: the output pixels of a convolution (batch included), 1 for a
        dense layer on one sample.
    """

    rows: int
    columns: int
    groups: int
    vectors: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates per frame."""
        return self.rows * self.columns * self.groups * self.vectors


@dataclass(frozen=True, slots=True)
class Tensor:
    """An activation that one node hands to others, or an input of the network.

    ``shape`` has no symbolic dimension; a scalar has shape ``()``.
    """

    name: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Number of elements."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count


@dataclass(frozen=True, slots=True)
class Node:
    """One operator, with the element-wise followers fused into it.

    Parameters
    ----------
    name
        Unique within the network.
    op
        ONNX operator type of the leading operator, e.g. ``"Conv"``.
    inputs, outputs
        Names of the activation tensors read and written, without repetition, in the operator's order.
    fused
        Operator types of the followers that run with it, in order, e.g. ``("BatchNormalization", "Relu")``.
    matrix
        The constant weight matrix if this is a base node, else ``None``.
    macs
        Multiply-accumulates per frame of the leading operator (Conv, ConvTranspose, Gemm, MatMul; also of a
        MatMul without a constant operand, which is not a base node), else 0.
    weights
        Weight elements (biases and BatchNorm scale/shift of fused operators included).
    operations
        Element operations that a digital unit performs for the leading operator (see ``mapopt.network.operators``).
    fused_operations
        Element operations of the fused followers.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    fused: tuple[str, ...] = ()
    matrix: WeightMatrix | None = None
    macs: int = 0
    weights: int = 0
    operations: int = 0
    fused_operations: int = 0

    @property
    def is_base(self) -> bool:
        """Whether the node multiplies by constant weights and can run on an IMC unit."""
        return self.matrix is not None


@dataclass(frozen=True)
class Network:
    """A directed acyclic graph of nodes that exchange tensors.

    Parameters
    ----------
    name
        Shown to people; part of file names.
    nodes
        In a topological order.
    tensors
        Every tensor that a node reads or writes, and the network's inputs.
    inputs, outputs
        Names of the network's input and output tensors.
    total_macs
        Multiply-accumulates of Conv, ConvTranspose, Gemm and MatMul with a constant operand.
    total_weights
        Weight elements, each shared tensor counted once (so it may be less than the sum over the nodes).
    warnings
        What the reader assumed, one sentence each.

    Raises
    ------
    InputError
        If names repeat, a tensor is unknown or written twice, or a node reads a tensor that is only written
        later (which is the case in every cyclic graph).
    """

    name: str
    nodes: tuple[Node, ...]
    tensors: dict[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    total_macs: int
    total_weights: int
    warnings: tuple[str, ...] = ()
    producer: dict[str, int] = field(init=False, repr=False)
    """Index of the node that writes each tensor."""
    consumers: dict[str, tuple[int, ...]] = field(init=False, repr=False)
    """Indices of the nodes that read each tensor, ascending."""

    def __post_init__(self) -> None:
        if not self.nodes:
            raise InputError(f"network {self.name!r} has no nodes; a network needs at least one operator")
        producer: dict[str, int] = {}
        consumers: dict[str, list[int]] = {name: [] for name in self.tensors}
        seen: set[str] = set()
        given = frozenset(self.inputs)
        for index, node in enumerate(self.nodes):
            if node.name in seen:
                raise InputError(f"node {node.name!r} appears twice; node names must be unique")
            seen.add(node.name)
            for name in node.inputs:
                if name not in self.tensors:
                    raise InputError(f"node {node.name!r} reads tensor {name!r}, which is not declared")
                if name not in producer and name not in given:
                    raise InputError(
                        f"node {node.name!r} reads tensor {name!r} before any node has written it; "
                        "nodes must be listed in topological order and the graph must have no cycle"
                    )
                consumers[name].append(index)
            for name in node.outputs:
                if name not in self.tensors:
                    raise InputError(f"node {node.name!r} writes tensor {name!r}, which is not declared")
                if name in producer:
                    first = self.nodes[producer[name]].name
                    raise InputError(f"tensor {name!r} is written by {first!r} and by {node.name!r}")
                producer[name] = index
        object.__setattr__(self, "producer", producer)
        object.__setattr__(self, "consumers", {name: tuple(found) for name, found in consumers.items()})
