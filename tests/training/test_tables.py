"""Embedding tables in 8 bits: what they lose, and what they do not."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.export import quantise_tables

ROWS, COLUMNS = 50, 96


def looked_up(table: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Rows that a graph gathers from `table` after its tables were turned into integers."""
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "m"])]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", "m", table.shape[1]])]
    gather = helper.make_node("Gather", ["table", "ids"], ["out"], axis=0)
    stored = [numpy_helper.from_array(table, "table")]
    graph = helper.make_graph([gather], "tables", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    quantise_tables(model, smallest=1)
    assert "table" not in {tensor.name for tensor in model.graph.initializer}
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {"ids": ids})[0])


def test_a_table_that_was_4_bit_loses_nothing() -> None:
    rng = np.random.default_rng(5)
    codes = rng.integers(-7, 8, size=(ROWS, COLUMNS // 32, 32))
    codes[:, :, 3] = -8  # the bundled start scales a block by its largest number
    table = codes * rng.uniform(0.001, 0.1, size=(ROWS, COLUMNS // 32, 1))
    table = table.reshape(ROWS, COLUMNS).astype(np.float32)
    ids = rng.integers(0, ROWS, size=(4, 7))
    np.testing.assert_allclose(looked_up(table, ids), table[ids], rtol=1e-6)


@pytest.mark.parametrize("columns", [96, 40])
def test_any_other_loses_less_than_half_a_step_of_its_block(columns: int) -> None:
    rng = np.random.default_rng(6)
    table = rng.normal(size=(ROWS, columns)).astype(np.float32)
    table[0] = 0.0
    ids = np.arange(ROWS)[None]
    off = np.abs(looked_up(table, ids)[0] - table).reshape(ROWS, -1, np.gcd(columns, 32))
    most = np.abs(table).reshape(off.shape).max(axis=2, keepdims=True)
    assert off.max() > 0
    assert (off <= most / 120 / 2 * 1.001).all()
