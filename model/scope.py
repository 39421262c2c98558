"""Whether a text is of the kind that a model was measured on."""

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
    """Whether figures exist for texts such as this one.

    They do not where the text has no letters (emoji, digits and signs alone; handles and links do
    not count), where its language is known and none of those measured, or where half of its pieces
    or more are unknown to the vocabulary.

    Args:
        text: normalised.
        language: of the text, as :func:`model.language.identify` gives it.
        pieces: of the text.
        unknown: the piece that stands for what the vocabulary lacks; ``None`` if nothing does.
        measured: languages with figures; ``None`` where nobody says, and language then decides
            nothing.
    """
    if not has_letters(without_placeholders(text)):
        return False
    if measured is not None and language != UNKNOWN and language not in measured:
        return False
    return 2 * sum(piece == unknown for piece in pieces) < len(pieces)


def unknown_piece(tokenizer: Tokenizer) -> int | None:
    """The id of the piece that stands for what a vocabulary lacks."""
    for name in _UNKNOWN_PIECES:
        found: int | None = tokenizer.token_to_id(name)
        if found is not None:
            return found
    return None
