"""Comments into scored comments, by the model behind the batcher."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from model.batcher import Batcher, Priority
from model.types import Prediction
from monitoring.events import Comment, ScoredComment
from serving.storage.comment_log import CommentScores

_NONE: Mapping[int, CommentScores] = MappingProxyType({})


class Scorer(Protocol):
    """What the pipeline needs of the model."""

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text.

        Raises:
            Overloaded: too many texts wait already.
            ModelError: the model failed.
        """
        ...


class PriorityScorer:
    """The batcher, in which what detection waits for goes before everything else.

    Args:
        batcher: shared with requests.
    """

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """As :class:`Scorer`."""
        return await self._batcher.predict(texts, priority=Priority.HIGH)


async def score(
    scorer: Scorer, comments: Sequence[Comment], kept: Mapping[int, CommentScores] = _NONE
) -> tuple[list[ScoredComment], list[Prediction]]:
    """Comments with what the model says of each; equal texts are scored once.

    Args:
        scorer: the model.
        comments: some comments.
        kept: what it said of those whose texts were erased, by their places among `comments`.

    Raises:
        Overloaded: too many texts wait already.
        ModelError: the model failed.
    """
    texts = list(dict.fromkeys(one.text for i, one in enumerate(comments) if i not in kept))
    found = dict(zip(texts, await scorer.predict(texts), strict=True)) if texts else {}
    predictions = [
        Prediction(said.negative, said.neutral, said.positive, said.offensive)
        if (said := kept.get(index)) is not None
        else found[comment.text]
        for index, comment in enumerate(comments)
    ]
    scored = [
        ScoredComment(comment, p.negative, p.neutral, p.positive, p.offensive)
        for comment, p in zip(comments, predictions, strict=True)
    ]
    return scored, predictions
