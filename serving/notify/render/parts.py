"""Long texts in parts, for channels that take short messages only."""

from collections.abc import Callable, Iterator

Size = Callable[[str], int]


def utf16_length(text: str) -> int:
    """How long a text is for chats, which count what is outside the basic plane twice."""
    return len(text) + sum(char > "\uffff" for char in text)


def byte_length(text: str) -> int:
    """How many bytes a text has."""
    return len(text.encode("utf-8", "replace"))


def split(text: str, longest: int, size: Size, *, most: int) -> list[str]:
    """A text in parts, cut between lines where that is possible, else between words.

    Args:
        text: the text.
        longest: size of a part.
        size: measures a text.
        most: parts; what is left after them is cut, and the last part ends with an ellipsis.

    Returns:
        At least one part.
    """
    if size(text) <= longest:
        return [text]
    parts = [""]
    for piece in _pieces(text, longest, size):
        joined = parts[-1] + piece
        if size(joined.rstrip()) <= longest:
            parts[-1] = joined
        else:
            parts.append(piece)
    parts = [part.strip("\n").rstrip() for part in parts if part.strip()] or [""]
    if len(parts) > most:
        parts = [*parts[: most - 1], fitted(parts[most - 1] + "…" * longest, longest, size)]
    return parts


def fitted(text: str, longest: int, size: Size) -> str:
    """The text, or its beginning with an ellipsis, of at most a size."""
    if size(text) <= longest:
        return text
    return text[: _fit(text, longest - size("…"), size)].rstrip("… \n") + "…"


def _pieces(text: str, longest: int, size: Size) -> Iterator[str]:
    """Lines with their ends; words of lines that are too long, and parts of words that are."""
    for line in text.splitlines(keepends=True):
        while size(line.rstrip()) > longest:
            end = _fit(line, longest, size)
            space = line.rfind(" ", 0, end)
            end = space + 1 if space > 0 else end
            yield line[:end]
            line = line[end:]
        yield line


def _fit(text: str, longest: int, size: Size) -> int:
    """How many characters from the beginning have at most a size; at least one."""
    low, high = 1, min(len(text), max(longest, 1))
    while low < high:
        middle = (low + high + 1) // 2
        if size(text[:middle]) <= longest:
            low = middle
        else:
            high = middle - 1
    return low
