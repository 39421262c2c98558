"""Reads the weights of an exported 8-bit graph as floats, by their names in the network.

With it a model that ships for serving can be the base of another run; only the rounding to 8 bits
is lost.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

_BIAS = ".bias"
_MIDDLE = 128.0  # zero in unsigned 8 bits


def read_graph(path: Path) -> dict[str, NDArray[np.float32]]:
    """All parameters of a network that :mod:`training.export` wrote.

    Args:
        path: ``model.onnx``.

    Returns:
        Parameter name → values; matrices are (out, in), as in torch.
    """
    graph = onnx.load(str(path)).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = {
        name: numpy_helper.to_array(tensor)
        for name, tensor in stored.items()
        if name.startswith(("encoder.", "heads.")) and tensor.data_type == TensorProto.FLOAT
    }
    for name in [name for name in found if name.endswith(".scale")]:
        table = name.removesuffix(".scale")
        whole = numpy_helper.to_array(stored[f"{table}.int8"]).astype(np.float32)
        found[table] = (whole * found.pop(name)).reshape(len(whole), -1)
    for node in graph.node:
        read = _READERS.get(node.op_type)
        if read is not None and node.input[1] in stored:
            name = _bias_after(node, readers, stored).removesuffix(_BIAS) + ".weight"
            found[name] = read(node, stored)
    return {
        name: np.array(values, dtype=np.float32)
        for name, values in found.items()
        if name.endswith((".weight", _BIAS))
    }


def _bias_after(
    node: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]], stored: dict[str, Any]
) -> str:
    """The name of the bias added to a product, which identifies the product's layer."""
    while node.op_type != "Add":
        (node,) = readers[node.output[0]]
    biases: list[str] = [name for name in node.input if name in stored and name.endswith(_BIAS)]
    return biases[0]


def _by_column(node: onnx.NodeProto, stored: dict[str, Any]) -> NDArray[np.float32]:
    """A matrix with one scale per column (precision ``rows``)."""
    whole = numpy_helper.to_array(stored[node.input[1]]).astype(np.float32)
    zero = numpy_helper.to_array(stored[node.input[3]]).astype(np.float32)
    scale_name = node.input[1].removesuffix("_quantized") + "_scale"
    scale = numpy_helper.to_array(stored[scale_name])
    return np.asarray(((whole - zero) * scale).T, dtype=np.float32)


def _by_block(node: onnx.NodeProto, stored: dict[str, Any]) -> NDArray[np.float32]:
    """A matrix with one scale per block of a row (precision ``blocks``)."""
    whole = numpy_helper.to_array(stored[node.input[1]]).astype(np.float32)
    scale = numpy_helper.to_array(stored[node.input[2]]).reshape(*whole.shape[:2], 1)
    columns = next(a.i for a in node.attribute if a.name == "K")
    values = (whole - _MIDDLE) * scale
    return np.asarray(values.reshape(len(whole), -1)[:, :columns], dtype=np.float32)


_READERS = {"MatMulInteger": _by_column, "MatMulNBits": _by_block}
