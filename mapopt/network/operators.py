"""What a digital unit does for each operator: one table, from ONNX operator types to kinds.

An *element operation* is one arithmetic operation, comparison, table look-up or move of one tensor element.
``KINDS`` says for every operator type which formula counts them, whether the operator is element-wise (and can
be fused into its producer) and whether it is a view that costs nothing. ``docs/networks.md`` shows the same
table to people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from mapopt.errors import InputError

Shape = tuple[int, ...]
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One operator with its attributes and the concrete shapes of its operands.

    Parameters
    ----------
    name, op
        Node name, for messages, and operator type.
    attributes
        Integer, float, string and list attributes by name.
    inputs
        Shape per operand in ONNX order; ``None`` for an omitted optional operand.
    constant
        Whether the operand is a constant, per operand.
    outputs
        Shape per result that is computed; omitted optional results are left out.
    """

    name: str
    op: str
    attributes: Mapping[str, Attribute]
    inputs: tuple[Shape | None, ...]
    constant: tuple[bool, ...]
    outputs: tuple[Shape, ...]

    def operand(self, index: int) -> Shape:
        """Shape of operand ``index``.

        Raises
        ------
        InputError
            If the operand is missing.
        """
        shape = self.inputs[index] if index < len(self.inputs) else None
        if shape is None:
            raise InputError(
                f"node {self.name!r} ({self.op}): operand {index} is missing; the operator needs it, "
                "export the network again"
            )
        return shape

    def is_constant(self, index: int) -> bool:
        """Whether operand ``index`` is there and constant."""
        return index < len(self.constant) and self.constant[index]

    def integer(self, attribute: str, default: int) -> int:
        """Value of an integer attribute."""
        value = self.attributes.get(attribute, default)
        if not isinstance(value, int):
            raise InputError(
                f"node {self.name!r} ({self.op}): attribute {attribute} is {value!r}; it must be an integer"
            )
        return value

    def integers(self, attribute: str) -> tuple[int, ...] | None:
        """Value of an attribute that is a list of integers, or ``None`` if it is absent."""
        value = self.attributes.get(attribute)
        if value is None:
            return None
        if not isinstance(value, tuple) or not all(isinstance(entry, int) for entry in value):
            raise InputError(
                f"node {self.name!r} ({self.op}): attribute {attribute} is {value!r}; "
                "it must be a list of integers"
            )
        return tuple(int(entry) for entry in value)


@dataclass(frozen=True, slots=True)
class Kind:
    """How an operator type is treated.

    Parameters
    ----------
    title
        For people, e.g. ``"pooling"``.
    operations
        Element operations per frame of one call.
    elementwise
        Whether the operator can be fused into the producer of its input.
    view
        Whether the operator only renames its first operand (no work, no node).
    """

    title: str
    operations: Callable[[Call], int]
    elementwise: bool = False
    view: bool = False


def written(call: Call) -> int:
    """Elements of all results: one operation per element that is written or moved."""
    return sum(prod(shape) for shape in call.outputs)


def read(call: Call) -> int:
    """Elements of the first operand: one operation per element that is reduced."""
    return prod(call.operand(0))


def nothing(call: Call) -> int:  # noqa: ARG001
    """Zero: the operator changes a shape or a number format, not the data."""
    return 0


def combined(call: Call) -> int:
    """Elements of the result times (operands - 1), and at least one operation per element."""
    operands = sum(shape is not None for shape in call.inputs)
    return written(call) * max(1, operands - 1)


def scaled_and_shifted(call: Call) -> int:
    """Two per element: BatchNormalization in inference is one multiplication and one addition."""
    return 2 * prod(call.outputs[0])


def windowed(call: Call) -> int:
    """Elements of the first result times the elements of the pooling window."""
    window = call.integers("kernel_shape")
    if window is None or min(window, default=1) < 1:
        raise InputError(
            f"node {call.name!r} ({call.op}): kernel_shape is {window}; it must list one size >= 1 per "
            "spatial dimension"
        )
    return prod(call.outputs[0]) * prod(window)


