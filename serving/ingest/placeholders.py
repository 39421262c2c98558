"""What platforms and exports write in place of the text of a comment that was deleted."""

PLACEHOLDERS = frozenset(
    {
        "[deleted]",
        "[deleted by user]",
        "[removed]",
        "[removed by moderator]",
        "[removed by reddit]",
        "[comment deleted]",
        "[comment removed]",
        "[this comment has been deleted]",
        "[this comment has been removed]",
    }
)


def is_placeholder(text: str) -> bool:
    """Whether a text as a whole is a platform's notice that the comment was deleted.

    Case and white space around the words do not matter: Reddit writes `[ Removed by Reddit ]`.
    """
    text = text.strip()
    if not text.startswith("[") or not text.endswith("]"):
        return False
    return f"[{text[1:-1].strip().casefold()}]" in PLACEHOLDERS
