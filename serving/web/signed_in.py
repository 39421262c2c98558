"""What every page says of who is signed in, and the way to their account and out."""

from dataclasses import dataclass

from starlette.requests import Request

from serving.access.own_path import relative
from serving.access.principal import Principal, PrincipalKind
from serving.locales.wording import Wording


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The line above a page.

    Attributes:
        name: of the person.
        account: address of their account, relative to the page.
        sign_out: where the form goes that signs them out.
        sign_out_label: the text of its button.
    """

    name: str
    account: str
    sign_out: str
    sign_out_label: str


def signed_in(request: Request, principal: Principal, words: Wording) -> SignedIn | None:
    """The line above a page; None where nobody is signed in."""
    if principal.kind is not PrincipalKind.PERSON:
        return None
    here = request.url.path
    query = f"?language={words.locale}&timezone={words.zone.key}"
    return SignedIn(
        name=principal.name,
        account=relative(f"/account{query}", seen_from=here),
        sign_out=relative(f"/sign-out{query}", seen_from=here),
        sign_out_label=words.text("Sign out"),
    )
