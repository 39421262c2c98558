"""The HTML of a status as people read it. Pure."""

from html.parser import HTMLParser

_SKIPPED = frozenset({"script", "style"})
_BLOCKS = frozenset({"p", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3"})


class StatusText(HTMLParser):
    """Collects text: paragraphs are apart, and links are whole although they are shown short."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block or a line."""
        if tag in _SKIPPED:
            self._skipping += 1
        elif tag in _BLOCKS and self.parts:
            self.parts.append("\n\n")
        elif tag in {"br", "li"} and self.parts:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End what is not shown."""
        if tag in _SKIPPED and self._skipping:
            self._skipping -= 1

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if not self._skipping:
            self.parts.append(data)


def text_of_html(html: str) -> str:
    """Plain text; broken HTML gives what can be read of it."""
    reader = StatusText()
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)
