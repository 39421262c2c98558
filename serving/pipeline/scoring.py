"""Comments into scored comments, by the model behind the batcher."""

from collections.abc import Sequence
from typing import Protocol

from model.types import Prediction
from monitoring.events import Comment, ScoredComment


class Scorer(Protocol):
    """What the pipeline needs of the model."""

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text.

        Raises:
            Overloaded: too many texts wait already.
            ModelError: the model failed.
        """
        ...


async def score(
    scorer: Scorer, comments: Sequence[Comment]
) -> tuple[list[ScoredComment], list[Prediction]]:
    """Comments with what the model says of each; equal texts are scored once.

    Raises:
        Overloaded: too many texts wait already.
        ModelError: the model failed.
    """
    texts = list(dict.fromkeys(comment.text for comment in comments))
    found = dict(zip(texts, await scorer.predict(texts), strict=True)) if texts else {}
    predictions = [found[comment.text] for comment in comments]
    scored = [
        ScoredComment(comment, p.negative, p.neutral, p.positive, p.offensive)
        for comment, p in zip(comments, predictions, strict=True)
    ]
    return scored, predictions
