"""Whether a text is of a kind that the model was measured on."""

from collections.abc import Sequence, Set

from tokenizers import Tokenizer

from model.language import UNKNOWN, has_letters, without_placeholders

_UNKNOWN_PIECES = ("<unk>", "[UNK]")


def in_scope(
    text: str,
    language: str,
    pieces: Sequence[int],
    *,
    unknown: int | None,
    measured: Set[str] | None,
) -> bool:
    """Whether the model was measured on texts like this one.

    A text is out of scope if it has no letters (only emoji, digits and signs; handles and links do
    not count), if its language is known but was not measured, or if at least half of its tokens are
    unknown to the vocabulary.

    Args:
        text: normalised.
        language: the result of :func:`model.language.identify`.
        pieces: the text's tokens.
        unknown: id of the unknown token; ``None`` if the vocabulary has none.
        measured: the measured languages; ``None`` if unknown, and then the language is not
            considered.
    """
    if not has_letters(without_placeholders(text)):
        return False
    if measured is not None and language != UNKNOWN and language not in measured:
        return False
    return 2 * sum(piece == unknown for piece in pieces) < len(pieces)


def unknown_piece(tokenizer: Tokenizer) -> int | None:
    """The id of a vocabulary's unknown token; ``None`` if it has none."""
    for name in _UNKNOWN_PIECES:
        found: int | None = tokenizer.token_to_id(name)
        if found is not None:
            return found
    return None
