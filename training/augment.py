"""Rewrites training texts in ways that keep their label: repetition, letter case, emoji.

Commenters write like this without changing the sentiment, and the model learns to ignore it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from model.text import normalise
from training.data import Split, fraction

_EMOJI = {
    "negative": ("😡", "🤬", "👎", "😤", "💔", "🤮", "😠"),
    "positive": ("😍", "❤️", "🥰", "👏", "😊", "💕", "🙌"),
}
_LONGEST_REPEAT = 160
_VOWEL = re.compile(r"[aeiouy](?=\w*[^\w]*$)", re.IGNORECASE)


def augment(split: Split, head_labels: Sequence[str], share: float) -> Split:
    """Rewrite a share of a split's texts; a hash of each text decides whether and how.

    The four rewritings are equally frequent: repeat the text, change the letter case, stretch the
    last word, append an emoji of the label's sentiment. Some texts do not change (a neutral text
    gets no emoji).

    Args:
        split: normalised texts.
        head_labels: labels of the split's head.
        share: share of the texts to rewrite, in [0, 1].

    Returns:
        The same rows, labels and order.
    """
    texts = list(split.texts)
    for row, text in enumerate(texts):
        drawn = fraction(f"augment {text}")
        if drawn < share:
            place = int(drawn / share * 1_000_000)
            rewrite = _REWRITINGS[place % len(_REWRITINGS)]
            texts[row] = normalise(rewrite(text, head_labels[split.labels[row]], place))
    return replace(split, texts=texts)


def _twice(text: str, label: str, place: int) -> str:
    return text if len(text) > _LONGEST_REPEAT else f"{text} {text}"


def _other_case(text: str, label: str, place: int) -> str:
    return text.upper() if place % 3 == 0 else text.lower()


def _drawn_out(text: str, label: str, place: int) -> str:
    return _VOWEL.sub(lambda vowel: vowel.group() * 3, text, count=1)


def _with_emoji(text: str, label: str, place: int) -> str:
    emoji = _EMOJI.get(label, ("",))
    return f"{text} {emoji[place % len(emoji)] * (1 + place % 2)}"


_REWRITINGS: tuple[Callable[[str, str, int], str], ...] = (
    _twice,
    _other_case,
    _drawn_out,
    _with_emoji,
)
