import pytest
from onnx import TensorProto, helper

from mapopt.errors import InputError
from mapopt.network.shapes import checked, input_shapes, known_shape, tensor_type


def test_range_of_shapes() -> None:
    assert checked([2**31, 2**31], "t", "") == (2**31, 2**31)
    with pytest.raises(
        InputError, match=r"t has shape \[2147483648, 2147483649\]; it may hold at most 2\*\*62"
    ):
        checked([2**31, 2**31 + 1], "t", "mend it")
    with pytest.raises(InputError, match="every extent must be >= 1: mend it"):
        checked([3, 0], "t", "mend it")
    assert checked([3, 0], "t", "", least=0) == (3, 0)


def test_types_and_shapes_are_inverse() -> None:
    for shape in ((), (1,), (1, 3, 224, 224)):
        assert known_shape(tensor_type(TensorProto.FLOAT, shape)) == shape
    assert known_shape(helper.make_tensor_type_proto(TensorProto.FLOAT, None)) is None
    assert known_shape(helper.make_tensor_type_proto(TensorProto.FLOAT, ["n", 3])) is None
    assert known_shape(helper.make_sequence_type_proto(tensor_type(TensorProto.FLOAT, (1,)))) is None
    assert known_shape(None) is None


def test_only_the_batch_defaults() -> None:
    batch = {"x": helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])}
    vector = {"x": helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])}
    nothing = {"x": helper.make_tensor_value_info("x", TensorProto.FLOAT, None)}
    assert input_shapes(batch, {}) == {"x": (1, 3)}
    with pytest.raises(InputError, match="extent 0 is symbolic"):
        input_shapes(vector, {})
    with pytest.raises(InputError, match="declares no shape"):
        input_shapes(nothing, {})
    assert input_shapes(nothing, {"x": (2, 2)}) == {"x": (2, 2)}


def test_sequences_are_no_inputs() -> None:
    sequence = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [1])
    with pytest.raises(InputError, match="'x' is not a tensor"):
        input_shapes({"x": sequence}, {})
