"""Exports a trained network to ONNX and quantises it to 8-bit integers."""

import logging
import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import save_file
from torch import nn

from model.artifact import WEIGHTS
from model.network import Network
from training.errors import ParityError
from training.evaluate import Measured
from training.rowwise import scale_by_row

MAX_PARITY_LOSS = 0.005
PRECISIONS = ("rows", "blocks")
_SPARED_TEXTS = 2
_MIN_TABLE = 1 << 20
_BLOCK = 32
_INTEGER_PRODUCTS = 4
_LARGEST_CODE = 120


def export_graph(network: Network, path: Path) -> None:
    """Write the network as an ONNX graph: inputs ids and mask, (texts, tokens), and one output per
    head, (texts, labels).
    """
    network.eval()
    ids = torch.ones((2, 8), dtype=torch.int64)
    mask = ids.clone()  # a separate tensor: the exporter would merge two uses of the same one
    shape = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter uses deprecated parts of torch
        program = torch.onnx.export(
            network,
            (ids, mask),
            dynamo=True,
            dynamic_shapes={"ids": shape, "mask": shape},
            input_names=["ids", "mask"],
            output_names=list(network.heads),
            verbose=False,
        )
    if program is None:
        raise ParityError("torch returned no ONNX program")
    program.save(str(path))


def export_weights(network: Network, folder: Path) -> None:
    """Write the float32 weights and the encoder's configuration, for torch."""
    network.encoder.config.save_pretrained(folder)
    save_file(
        {name: value.contiguous() for name, value in network.state_dict().items()},
        folder / WEIGHTS,
    )


def quantise(source: Path, target: Path, precision: str) -> None:
    """Quantise a graph's matrices to 8-bit integers, its embedding tables in blocks of 32.

    Args:
        source: the float32 graph.
        target: path of the quantised graph.
        precision: ``rows`` uses one scale per column of a matrix and per token of its input;
            ``blocks`` uses one scale per 32 numbers, which is closer to float32 and slower.
    """
    graph = onnx.load(str(source))
    del graph.graph.value_info[:]  # shape inference fails on the exporter's values
    quantise_tables(graph)
    if precision == "blocks":
        _quantise_blocks(graph, target)
    else:
        _quantise_rows(graph, target)


def _quantise_rows(graph: onnx.ModelProto, target: Path) -> None:
    plain = target.with_suffix(".tables.onnx")
    onnx.save(graph, str(plain))
    quantize_dynamic(
        str(plain),
        str(target),
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
    )
    plain.unlink()
    eight = onnx.load(str(target))
    scale_by_row(eight)
    onnx.save(eight, str(target))


def _quantise_blocks(graph: onnx.ModelProto, target: Path) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    root.handlers[:] = before  # its import configures logging for the whole process
    root.setLevel(level)
    logging.getLogger(MatMulNBitsQuantizer.__module__).setLevel(logging.WARNING)
    quantiser = MatMulNBitsQuantizer(
        graph, bits=8, block_size=_BLOCK, is_symmetric=True, accuracy_level=_INTEGER_PRODUCTS
    )
    quantiser.process()
    quantiser.model.save_model_to_file(str(target))


def quantise_tables(model: onnx.ModelProto, smallest: int = _MIN_TABLE) -> None:
    """Replace each embedding table of at least ``smallest`` floats by integers with one scale per
    32 numbers of a row.

    The largest number of a block becomes 120, so a table that was 4-bit before, in blocks of 32
    with a largest code of 8 (like the bundled base's), loses nothing.
    """
    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        floats = table is not None and table.data_type == TensorProto.FLOAT
        if table is None or not floats or np.prod(table.dims) < smallest:
            nodes.append(node)
            continue
        values = numpy_helper.to_array(table)
        block = math.gcd(values.shape[1], _BLOCK)
        blocks = values.reshape(len(values), -1, block)
        scale = np.maximum(np.abs(blocks).max(axis=2, keepdims=True) / _LARGEST_CODE, 1e-12)
        codes = np.rint(blocks / scale).astype(np.int8)
        name, rows, out = table.name, node.input[1], node.output[0]
        whole = np.array([0, 0, values.shape[1]], dtype=np.int64)
        graph.initializer.append(numpy_helper.from_array(codes, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        graph.initializer.append(numpy_helper.from_array(whole, f"{name}.shape"))
        nodes += [
            helper.make_node("Gather", [f"{name}.int8", rows], [f"{out}.int8"], axis=0),
            helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{name}.scale", rows], [f"{out}.scale"], axis=0),
            helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [f"{out}.blocks"]),
            helper.make_node("Reshape", [f"{out}.blocks", f"{name}.shape"], [out]),
        ]
        graph.initializer.remove(table)
    del graph.node[:]
    graph.node.extend(nodes)


def cut_positions(network: Network, max_tokens: int) -> None:
    """Remove the position embeddings beyond ``max_tokens`` if the encoder has a table of them."""
    embeddings = getattr(network.encoder, "embeddings", None)
    table = getattr(embeddings, "position_embeddings", None)
    if (
        embeddings is None
        or not isinstance(table, nn.Embedding)
        or network.encoder.config.model_type != "bert"
    ):
        return
    short = nn.Embedding(max_tokens, table.embedding_dim)
    with torch.no_grad():
        short.weight.copy_(table.weight[:max_tokens])
    embeddings.position_embeddings = short
    embeddings.register_buffer("position_ids", torch.arange(max_tokens)[None], persistent=False)
    embeddings.register_buffer(
        "token_type_ids", torch.zeros((1, max_tokens), dtype=torch.int64), persistent=False
    )
    network.encoder.config.max_position_embeddings = max_tokens


def parity(whole: Sequence[Measured], quantised: Sequence[Measured]) -> dict[str, float]:
    """The macro-F1 that each set loses (above 0) or gains by quantisation, in [-1, 1].

    Raises:
        ParityError: a set with reliable labels loses more than 0.5 points, or, if it is so small
            that two texts are more than that, more than two texts.
    """
    before = {m.name: m.macro_f1 for m in whole}
    sets = [m for m in quantised if m.kind == "set" and not m.noisy]
    lost = {m.name: before[m.name] - m.macro_f1 for m in sets}
    for m in sets:
        allowed = max(MAX_PARITY_LOSS, _SPARED_TEXTS / m.rows) + 1e-9
        if lost[m.name] > allowed:
            raise ParityError(
                f"quantisation costs {m.name} {100 * lost[m.name]:.2f} points of macro-F1;"
                f" the limit is {100 * allowed:.1f}"
            )
    return lost
