"""Rewritings of training texts under which their label stands: what commenters do to a sentence
without changing its mood, so that the model learns to see through it.
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
    """Rewrite a share of a split's texts, each chosen and rewritten by its own hash.

    There are four rewritings, equally often: said twice, other letter case, the last word drawn
    out, and an emoji of the label's mood at the end. A text on which its rewriting does nothing
    (a neutral one takes no emoji) stays as it is.

    Args:
        split: normalised texts.
        head_labels: of the head that the split belongs to.
        share: of the texts to rewrite, in [0, 1].

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
