"""A model folder made by hand: a table of logits per piece, averaged over the text."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from model.artifact import GRAPH, LAYOUT, MANIFEST, TOKENIZER, sha256_of
from tests.training import tiny


def write_artifact(folder: Path, *, temperature: float = 1.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    cutter = tiny.tokenizer()
    cutter.save(str(folder / TOKENIZER))
    table = np.zeros((cutter.get_vocab_size(), 5), dtype=np.float32)
    for column, words in ((0, tiny.BAD), (1, tiny.PLAIN), (2, tiny.GOOD), (4, tiny.RUDE)):
        for word in words:
            table[cutter.token_to_id(f"▁{word}"), column] = 6.0
    onnx.save(graph(table), str(folder / GRAPH))
    manifest = {
        "layout": LAYOUT,
        "model_id": "by-hand-1",
        "labels": {
            "sentiment": ["negative", "neutral", "positive"],
            "offensive": ["not-offensive", "offensive"],
        },
        "temperatures": {"sentiment": temperature},
        "max_tokens": 12,
        "special": {"before": [0], "after": [2], "pad": 1},
        "files": {name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def graph(table: np.ndarray) -> onnx.ModelProto:
    two = numpy_helper.from_array(np.array([3, 2], dtype=np.int64), "sizes")
    axis = numpy_helper.from_array(np.array([1], dtype=np.int64), "axis")
    last = numpy_helper.from_array(np.array([2], dtype=np.int64), "last")
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Cast", ["mask"], ["kept"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["kept", "last"], ["weight"]),
        helper.make_node("Mul", ["rows", "weight"], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed", "axis"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["kept", "axis"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("Split", ["mean", "sizes"], ["sentiment", "offensive"], axis=1),
    ]
    shape = ["texts", "tokens"]
    made = helper.make_graph(
        nodes,
        "by-hand",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("ids", "mask")],
        [
            helper.make_tensor_value_info("sentiment", TensorProto.FLOAT, ["texts", 3]),
            helper.make_tensor_value_info("offensive", TensorProto.FLOAT, ["texts", 2]),
        ],
        [numpy_helper.from_array(table, "table"), two, axis, last],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
