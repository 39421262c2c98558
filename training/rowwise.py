"""Gives the activations of an 8-bit graph one scale per token.

ONNX Runtime's dynamic quantisation uses one scale for a whole batch, so a text's probabilities
depend on the other texts of the batch. With one scale per row of a matrix product (per-token
quantisation; Dettmers et al., LLM.int8(), 2022) they depend only on the text, and the rounding is
finer.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_ZERO = 128
_LARGEST = 127.0


def scale_by_row(model: onnx.ModelProto) -> None:
    """Replace each ``DynamicQuantizeLinear`` (one scale and zero point per tensor) by nodes with
    one scale per row: x / scale + 128 in unsigned 8 bits, symmetric about the zero point 128.

    The products are scaled by the weights' scale and then by the rows' scale. If the two scales
    were multiplied first, ONNX Runtime would fuse the nodes into a kernel with one scale for all
    rows.
    """
    graph = model.graph
    quantised = [node for node in graph.node if node.op_type == "DynamicQuantizeLinear"]
    if not quantised:
        return
    row_scales = {node.output[1] for node in quantised}
    zeros = {node.output[2] for node in quantised}
    products = {
        node.output[0]: tuple(node.input)
        for node in graph.node
        if node.op_type == "Mul" and row_scales & set(node.input)
    }
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            nodes += _by_row(node)
        elif node.op_type == "Mul" and products.keys() & set(node.input):
            nodes += _scaled_twice(node, products)
        elif node.output[0] not in products:
            inputs = ["rows.zero" if name in zeros else name for name in node.input]
            del node.input[:]
            node.input.extend(inputs)
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    constants: dict[str, NDArray[Any]] = {
        "rows.largest": np.array(_LARGEST, np.float32),
        "rows.tiny": np.array(1e-12, np.float32),
        "rows.shift": np.array(_ZERO, np.float32),
        "rows.zero": np.array(_ZERO, np.uint8),
        "rows.last": np.array([-1], np.int64),
    }
    graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in constants.items()
    )


def _scaled_twice(
    node: onnx.NodeProto, products: dict[str, tuple[str, ...]]
) -> list[onnx.NodeProto]:
    (scales,) = products.keys() & set(node.input)
    (values,) = set(node.input) - {scales}
    first, second = products[scales]
    out = node.output[0]
    return [
        helper.make_node("Mul", [values, first], [f"{out}.half"]),
        helper.make_node("Mul", [f"{out}.half", second], [out]),
    ]


def _by_row(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    (values,), (whole, scale, _) = node.input, node.output
    return [
        helper.make_node("Abs", [values], [f"{whole}.abs"]),
        helper.make_node("ReduceMax", [f"{whole}.abs", "rows.last"], [f"{whole}.max"], keepdims=1),
        helper.make_node("Max", [f"{whole}.max", "rows.tiny"], [f"{whole}.top"]),
        helper.make_node("Div", [f"{whole}.top", "rows.largest"], [scale]),
        helper.make_node("Div", [values, scale], [f"{whole}.ratio"]),
        helper.make_node("Round", [f"{whole}.ratio"], [f"{whole}.round"]),
        helper.make_node("Add", [f"{whole}.round", "rows.shift"], [f"{whole}.shifted"]),
        helper.make_node("Cast", [f"{whole}.shifted"], [whole], to=TensorProto.UINT8),
    ]