def softmax(call: Call) -> int:
    """Five per element: maximum, subtraction, exponential, sum, division."""
    return 5 * prod(call.outputs[0])


def normalised(call: Call) -> int:
    """Seven per element: sum, subtraction, square, sum of squares, division, scale, shift."""
    return 7 * prod(call.outputs[0])


def response_normalised(call: Call) -> int:
    """Per element: a square, a window of additions, scale and bias, a power, a division (``size`` + 4)."""
    return prod(call.outputs[0]) * (call.integer("size", 1) + 4)


def quantised_dynamically(call: Call) -> int:
    """Four per element: minimum, maximum, multiplication, rounding."""
    return 4 * read(call)


def multiplied(call: Call) -> int:
    """Multiply-accumulates, see :mod:`mapopt.network.matrices`."""
    from mapopt.network.matrices import macs

    return macs(call)


GENERIC = Kind("unknown", written)
"""Operators outside the table: one operation per element written, with a warning."""

BASE = Kind("multiplication by a matrix", multiplied)
VIEW = Kind("view", nothing, view=True)
UNARY = Kind("activation function", written, elementwise=True)
NARY = Kind("element-wise arithmetic", combined, elementwise=True)
BATCH_NORM = Kind("batch normalisation", scaled_and_shifted, elementwise=True)
POOL = Kind("pooling", windowed)
REDUCE = Kind("reduction", read)
MOVE = Kind("data movement", written)
SOFTMAX = Kind("softmax", softmax)
NORMALISATION = Kind("normalisation", normalised)
LOCAL_RESPONSE = Kind("local response normalisation", response_normalised)
DYNAMIC_QUANTISATION = Kind("dynamic quantisation", quantised_dynamically)

_MEMBERS: tuple[tuple[Kind, str], ...] = (
    (BASE, "Conv ConvTranspose Gemm MatMul"),
    (BASE, "QLinearConv QLinearMatMul ConvInteger MatMulInteger"),
    (
        VIEW,
        "Identity Dropout Flatten Reshape Squeeze Unsqueeze Cast CastLike QuantizeLinear DequantizeLinear",
    ),
    (
        UNARY,
        "Relu LeakyRelu PRelu Elu Selu Celu ThresholdedRelu Clip Sigmoid HardSigmoid HardSwish Swish Mish",
    ),
    (UNARY, "Gelu Tanh Softplus Softsign Shrink Erf Exp Log Sqrt Reciprocal Abs Neg Sign Floor Ceil Round"),
    (UNARY, "Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Not IsNaN IsInf BitwiseNot"),
    (
        NARY,
        "Add Sub Mul Div Pow Mod Max Min Sum Mean And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual",
    ),
    (NARY, "Where BitShift BitwiseAnd BitwiseOr BitwiseXor"),
    (BATCH_NORM, "BatchNormalization"),
    (POOL, "MaxPool AveragePool LpPool"),
    (REDUCE, "GlobalAveragePool GlobalMaxPool GlobalLpPool ArgMax ArgMin CumSum"),
    (REDUCE, "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum"),
    (REDUCE, "ReduceLogSumExp ReduceSumSquare"),
    (MOVE, "Concat Split Transpose Resize Upsample Pad Slice Gather GatherElements GatherND Expand Tile"),
    (MOVE, "DepthToSpace SpaceToDepth ScatterElements ScatterND ReverseSequence CenterCropPad"),
    (SOFTMAX, "Softmax LogSoftmax Hardmax"),
    (NORMALISATION, "LayerNormalization InstanceNormalization GroupNormalization RMSNormalization"),
    (NORMALISATION, "MeanVarianceNormalization LpNormalization"),
    (LOCAL_RESPONSE, "LRN"),
    (DYNAMIC_QUANTISATION, "DynamicQuantizeLinear"),
)

KINDS: dict[str, Kind] = {op: kind for kind, members in _MEMBERS for op in members.split()}
"""Kind of every operator type of the default ONNX domain that mapopt knows."""
