"""One scale a token for the activations of an 8-bit graph.

ONNX Runtime's dynamic quantisation takes one scale for a whole batch, so a text's probabilities
depend on the texts that happen to be scored beside it. With a scale for every row of a matrix
product (per-token quantisation; Dettmers et al., LLM.int8(), 2022) they depend on the text alone,
and the roundings are finer.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_ZERO = 128
_LARGEST = 127.0


def scale_by_row(model: onnx.ModelProto) -> None:
    """Replace every ``DynamicQuantizeLinear`` (one scale and zero point a tensor) by nodes that
    take a scale a row, x / scale + 128 in unsigned 8 bits, symmetric about the zero point 128.
    """
    constants = {
        "rows.largest": np.array(_LARGEST, np.float32),
        "rows.tiny": np.array(1e-12, np.float32),
        "rows.shift": np.array(_ZERO, np.float32),
        "rows.zero": np.array(_ZERO, np.uint8),
        "rows.last": np.array([-1], np.int64),
    }
    nodes: list[onnx.NodeProto] = []
    zeros: set[str] = set()
    for node in model.graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            nodes += _by_row(node)
            zeros.add(node.output[2])
        else:
            nodes.append(node)
    for node in nodes:
        for place, name in enumerate(node.input):
            if name in zeros:
                node.input[place] = "rows.zero"
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    if zeros:
        model.graph.initializer.extend(
            numpy_helper.from_array(value, name) for name, value in constants.items()
        )


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
