from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from mapopt.network.constants import MAX_EVALUATED, Constants

from .graphs import node, stripped


def table(opset: int = 17) -> Constants:
    return Constants({"": opset})


def test_values_are_computed_on_demand_through_a_chain() -> None:
    constants = table()
    constants.know("s", np.array([1, 3, 8, 8]))
    constants.store("i", numpy_helper.from_array(np.array(2), "i"), literal=False)
    constants.derive("g", node("Gather", "s i", "g"), (), TensorProto.INT64)
    constants.derive("m", node("Mul", "g g", "m"), (), TensorProto.INT64)
    value = constants.value("m")
    assert value is not None
    assert value.tolist() == 64


def test_operators_are_evaluated_in_the_version_of_the_model() -> None:
    """Squeeze has its axes in an attribute before opset 13."""
    constants = table(11)
    constants.know("s", np.array([[5]]))
    constants.derive("q", node("Squeeze", "s", "q", axes=[0]), (1,), TensorProto.INT64)
    value = constants.value("q")
    assert value is not None
    assert value.tolist() == [5]


def test_large_and_external_and_damaged_data_stay_unknown() -> None:
    constants = table()
    constants.store("big", numpy_helper.from_array(np.zeros(MAX_EVALUATED + 1), "big"), literal=False)
    constants.store("out", stripped("out", (2,)), literal=False)
    damaged = TensorProto(name="bad", dims=[3], data_type=TensorProto.INT64, raw_data=b"12345")
    constants.store("bad", damaged, literal=False)
    constants.derive("sum", node("ReduceSum", "big", "sum"), (1,), TensorProto.FLOAT)
    assert [constants.value(name) for name in ("big", "out", "bad", "sum")] == [None] * 4


def test_external_files_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nowhere.bin").write_bytes(np.array([1, 2], np.float32).tobytes())
    constants = table()
    constants.store("out", stripped("out", (2,)), literal=False)
    assert constants.value("out") is None


def test_a_huge_result_is_never_computed() -> None:
    constants = table()
    constants.know("shape", np.array([2**40, 2**20]))
    constants.derive("full", node("ConstantOfShape", "shape", "full"), (2**40, 2**20), TensorProto.FLOAT)
    assert constants.value("full") is None


def test_deep_chains_do_not_recurse() -> None:
    constants = table()
    constants.know("t0", np.array(0))
    constants.know("one", np.array(1))
    for index in range(3000):
        constants.derive(
            f"t{index + 1}", node("Add", f"t{index} one", f"t{index + 1}"), (), TensorProto.INT64
        )
    value = constants.value("t3000")
    assert value is not None
    assert int(value) == 3000


def test_roots_follow_renaming_operators_only() -> None:
    constants = table()
    constants.store("w", stripped("w", (4, 6)), literal=False)
    constants.derive("t", node("Transpose", "w", "t"), (6, 4), TensorProto.FLOAT)
    constants.derive("n", node("Neg", "t", "n"), (6, 4), TensorProto.FLOAT)
    assert (constants["t"].root, constants["t"].root_elements) == ("w", 24)
    assert constants["n"].root == "n"


def test_literals_are_numbers_written_into_the_graph() -> None:
    constants = table()
    constants.store_literal("c", onnx.helper.make_node("Constant", [], ["c"], value_floats=[1.0, 2.0]))
    constants.store("w", stripped("w", (2,)), literal=False)
    constants.derive("both", node("Add", "c w", "both"), (2,), TensorProto.FLOAT)
    constants.derive("only", node("Add", "c c", "only"), (2,), TensorProto.FLOAT)
    assert [constants[name].literal for name in ("c", "w", "both", "only")] == [True, False, False, True]
