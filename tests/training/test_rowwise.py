"""Scales a row: what comes out for a row does not depend on the other rows."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from training.rowwise import scale_by_row


@pytest.fixture
def graphs(tmp_path: Path) -> tuple[ort.InferenceSession, ort.InferenceSession, np.ndarray]:
    """One matrix product, quantised with one scale a tensor and with one a row."""
    rng = np.random.default_rng(7)
    weights = rng.normal(size=(64, 16)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "tokens", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "tokens", 16])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, str(tmp_path / "float.onnx"))
    quantize_dynamic(
        str(tmp_path / "float.onnx"),
        str(tmp_path / "tensor.onnx"),
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    by_row = onnx.load(str(tmp_path / "tensor.onnx"))
    scale_by_row(by_row)
    onnx.checker.check_model(by_row)
    onnx.save(by_row, str(tmp_path / "row.onnx"))
    sessions = [
        ort.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"])
        for name in ("tensor.onnx", "row.onnx")
    ]
    return sessions[0], sessions[1], weights


def test_a_row_does_not_depend_on_its_neighbours(
    graphs: tuple[ort.InferenceSession, ort.InferenceSession, np.ndarray],
) -> None:
    by_tensor, by_row, weights = graphs
    rng = np.random.default_rng(8)
    quiet = rng.normal(size=(1, 5, 64)).astype(np.float32)
    loud = 100 * rng.normal(size=(1, 5, 64)).astype(np.float32)
    both = np.concatenate([quiet, loud])

    def error(session: ort.InferenceSession, batch: np.ndarray) -> float:
        (answer,) = session.run(None, {"x": batch})
        return float(np.abs(answer[0] - quiet[0] @ weights).max())

    (alone,), (among,) = by_row.run(None, {"x": quiet}), by_row.run(None, {"x": both})
    np.testing.assert_allclose(among[0], alone[0], rtol=0, atol=1e-5)
    assert error(by_row, both) < 0.3
    assert error(by_tensor, both) > 3 * error(by_row, both)  # what the scales a row are for


def test_a_row_of_zeros_stays_zero(
    graphs: tuple[ort.InferenceSession, ort.InferenceSession, np.ndarray],
) -> None:
    (answer,) = graphs[1].run(None, {"x": np.zeros((1, 1, 64), np.float32)})
    assert not answer.any()
