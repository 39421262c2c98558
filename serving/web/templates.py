"""Renders pages as HTML: Jinja2 templates with escaping, their own style sheet and no script."""

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from serving.locales.wording import Wording
from serving.notify.render.layout import TONES


def page(template: str, words: Wording, status: int = 200, **values: object) -> HTMLResponse:
    """A page.

    Args:
        template: its file's name in `templates/`.
        words: the reader's language.
        status: of the response.
        values: values of the template; each is escaped. `signed_in` is who sees it; None if
            nobody is signed in.
    """
    values = {"signed_in": None, "can_respond": True} | values
    html = _templates().get_template(template).render(style=_style(), words=words, **values)
    return HTMLResponse(html, status, headers=_headers())


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("serving.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> Markup:
    """The style sheet; its banners have the colours of the e-mails'."""
    tones = "".join(f".{tone} {{ background: {colour}; }}\n" for tone, colour in TONES.items())
    return Markup(files(__package__).joinpath("templates/page.css").read_text("utf-8") + tones)  # noqa: S704 - ours


@cache
def _headers() -> dict[str, str]:
    """What a browser may do with a page: show it with its own style and our images, send its
    form to us, and nothing else.
    """
    style = b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
    }
