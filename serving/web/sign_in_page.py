"""The content of the pages on which people sign in."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from serving.access.passwords import LONGEST, SHORTEST
from serving.locales.wording import Wording, msg
from serving.settings import Settings
from serving.web.alert_page import asking

DIFFERENT = msg("The two new passwords are not the same.")
TOO_MANY = msg("Too many attempts. Wait a minute, then try again.")
LATE = msg("This sign-in took too long, or began in another browser. Try again.")
UNREACHABLE = msg("Your provider cannot be asked now. Try again, or use a password.")
NOT_TRUSTED = msg("What your provider answered cannot be trusted. Try again.")
SIGNED_OUT = msg("You are signed out.")
EVERYWHERE = msg("You are signed out everywhere.")
CHANGED = msg("The password is changed, and every other session has ended.")
RULE = msg("{fewest} to {most} characters, without your name or e-mail address.")
UNFIT = msg(
    "This password is easily guessed. Use {fewest} to {most} characters, at least 5 of them "
    "different, without your name or e-mail address, and not the password that you have."
)


@dataclass(frozen=True, slots=True)
class SignInView:
    """The page, also that on which a password is replaced.

    Attributes:
        words: the reader's language.
        action: where the form goes, relative to the page.
        next_path: where to go after it; empty for the account.
        email: what was entered.
        fault: what to correct; None if nothing is.
        done: what was done before; None if nothing was.
        provider: where the OpenID provider is, relative to the page; None if there is none.
        provider_name: what people call it.
    """

    words: Wording
    action: str
    next_path: str
    email: str = ""
    fault: str | None = None
    done: str | None = None
    provider: str | None = None
    provider_name: str = ""
    replaces: bool = False

    @property
    def title(self) -> str:
        """The heading."""
        text = self.words.text
        return text("Choose your password") if self.replaces else text("Sign in")

    @property
    def provider_label(self) -> str:
        """The text of the link to the provider."""
        return self.words.text("Sign in with {provider}", provider=self.provider_name)

    @property
    def labels(self) -> dict[str, str]:
        """The page's own labels."""
        text = self.words.text
        return {
            "email": text("E-mail address"),
            "password": text("Password"),
            "sign_in": text("Sign in"),
            "help": text("No account, or forgot your password? Ask an admin of Groundswell."),
            "why": text("Somebody gave you a password. Choose one that only you know."),
            "given": text("The password that you were given"),
            "new": text("New password"),
            "again": text("New password again"),
            "rule": rule(self.words),
            "save": text("Save and sign in"),
        }


def rule(words: Wording) -> str:
    """What a password must be."""
    return words.text(RULE, fewest=words.number(SHORTEST), most=words.number(LONGEST))


def unfit(words: Wording) -> str:
    """Why a password is refused."""
    return words.text(UNFIT, fewest=words.number(SHORTEST), most=words.number(LONGEST))


def provider_of(
    settings: Settings, words: Wording, next_path: str, *, prefix: str
) -> tuple[str | None, str]:
    """Where the provider is, seen from the sign-in, and what people call it."""
    if settings.oidc_issuer is None:
        return None, ""
    name = settings.oidc_name or urlsplit(settings.oidc_issuer).netloc
    return f"{prefix}provider{asking(words)}&next={quote(next_path, safe='')}", name
