"""A backend without weights that uses a small lexicon; for tests, demos and dry runs."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from model.backend import OFFENSIVE, SENTIMENT, Pieces, Probabilities, softmax

_NEUTRAL, _NEGATIVE, _POSITIVE, _OFFENSIVE = range(4)
_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_LEXICON = {
    _NEGATIVE: (
        "awful bad boycott broke broken disappointed disappointing disgusting fake hate horrible "
        "liar refund sad scam terrible ugly unfollow unfollowed waste worst 😡 🤮 😠 👎 💔 😤 "
        "tệ chán ghét xấu dở lừa tẩy thất vọng kém phẫn nộ giả "
        "최악 실망 싫어 싫다 별로 환불 사기 불매 나쁘다 화난다 거짓말 짜증"
    ),
    _POSITIVE: (
        "amazing awesome beautiful best excellent gorgeous great happy love loved lovely perfect "
        "recommend stunning thanks wonderful ❤ 😍 🥰 👍 🎉 😊 💕 "
        "thích tuyệt đẹp tốt yêu vời xinh ngon "
        "최고 좋아 좋아요 좋다 예쁘다 사랑해 사랑 완벽 추천 감사 감동 예뻐요"
    ),
    _OFFENSIVE: (
        "bitch bastard clown fuck fucking idiot moron shit stupid trash ngu 쓰레기 멍청이 꺼져"
    ),
}
_CLASS = {word: kind for kind, words in _LEXICON.items() for word in words.split()}


class FakeBackend:
    """Counts words of an English, Vietnamese and Korean lexicon; every other word is neutral.

    Deterministic. Its ``model_id`` starts with "fake".
    """

    model_id = "fake-lexicon-1"
    window = 64
    unknown: int | None = None
    labels: Mapping[str, tuple[str, ...]] = {
        SENTIMENT: ("negative", "neutral", "positive"),
        OFFENSIVE: ("not-offensive", "offensive"),
    }

    def encode(self, texts: Sequence[str]) -> list[Pieces]:
        """Map each word or sign to the number of its class."""
        return [
            [_CLASS.get(word, _NEUTRAL) for word in _WORD.findall(text.lower())] or [_NEUTRAL]
            for text in texts
        ]

    def probabilities(self, windows: Sequence[Pieces]) -> dict[str, Probabilities]:
        """Softmax of twice the counts, so that one hit outweighs any number of neutral words."""
        counts = np.array(
            [[window.count(kind) for kind in range(4)] for window in map(list, windows)],
            dtype=np.float64,
        )
        negative = 2 * (counts[:, _NEGATIVE] + counts[:, _OFFENSIVE])
        positive = 2 * counts[:, _POSITIVE]
        offensive = 3 * counts[:, _OFFENSIVE]
        even = np.ones(len(windows))
        return {
            SENTIMENT: softmax(np.stack([negative, even, positive], axis=1)),
            OFFENSIVE: softmax(np.stack([even, offensive], axis=1)),
        }
