"""Probabilities that are right, or too sure by a known factor."""

from collections.abc import Mapping, Sequence

import numpy as np

from model.backend import soften
from tests.training.test_data import MOODS
from training.data import Split
from training.evaluate import Scored


def scored(
    rows: int, sharpness: Mapping[str, float] | None = None, langs: Sequence[str] = ("en", "ko")
) -> Scored:
    """Rows in each of some languages in turn; a language's logits are as often as large as its
    sharpness says (1 if unnamed: its probabilities are right).
    """
    draw = np.random.default_rng(4)
    honest = draw.dirichlet([1.0, 1.0, 1.0], size=rows)
    truth = np.array([draw.choice(3, p=row) for row in honest])
    spoken = [langs[i % len(langs)] for i in range(rows)]
    sharp = np.array([[(sharpness or {}).get(lang, 1.0)] for lang in spoken])
    texts = [f"text {i}" for i in range(rows)]
    split = Split(MOODS, texts, truth, spoken, np.ones(3, dtype=np.bool_))
    return Scored(split, soften(honest, 1 / sharp), spoken)
